/** Lines for people, on stderr; whoever comes later hears what was said before. */
export class Notices {
  readonly #kept: string[] = [];
  #listener: ((line: string) => void) | undefined;

  /** Bound, so that it can be handed on. */
  readonly say = (line: string): void => {
    process.stderr.write(`firstsolo: ${line}\n`);
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
