import { decodeHeader, type RawMessage } from "../../protocol/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Taped, TapeReader } from "./tape.ts";

/** A request on a tape and the reply that settled it; none where the tape ends before, or the simulator died. */
export interface Exchange {
  readonly type: string;
  readonly request: Taped;
  readonly reply?: Taped;
}

/** What one client asked from its `hello` on, in order; repetitions and pings left out. */
export type Session = readonly Exchange[];

/** A message that can't be read settles nothing: what was recorded may be the fault itself. */
export function sessionsOf(tape: TapeReader): readonly Session[] {
  const sessions: Exchange[][] = [];
  let asked: { seq: unknown; type: string; request: Taped } | undefined;
  const settle = (reply?: Taped) => {
    if (asked === undefined) return;
    if (asked.type === "hello") sessions.push([]);
    const { type, request } = asked;
    sessions.at(-1)?.push(reply === undefined ? { type, request } : { type, request, reply });
    asked = undefined;
  };
  for (const message of tape.messages) {
    const { type, seq } = headerOf(tape.header(message));
    if (message.direction === "out") {
      if (type === "ping" || seq === asked?.seq) continue;
      settle();
      asked = { seq, type: typeof type === "string" ? type : "", request: message };
    } else if (seq === asked?.seq && type !== "progress" && type !== "pong") settle(message);
  }
  settle();
  return sessions;
}

function headerOf(packed: Uint8Array): { readonly type?: unknown; readonly seq?: unknown } {
  try {
    return decodeHeader(packed);
  } catch (error) {
    if (error instanceof ProtocolError) return {};
    throw error;
  }
}

/** Differs from run to run without a meaning. */
const own = new Set(["seq", "session", "client", "run", "capabilities"]);

/**
 * The first thing in which a request is another than the recorded one, e.g. `actions[12] is 0.31, recorded was
 * 0.3`; undefined where they are the same.
 */
export function difference(now: RawMessage, before: RawMessage): string | undefined {
  const keys = new Set([...Object.keys(now.header), ...Object.keys(before.header)]);
  for (const key of keys) {
    const [is, was] = [JSON.stringify(now.header[key]), JSON.stringify(before.header[key])];
    if (!own.has(key) && is !== was)
      return `${key} is ${is ?? "not there"}, recorded was ${was ?? "nothing"}`;
  }
  const names = new Set([...Object.keys(now.tensors), ...Object.keys(before.tensors)]);
  for (const name of names) {
    const [is, was] = [now.tensors[name]?.data, before.tensors[name]?.data];
    if (is === undefined || was === undefined) return `${name} is ${is ? "new" : "missing"}`;
    if (is.length !== was.length)
      return `${name} has ${is.length} values, recorded were ${was.length}`;
    const at = is.findIndex((value, i) => !Object.is(value, was[i]));
    if (at >= 0) return `${name}[${at}] is ${is[at]}, recorded was ${was[at]}`;
  }
  return undefined;
}
