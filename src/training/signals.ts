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
  const controller = new AbortController();
  const stop = new AbortController();
  let flying = false;
  let interrupted = false;
  let uncaught: SignalWatch["uncaught"];
  const land = (why: string) => {
    say(`${why}: landing after this iteration, with a checkpoint; once more ends at once`);
    requests.ask("stop", why);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (interrupted) process.exit(exitCodes.interrupted);
    interrupted = true;
    stop.abort();
    if (!flying) return controller.abort();
    land(signal);
  };
  const onHangUp = () => say("SIGHUP: the terminal is gone, the flight goes on");
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", onHangUp);
  return {
    abort: controller.signal,
    stop: stop.signal,
    get interrupted() {
      return interrupted;
    },
    interrupt: () => onSignal("SIGINT"),
    land: (error) => {
      if (!flying) return false;
      // What throws in a timer may throw again with every tick: the first tells.
      if (uncaught !== undefined) return true;
      uncaught = { error };
      if (interrupted) return true;
      interrupted = true;
      stop.abort();
      land(`an error that nobody caught (${wordsOf(error)})`);
      return true;
    },
    get uncaught() {
      return uncaught;
    },
    takeOff: () => {
      flying = true;
    },
    release: () => {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGHUP", onHangUp);
    },
  };
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
