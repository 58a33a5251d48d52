import { printable } from "../../metrics/printable.ts";

/** How bad it is, by whoever raised an event; `note` and `hint` of a monitor are information. */
export type Level = "info" | "warn" | "alarm";

/** Where a stage began, somebody asked for something, or a monitor spoke. */
export interface Mark {
  readonly iteration: number;
  readonly kind: "switch" | "request" | "monitor";
  /** One letter, as the key that asks for it; ▲ where a stage was reached, ▼ where one was left for an earlier one. */
  readonly sign: string;
  /** Of a monitor. */
  readonly level?: Level;
  /** The figure that a monitor is about: its chart has the mark. */
  readonly metric?: string;
}

export const mostMarks = 64;

const levelSigns: Readonly<Record<Level, string>> = { info: "i", warn: "!", alarm: "‼" };

export function monitorMark(iteration: number, level: Level, metric: unknown): Mark {
  const mark = { iteration, kind: "monitor" as const, sign: levelSigns[level], level };
  return typeof metric === "string" ? { ...mark, metric: metric.slice(0, 200) } : mark;
}

export function requestMark(iteration: number, request: string): Mark {
  return { iteration, kind: "request", sign: printable(request.slice(0, 1)).slice(0, 1) || "?" };
}

/** The marks with one more; of too many the oldest goes that is no change of stage. */
export function withMark(marks: readonly Mark[], added: Mark): readonly Mark[] {
  const all = [...marks, added];
  if (all.length <= mostMarks) return all;
  const drop = all.findIndex(({ kind }) => kind !== "switch");
  return drop >= 0 ? all.toSpliced(drop, 1) : all.slice(-mostMarks);
}
