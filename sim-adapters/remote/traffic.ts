import type { Reply } from "../../protocol/messages.ts";

export interface LinkStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Seconds from the last request to its reply, retries included. */
  readonly lastRoundTrip: number;
  /** Seconds by part, as the simulator measured them for the last reply that told. */
  readonly serverTiming: Readonly<Record<string, number>>;
}

/** Counts what travels. */
export class Traffic {
  #bytesSent = 0;
  #bytesReceived = 0;
  #lastRoundTrip = 0;
  #serverTiming: LinkStats["serverTiming"] = {};

  get stats(): LinkStats {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      lastRoundTrip: this.#lastRoundTrip,
      serverTiming: this.#serverTiming,
    };
  }

  sent(frames: readonly Uint8Array[]): void {
    this.#bytesSent += sizeOf(frames);
  }

  received(frames: readonly Uint8Array[]): void {
    this.#bytesReceived += sizeOf(frames);
  }

  answered(seconds: number, header: Reply): void {
    this.#lastRoundTrip = seconds;
    if ("timing" in header && header.timing !== undefined) this.#serverTiming = header.timing;
  }
}

function sizeOf(frames: readonly Uint8Array[]): number {
  let sum = 0;
  for (let i = 0; i < frames.length; i++) sum += frames[i]!.byteLength;
  return sum;
}
