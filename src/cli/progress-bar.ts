const width = 30;
/** Milliseconds between two drawings. */
const pace = 200;

/** One line on stderr that fills up; where that is no terminal, a line for each tenth. */
export class ProgressBar {
  readonly #what: string;
  readonly #unit: string;
  readonly #total: number;
  readonly #since = performance.now();
  #drawn = Number.NEGATIVE_INFINITY;
  #tenth = 0;
  #open = false;

  constructor(what: string, unit: string, total: number) {
    this.#what = what;
    this.#unit = unit;
    this.#total = total;
  }

  show(done: number): void {
    const share = Math.min(1, done / this.#total);
    const seconds = (performance.now() - this.#since) / 1000;
    const text = `${done}/${this.#total} ${this.#unit}, ${seconds.toFixed(0)} s`;
    if (!process.stderr.isTTY) {
      const tenth = Math.floor(10 * share);
      if (tenth > this.#tenth) process.stderr.write(`firstsolo: ${this.#what} ${text}\n`);
      this.#tenth = Math.max(tenth, this.#tenth);
      return;
    }
    const now = performance.now();
    if (now - this.#drawn < pace && share < 1) return;
    this.#drawn = now;
    this.#open = true;
    const full = Math.round(width * share);
    process.stderr.write(
      `\r\x1b[K${this.#what} ${"█".repeat(full)}${"░".repeat(width - full)} ${text}`,
    );
  }

  end(): void {
    if (this.#open) process.stderr.write("\n");
    this.#open = false;
  }
}
