/** Milliseconds between two frames at least: 4 a second. */
const shortest = 250;
/** A frame that took t ms is followed by no other for 60 · t ms: at most 1.7 % of the time. */
const rest = 60;
/** Milliseconds that the share is taken over. */
const window = 60_000;

/** When a frame may be drawn, and which share of the time frames have taken. */
export class FramePace {
  readonly #drawn: { readonly at: number; readonly took: number }[] = [];
  #next = Number.NEGATIVE_INFINITY;
  #opened: number | undefined;

  due(now: number): boolean {
    return now >= this.#next;
  }

  /** @param started and `ended`: of a frame, in ms */
  drew(started: number, ended: number): void {
    this.#opened ??= started;
    const took = ended - started;
    this.#drawn.push({ at: ended, took });
    while (this.#drawn.length > 0 && this.#drawn[0]!.at < ended - window) this.#drawn.shift();
    this.#next = started + Math.max(shortest, Math.min(took * rest, 5000));
  }

  /** Of the last minute, or of what there was of it. */
  share(now: number): number {
    const spent = this.#drawn.reduce((sum, { took }) => sum + took, 0);
    const span = Math.min(window, now - (this.#opened ?? now));
    return span > 0 ? Math.min(1, spent / Math.max(span, 1000)) : 0;
  }
}
