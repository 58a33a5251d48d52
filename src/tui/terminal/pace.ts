/** Milliseconds between two frames at least: 4 a second. */
const shortest = 250;
/** A frame that took t ms is followed by no other for 45 · t ms: at most 2.2 % of the time. */
const rest = 45;
/** However slow the machine is, the screen goes on. */
const longest = 10_000;
/** Milliseconds that the share is taken over. */
const window = 60_000;

interface Drawn {
  readonly at: number;
  readonly took: number;
}

/** When a frame may be drawn, and which share of the time frames have taken. */
export class FramePace {
  readonly #drawn: Drawn[] = [];
  #last = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;
  #opened: number | undefined;

  /** @param urgent somebody has pressed a key and waits for the answer */
  due(now: number, urgent: boolean): boolean {
    return now >= (urgent ? this.#last + shortest : this.#next);
  }

  /** @param started and `ended`: of a frame, in ms */
  drew(started: number, ended: number): void {
    this.#opened ??= started;
    const took = ended - started;
    this.#drawn.push({ at: ended, took });
    while (this.#drawn.length > 0 && this.#drawn[0]!.at < ended - window) this.#drawn.shift();
    // The first frame loads code that the others don't.
    const usual = mean(this.#drawn.slice(this.#drawn.length > 1 ? 1 : 0).slice(-5));
    this.#last = started;
    this.#next = started + Math.max(shortest, Math.min(usual * rest, longest));
  }

  /** Of the last minute, or of what there was of it. */
  share(now: number): number {
    const spent = this.#drawn.reduce((sum, { took }) => sum + took, 0);
    const span = Math.min(window, now - (this.#opened ?? now));
    return span > 0 ? Math.min(1, spent / Math.max(span, 1000)) : 0;
  }
}

function mean(frames: readonly Drawn[]): number {
  return frames.reduce((sum, { took }) => sum + took, 0) / frames.length;
}
