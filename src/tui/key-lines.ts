import { type Keyboard, keysOf } from "./keys.ts";
import type { Layout } from "./layout.ts";
import { clip, joined, type Line, span } from "./span.ts";
import type { ScreenState } from "./view-model.ts";

/** The last line: a question, a remark, or the keys. */
export function keyLine(state: ScreenState, board: Keyboard, { columns, roomy }: Layout): Line {
  if (board.asking) {
    const question = "Hand the controls to the student now?  y yes  any other key no";
    return clip([span("▲ ", "strong"), span(question, "strong")], columns);
  }
  if (board.remark !== undefined) return clip([span(board.remark, "strong")], columns);
  const keys = keysOf(state, board).map(({ key, name, short, off }): Line => {
    const tone = off === undefined ? undefined : "quiet";
    return [
      span(key, off === undefined ? "strong" : "quiet"),
      span(` ${roomy ? name : short}`, tone),
    ];
  });
  return joined(keys, roomy ? "   " : "  ", columns);
}

/** What `?` shows in place of the charts. */
export function helpLines(state: ScreenState, board: Keyboard): readonly Line[] {
  const keys = keysOf(state, board).map(({ key, help, off }): Line => {
    const why = off === undefined ? [] : [span(`  (off: ${off})`, "quiet")];
    return [span(`  ${key}  `, "strong"), span(help), ...why];
  });
  const stop = board.watching
    ? "  Ctrl-C  leave the watcher; the run goes on"
    : "  Ctrl-C  checkpoint and stop after this step; a second one stops at once";
  const facts = [
    "The student's word compares its mean return over the last 25 evaluated iterations with the 25 before,",
    "in shares of its teacher's: up by 1 % ▲ improving, down by 5 % ▼ diverging, else ● plateau.",
    "Step p50 and p99 are percentiles of the mean step time of each of the last 200 iterations.",
  ];
  return [...keys, [span(stop)], [], ...facts.map((text): Line => [span(text, "quiet")])];
}
