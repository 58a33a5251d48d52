import type { Reply } from "../../protocol/messages.ts";

/** A reply without what every reply has. */
export type Answer = Reply extends infer R
  ? R extends Reply
    ? Omit<R, "seq" | "epoch">
    : never
  : never;

/**
 * The reply. A copy with names added makes V8 think up a class of objects each time, which a step can do without.
 */
export function numbered(answer: Answer, seq: number, epoch: string): Reply {
  if (answer.type !== "result" || answer.shared !== undefined || answer.timing === undefined) {
    return { ...answer, seq, epoch } as Reply;
  }
  const { type, log, timing } = answer;
  return log === undefined ? { type, timing, seq, epoch } : { type, log, timing, seq, epoch };
}
