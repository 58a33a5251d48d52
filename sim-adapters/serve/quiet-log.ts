/** Lines within `span` seconds that are written; the rest is counted. */
const most = 20;
const span = 10;

/** Lines that a stranger can cause at will: at most so many, then one that says how many more there were. */
export class QuietLog {
  readonly #write: (line: string) => void;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** `now` in seconds. */
  say(line: string, now: number): void {
    if (now - this.#since > span) {
      if (this.#count > most) this.#write(`${this.#count - most} more lines like these`);
      this.#since = now;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count <= most) this.#write(line);
  }
}
