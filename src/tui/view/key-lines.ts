import { rolesOf, type ScreenState } from "../state/screen-state.ts";
import { hasSimulator } from "../state/times.ts";
import { type Key, type Keyboard, keysOf, phaseQuestion } from "../terminal/keys.ts";
import type { Layout } from "./layout.ts";
import { curveNames, worded } from "./names.ts";
import { clip, joined, type Line, span, widthOf } from "./span.ts";

/** The last line: a question, a remark, or the keys. */
export function keyLine(state: ScreenState, board: Keyboard, { columns, roomy }: Layout): Line {
  if (board.asking) {
    const question = `${phaseQuestion(state)}  y yes  any other key no`;
    return clip([span("▲ ", "strong"), span(question, "strong")], columns);
  }
  if (board.remark !== undefined) return clip([span(board.remark, "strong")], columns);
  const keys = keysOf(state, board);
  const long = keyPieces(keys, "name");
  const room = long.reduce((sum, piece) => sum + widthOf(piece) + 2, -2) <= columns;
  return joined(room ? long : keyPieces(keys, "short"), roomy ? "   " : "  ", columns);
}

/** A key that is off is dim, and pressing it says why. */
function keyPieces(keys: readonly Key[], word: "name" | "short"): readonly Line[] {
  return keys.map(({ key, off, ...words }) => {
    const tone = off === undefined ? undefined : "quiet";
    return [span(key, tone ?? "strong"), span(` ${words[word]}`, tone)];
  });
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
  const facts = [...trendFacts(state), ...(hasSimulator(state) ? [stepFact] : [])];
  return [...keys, [span(stop)], ...facts.map((text): Line => [span(text, "quiet")])];
}

const stepFact = "Step p50, p99: percentiles over the mean step times of the last 200 iterations.";

function trendFacts({ run }: ScreenState): readonly string[] {
  const result = rolesOf(run.description).result;
  if (result === undefined) return [];
  const [, whose] = curveNames(result);
  const measure = result.against === undefined ? "its own size" : `the ${whose}'s`;
  return [
    `Student: ${worded(result.label)} of the last 25 evaluations against the 25 before, in shares of`,
    `${measure}: 1 % up is improving, 5 % down is diverging, else it's a plateau.`,
  ];
}
