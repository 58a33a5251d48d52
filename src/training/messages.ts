/** Lines for people, on stderr unless told otherwise; whoever comes later hears what was said before. */
export class Notices {
  readonly #kept: string[] = [];
  readonly #write: (line: string) => void;
  #listener: ((line: string) => void) | undefined;

  constructor(write: (line: string) => void = warn) {
    this.#write = write;
  }

  /** Bound, so that it can be handed on. */
  readonly say = (line: string): void => {
    this.#write(line);
    if (this.#listener) this.#listener(line);
    else if (this.#kept.length < mostKept) this.#kept.push(line);
  };

  /** From now on every line goes there too, after those there were. */
  tell(listener: (line: string) => void): void {
    this.#listener = listener;
    for (const line of this.#kept.splice(0)) listener(line);
  }
}

const mostKept = 200;

/** A line for people, on stderr. */
export function warn(line: string): void {
  process.stderr.write(`firstsolo: ${line}\n`);
}
