import { type CarriedError, fromCarried } from "./carried-error.ts";
import type { LearnerCalls, Port } from "./port.ts";

type Name = keyof LearnerCalls;

/** A call on its way to the other thread, and its answer on the way back. */
export interface Question {
  readonly id: number;
  readonly name: Name;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: CarriedError;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Questions to a learner in another thread. They are answered in the order they are asked. */
export class Calls {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #lost: Error | undefined;

  constructor(port: Port) {
    this.#port = port;
    port.on("message", (message) => this.#answered(message as Answer));
  }

  /**
   * @param transfer buffers that are handed over: nobody here may read them afterwards
   * @returns rejects with the error that was thrown over there, or with that of `end`; one that nobody waits for
   *   ends no process
   */
  ask<N extends Name>(
    name: N,
    argument: LearnerCalls[N][0],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<LearnerCalls[N][1]> {
    if (this.#lost) return quiet(Promise.reject(this.#lost));
    const id = this.#asked;
    this.#asked += 1;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#port.postMessage({ id, name, argument } satisfies Question, transfer);
    return quiet(answer as Promise<LearnerCalls[N][1]>);
  }

  /** Nobody is there any more: whoever waits hears it, and whoever asks later. */
  end(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }

  #answered({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(fromCarried(error));
  }
}

/** Whoever awaits it is told all the same. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
