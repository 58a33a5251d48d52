import type { Reply, Request } from "../../protocol/messages.ts";

/** The requests that have a place in the order. */
export type Asked = Exclude<Request, { type: "ping" }>;
/** A request before it has its number. */
export type Question = Asked extends infer R
  ? R extends Asked
    ? Omit<R, "seq" | "session">
    : never
  : never;

/** The reply each request gets when all is well. */
export const answers = {
  hello: "welcome",
  reset: "frame",
  step: "result",
  snapshot: "state",
  restore: "frame",
  close: "closed",
} as const satisfies Record<Asked["type"], Reply["type"]>;
