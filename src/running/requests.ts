/** What may be asked of a run in progress. */
export type Request = "pause" | "resume" | "checkpoint" | "next-phase" | "stop";

export const requests: readonly Request[] = ["pause", "resume", "checkpoint", "next-phase", "stop"];

export interface Requested {
  readonly request: Request;
  /** Who asked, e.g. `key p`, `ctl`, `SIGINT`. */
  readonly by: string;
  /** Told once what became of it: `done`, or why not. */
  readonly answer?: (outcome: string) => void;
}

/** Between whoever steers (keys, `firstsolo ctl`, signals) and the loop, which looks between two iterations. */
export class RequestQueue {
  readonly #waiting: Requested[] = [];
  #wake: (() => void) | undefined;

  ask(request: Request, by: string, answer?: (outcome: string) => void): void {
    this.#waiting.push(answer ? { request, by, answer } : { request, by });
    this.#wake?.();
  }

  /** The oldest request, if there is one. */
  take(): Requested | undefined {
    return this.#waiting.shift();
  }

  /** Resolves when there is a request. Keeps the process alive: nothing else may, while a run waits. */
  async arrival(): Promise<void> {
    if (this.#waiting.length > 0) return;
    const alive = setInterval(() => {}, 60_000);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    clearInterval(alive);
    this.#wake = undefined;
  }
}
