import { wordsOf } from "../../protocol/visible.ts";
import type { RequestQueue } from "../running/requests.ts";
import { exitCodes } from "./exit-codes.ts";

export interface SignalWatch {
  /** Aborted by a signal that comes before the flight, when there is nothing to land. */
  readonly abort: AbortSignal;
  /** Aborted by any signal: ends what may be left out of a landing. */
  readonly stop: AbortSignal;
  /** True once a signal asked for the end. */
  readonly interrupted: boolean;
  /** From now on the first signal lands the flight: iteration finished, checkpoint, simulator told. */
  takeOff(): void;
  /** The same as SIGINT. */
  interrupt(): void;
  /** Lands as a signal does, for an error that nobody caught; false where there is no flight to land. */
  land(error: unknown): boolean;
  /** What it is landing for. */
  readonly uncaught: { readonly error: unknown } | undefined;
  release(): void;
}

/**
 * The first SIGINT or SIGTERM ends gracefully, the second at once. A terminal that hangs up (SIGHUP)
 * doesn't end a flight of days: `firstsolo watch` and `firstsolo ctl` find it again.
 */
export function watchSignals(requests: RequestQueue, say: (line: string) => void): SignalWatch {
  return new ProcessSignals(requests, say);
}

class ProcessSignals implements SignalWatch {
  readonly #requests: RequestQueue;
  readonly #say: (line: string) => void;
  readonly #abort = new AbortController();
  readonly #stop = new AbortController();
  #flying = false;
  #interrupted = false;
  #uncaught: SignalWatch["uncaught"];

  constructor(requests: RequestQueue, say: (line: string) => void) {
    this.#requests = requests;
    this.#say = say;
    process.on("SIGINT", this.#onSignal).on("SIGTERM", this.#onSignal).on("SIGHUP", this.#onHangUp);
  }

  get abort(): AbortSignal {
    return this.#abort.signal;
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  get uncaught(): SignalWatch["uncaught"] {
    return this.#uncaught;
  }

  takeOff(): void {
    this.#flying = true;
  }

  interrupt(): void {
    this.#onSignal("SIGINT");
  }

  land(error: unknown): boolean {
    if (!this.#flying) return false;
    // What throws in a timer may throw again with every tick: the first tells.
    if (this.#uncaught !== undefined) return true;
    this.#uncaught = { error };
    if (this.#interrupted) return true;
    this.#end();
    this.#land(`an error that nobody caught (${wordsOf(error)})`);
    return true;
  }

  release(): void {
    process
      .off("SIGINT", this.#onSignal)
      .off("SIGTERM", this.#onSignal)
      .off("SIGHUP", this.#onHangUp);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#interrupted) process.exit(exitCodes.interrupted);
    this.#end();
    if (this.#flying) this.#land(signal);
    else this.#abort.abort();
  };

  readonly #onHangUp = (): void => this.#say("SIGHUP: the terminal is gone, the flight goes on");

  #end(): void {
    this.#interrupted = true;
    this.#stop.abort();
  }

  #land(why: string): void {
    this.#say(`${why}: landing after this iteration, with a checkpoint; once more ends at once`);
    this.#requests.ask("stop", why);
  }
}

/** The same for a program that has us fly: its abort lands the flight, and no signal of the process is taken. */
export function watchAbort(
  requests: RequestQueue,
  signal: AbortSignal = new AbortController().signal,
): SignalWatch {
  const before = new AbortController();
  let flying = false;
  const onAbort = () => {
    if (flying) requests.ask("stop", "abort");
    else before.abort();
  };
  if (signal.aborted) before.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    abort: before.signal,
    stop: signal,
    get interrupted() {
      return signal.aborted;
    },
    interrupt: onAbort,
    // What nobody caught is the other program's affair.
    land: () => false,
    uncaught: undefined,
    takeOff: () => {
      flying = true;
    },
    release: () => signal.removeEventListener("abort", onAbort),
  };
}
