import { keysIn } from "./keys.ts";

/** Keys of a terminal, each as it is pressed: raw mode, which `stop` ends whatever happened. */
export class TerminalKeys {
  readonly #stdin: NodeJS.ReadStream;
  readonly #onData: (data: Buffer | string) => void;
  /** A terminal that hangs up must not end the flight. */
  readonly #onError = () => this.stop();
  #listening = false;

  constructor(stdin: NodeJS.ReadStream, onKey: (key: string) => void) {
    this.#stdin = stdin;
    this.#onData = (data) => {
      for (const key of keysIn(data.toString())) onKey(key);
    };
  }

  start(): void {
    if (this.#listening || !this.#stdin.isTTY) return;
    this.#listening = true;
    this.#stdin.setRawMode(true);
    this.#stdin.on("data", this.#onData);
    this.#stdin.on("error", this.#onError);
    // A paused flight has nothing else that keeps the process alive until the next key.
    this.#stdin.ref();
    this.#stdin.resume();
  }

  stop(): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#stdin.off("data", this.#onData);
    this.#stdin.off("error", this.#onError);
    try {
      this.#stdin.setRawMode(false);
    } catch {
      // The terminal is gone, and its mode with it.
    }
    this.#stdin.pause();
    this.#stdin.unref();
  }
}
