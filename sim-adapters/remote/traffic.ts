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
  #stats: LinkStats = { bytesSent: 0, bytesReceived: 0, lastRoundTrip: 0, serverTiming: {} };

  get stats(): LinkStats {
    return this.#stats;
  }

  sent(frames: readonly Uint8Array[]): void {
    this.#stats = { ...this.#stats, bytesSent: this.#stats.bytesSent + sizeOf(frames) };
  }

  received(frames: readonly Uint8Array[]): void {
    this.#stats = { ...this.#stats, bytesReceived: this.#stats.bytesReceived + sizeOf(frames) };
  }

  answered(seconds: number, timing: Readonly<Record<string, number>> | undefined): void {
    const serverTiming = timing ?? this.#stats.serverTiming;
    this.#stats = { ...this.#stats, lastRoundTrip: seconds, serverTiming };
  }
}

function sizeOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => sum + frame.byteLength, 0);
}
