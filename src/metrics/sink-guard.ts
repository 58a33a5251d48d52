import { wordsOf } from "../../protocol/visible.ts";
/** Keeps a sink's troubles to itself: said once, then silence. */
export class SinkGuard {
  readonly #name: string;
  readonly #onFailure: (line: string) => void;
  #failed = false;

  constructor(name: string, onFailure: (line: string) => void) {
    this.#name = name;
    this.#onFailure = onFailure;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Runs an action that may throw; after the first failure nothing runs any more. */
  run(action: () => void): void {
    if (this.#failed) return;
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const why = wordsOf(error);
    this.say(`${this.#name}: ${why}; nothing more goes there, the run goes on`);
  }

  /** A remark; whoever listens may fail, the flight may not. */
  say(line: string): void {
    try {
      this.#onFailure(line);
    } catch {
      // Nobody is left to tell.
    }
  }
}
