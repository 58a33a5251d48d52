import { times } from "../../protocol/limits.ts";
import type { Request, Requests } from "../../protocol/messages.ts";
import { ServeError } from "./serve-error.ts";

type Frames = readonly Uint8Array[];

/** What to do with a request: carry it out, send a kept reply again, say that it is being worked on, refuse it. */
export type Verdict =
  | { readonly kind: "run" }
  | { readonly kind: "replay"; readonly reply: Frames }
  | { readonly kind: "working" }
  | { readonly kind: "refuse"; readonly error: ServeError };

type Opening = Pick<Requests["hello"], "session" | "seq" | "run">;

interface Session {
  readonly id: string;
  /** The run it belongs to, if it said. */
  readonly run: string | undefined;
  lastSeq: number;
  lastReply: Frames;
  /** Sequence number of the request being worked on. */
  working: number | undefined;
  heard: number;
}

const run: Verdict = { kind: "run" };

/**
 * Who drives, and which requests were already carried out: at most one session, at most one request at a time,
 * none twice. Knows nothing of sockets or simulators; `now` is in seconds.
 */
export class SessionOrder {
  #session: Session | undefined;

  judge(request: Exclude<Request, { type: "ping" }>, now: number): Verdict {
    if (request.type === "hello") return this.#judgeHello(request, now);
    if (request.type === "close") return run;
    const session = this.#session;
    if (session?.id !== request.session) return refuse(unknownSession(request.session));
    session.heard = now;
    return judgeSeq(session, request.seq);
  }

  isDriver(id: string): boolean {
    return this.#session?.id === id;
  }

  /** A ping or any other sign of life. */
  hear(id: string | undefined, now: number): void {
    if (this.#session !== undefined && this.#session.id === id) this.#session.heard = now;
  }

  /** A new driver, whose `hello` is now being worked on. */
  open({ session: id, seq, run }: Opening, now: number): void {
    this.#session = { id, run, lastSeq: seq - 1, lastReply: [], working: seq, heard: now };
  }

  begin(seq: number): void {
    if (this.#session !== undefined) this.#session.working = seq;
  }

  /** Keeps the reply so that the same request gets the same bytes again. False when the driver has left meanwhile. */
  finish(id: string, seq: number, reply: Frames, now: number): boolean {
    const session = this.#session;
    if (session?.id !== id || session.working !== seq) return false;
    session.working = undefined;
    session.lastSeq = seq;
    session.lastReply = reply;
    session.heard = now;
    return true;
  }

  free(id: string): void {
    if (this.#session?.id === id) this.#session = undefined;
  }

  #judgeHello({ session: id, seq, run: name }: Opening, now: number): Verdict {
    const session = this.#session;
    if (session === undefined) return run;
    if (session.id === id) {
      session.heard = now;
      return judgeSeq(session, seq) === run
        ? refuse(sequenceGap(session, seq))
        : judgeSeq(session, seq);
    }
    // The same run again: whoever drove it was killed, and this one goes on with it.
    if (name !== undefined && session.run === name) return run;
    const silence = now - session.heard;
    if (session.working === undefined && silence > times.sessionSilence) return run;
    return refuse(
      new ServeError("busy", `another session drives; it was heard ${silence.toFixed(0)} s ago`, {
        hint: `Wait until it closes or has been silent for ${times.sessionSilence} s.`,
        retryable: true,
      }),
    );
  }
}

function judgeSeq(session: Session, seq: number): Verdict {
  if (session.working === seq) return { kind: "working" };
  if (session.working === undefined && seq === session.lastSeq) {
    return { kind: "replay", reply: session.lastReply };
  }
  if (seq <= session.lastSeq) {
    const message = `seq ${seq} was answered long ago; the last one was ${session.lastSeq}`;
    const hint = "Only the last request may be repeated.";
    return refuse(new ServeError("stale-sequence", message, { hint }));
  }
  if (session.working !== undefined || seq > session.lastSeq + 1) {
    return refuse(sequenceGap(session, seq));
  }
  return run;
}

function sequenceGap(session: Session, seq: number): ServeError {
  const state = session.working === undefined ? "" : `, seq ${session.working} is being worked on`;
  const message = `seq ${seq} came after ${session.lastSeq}${state}`;
  const hint = "Send one request at a time, each with a seq one higher than the one before.";
  return new ServeError("sequence-gap", message, { hint });
}

function unknownSession(id: string): ServeError {
  return new ServeError("unknown-session", `the session ${id} is not the one that drives`, {
    hint: "The simulator was restarted, or another session took over: start again with hello.",
    fatal: true,
  });
}

function refuse(error: ServeError): Verdict {
  return { kind: "refuse", error };
}
