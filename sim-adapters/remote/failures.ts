import type { Replies } from "../../protocol/messages.ts";
import { wordsOf } from "../../protocol/visible.ts";
import { RemoteError } from "./remote-error.ts";

/** The ways a call can fail, each with what to do next. */
export const failure = {
  notStarted(endpoint: string, waited: number, told: string): RemoteError {
    const state = told === "" ? "nothing answered" : told;
    const message = `no simulator at ${endpoint} after ${waited.toFixed(0)} s: ${state}`;
    const hint = "Start one there, check the address on both sides, or allow more time to start.";
    return new RemoteError("not-started", message, { hint });
  },

  lost(endpoint: string, what: string): RemoteError {
    return new RemoteError("simulator-lost", `the simulator at ${endpoint} is lost: ${what}`, {
      hint: "Look at the simulator's own output, start it again and resume the run.",
    });
  },

  /** It is there, and a request's time is up; `told`: what it last said it does. */
  silent(endpoint: string, request: string, waited: number, told: string): RemoteError {
    const state = told === "" ? "" : `; ${told}`;
    const what = `no reply to ${request} for ${waited.toFixed(0)} s${state}`;
    const setting = request === "step" ? "sim.step_timeout" : "sim.reset_timeout";
    return new RemoteError("simulator-lost", `the simulator at ${endpoint} is lost: ${what}`, {
      hint: `If it needs that long, allow more: ${setting}=SECONDS. Else look at its own output, start it again and resume the run.`,
    });
  },

  exited(reason: unknown): RemoteError {
    const line = wordsOf(reason);
    return new RemoteError("simulator-lost", line, {
      hint: "Look at the simulator's own output, start it again and resume the run.",
      cause: reason,
    });
  },

  epochChanged(endpoint: string): RemoteError {
    const message = `the simulator at ${endpoint} was restarted: its episodes are gone`;
    const hint = "Connect again and reset; steps since the last update are lost.";
    return new RemoteError("epoch-changed", message, { hint });
  },

  specChanged(differences: readonly string[]): RemoteError {
    return new RemoteError("spec-changed", `another simulator: ${differences.join("; ")}`, {
      hint: "Start the simulator with the task and settings of before.",
    });
  },

  badReply(to: string, cause: unknown): RemoteError {
    const { message, hint, code } = cause as { message?: string; hint?: string; code?: string };
    const known = code === "bad-value" || code === "version-mismatch" ? code : "bad-reply";
    return new RemoteError(known, `the simulator's reply to ${to}: ${message ?? wordsOf(cause)}`, {
      hint: hint ?? "It does not follow protocol/README.md.",
      cause,
    });
  },

  refused(endpoint: string, denied: boolean, reason: string): RemoteError {
    const message = denied
      ? `${endpoint} does not let this client in (${reason})`
      : `${endpoint} speaks another security mechanism, or is no ZeroMQ socket (${reason})`;
    const hint = denied
      ? "Add this client's public key to the simulator's list of allowed clients."
      : "Use CURVE keys on both sides or on neither, and check the port.";
    return new RemoteError("curve-refused", message, { hint });
  },

  byServer({ code, message, hint, fatal }: Replies["error"]): RemoteError {
    return new RemoteError(code, message, { hint, fatal });
  },

  inFlight(type: string): RemoteError {
    const message = `${type} is still being waited for`;
    const hint = "Await each call before the next.";
    return new RemoteError("call-in-flight", message, { hint, fatal: false });
  },

  closed(): RemoteError {
    const hint = "Connect again.";
    return new RemoteError("closed", "the connection to the simulator was closed", { hint });
  },

  aborted(): RemoteError {
    const hint = "Nothing was flown. Start again when the simulator is there.";
    return new RemoteError("aborted", "stopped while waiting for the simulator", { hint });
  },

  stopped(): RemoteError {
    const hint = "Nothing is kept of a flight that was not whole. Start it again.";
    return new RemoteError("aborted", "stopped before the flight was over", { hint });
  },
};

/** Codes of protocol/README.md §7 that leave the number of their request unused. */
const envelopeCodes: ReadonlySet<string> = new Set([
  "malformed",
  "bad-shared-memory",
  "too-large",
  "unknown-type",
  "version-mismatch",
  "unknown-session",
  "busy",
  "stale-sequence",
  "sequence-gap",
]);

/** Whether an error concerns the message and not what it asked for: its number may be used again. */
export function isEnvelopeCode(code: string): boolean {
  return envelopeCodes.has(code);
}
