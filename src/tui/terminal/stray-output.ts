/** Kept until the next frame; more than this is a flood that nobody reads. */
const mostCharacters = 64_000;

type Write = NodeJS.WriteStream["write"];

/**
 * Holds back what the rest of the process prints while a frame is on the terminal, so that it can be put
 * above the frame. Output of another process can't be caught here: it must be piped.
 */
export class StrayOutput {
  readonly #streams: readonly NodeJS.WriteStream[];
  #originals: readonly Write[] | undefined;
  #text = "";
  #dropped = 0;

  constructor(streams: readonly NodeJS.WriteStream[]) {
    this.#streams = streams;
  }

  catch(onText: () => void): void {
    if (this.#originals) return;
    this.#originals = this.#streams.map((stream) => stream.write);
    for (const stream of this.#streams) {
      stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
        this.#keep(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
        const done = rest.find((one) => typeof one === "function") as (() => void) | undefined;
        if (done) process.nextTick(done);
        onText();
        return true;
      }) as Write;
    }
  }

  /** What has been held back; empty where there is nothing. */
  take(): string {
    const note = this.#dropped > 0 ? `… ${this.#dropped} characters left out\n` : "";
    const text = note + this.#text;
    this.#text = "";
    this.#dropped = 0;
    return text;
  }

  /** From here on everything is printed as usual. */
  release(): void {
    this.#originals?.forEach((write, i) => {
      this.#streams[i]!.write = write;
    });
    this.#originals = undefined;
  }

  #keep(text: string): void {
    this.#text += text;
    const over = this.#text.length - mostCharacters;
    if (over <= 0) return;
    this.#dropped += over;
    this.#text = this.#text.slice(over);
  }
}
