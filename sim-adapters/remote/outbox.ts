import type { Dealer } from "zeromq";

/** Sends one message at a time; the newest replaces one that no connection has taken yet. */
export class Outbox {
  readonly #socket: Dealer;
  #next: readonly Uint8Array[] | undefined;
  #sending = false;

  constructor(socket: Dealer) {
    this.#socket = socket;
  }

  put(frames: readonly Uint8Array[]): void {
    this.#next = frames;
    if (!this.#sending) void this.#drain();
  }

  clear(): void {
    this.#next = undefined;
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#next !== undefined && !this.#socket.closed) {
      const frames = this.#next;
      try {
        await this.#socket.send(frames as Uint8Array[]);
        if (this.#next === frames) this.#next = undefined;
      } catch {
        // No connection within sendTimeout: the caller's budget decides how long to go on.
      }
    }
    this.#sending = false;
  }
}
