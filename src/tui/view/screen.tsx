import { stripVTControlCharacters } from "node:util";
import { Box, Text } from "ink";
import { createElement, memo, type ReactElement } from "react";
import { drawChart, type IterationRange, iterationRange } from "../chart/chart.ts";
import { type Mark, printable, type ScreenState } from "../state/view-model.ts";
import type { Keyboard } from "../terminal/keys.ts";
import { helpLines, keyLine } from "./key-lines.ts";
import { type Layout, layoutOf, type Size } from "./layout.ts";
import { clip, fitText, type Line, span, spread, type Tone } from "./span.ts";
import {
  eventLines,
  gateLine,
  headerLine,
  healthLine,
  progressLine,
  studentLine,
  timeLines,
} from "./status-lines.ts";

export interface ScreenProps {
  readonly state: ScreenState;
  readonly board: Keyboard;
  readonly size: Size;
  /** Share of the wall time that drawing took. */
  readonly cost: number;
  /** The simulator's latest lines. */
  readonly log: readonly string[];
  /** Without it, signs and words are all there is: NO_COLOR. */
  readonly colour: boolean;
}

/** The whole frame: never wider than the terminal, at least one row lower. */
export function Screen({ state, board, size, cost, log, colour }: ScreenProps): ReactElement {
  const layout = layoutOf(size);
  if (layout.cramped) return <Lines lines={crampedLines(state, board, layout)} colour={colour} />;
  const above = [headerLine, progressLine, gateLine, studentLine].map((view) =>
    view(state, layout),
  );
  const below = [...timeLines(state, cost, layout), healthLine(state, layout)];
  const keys = keyLine(state, board, layout);
  return (
    <Box flexDirection="column" width={layout.columns}>
      <Lines lines={above} colour={colour} />
      <Gap rows={layout.gap} />
      {board.overlay === "none" ? (
        <Charts {...chartProps(state)} layout={layout} colour={colour} />
      ) : (
        <Lines lines={overlayLines(state, board, log, layout)} colour={colour} />
      )}
      <Gap rows={layout.gap} />
      <Lines lines={below} colour={colour} />
      <Gap rows={layout.gap} />
      <Lines lines={[...eventLines(state, layout), keys]} colour={colour} />
    </Box>
  );
}

function chartProps({ loss, student, teacher, marks }: ScreenState) {
  return { loss, student, teacher, marks };
}

interface ChartsProps extends ReturnType<typeof chartProps> {
  readonly layout: Layout;
  readonly colour: boolean;
}

/** Loss at the left, returns at the right. While a run is paused nothing of it is computed again. */
const Charts = memo(
  ({ loss, student, teacher, marks, layout, colour }: ChartsProps): ReactElement => {
    const [left, right] = layout.chartWidths;
    const common = {
      height: layout.charts - 1,
      marks,
      range: iterationRange([loss, student, teacher]),
    };
    const losses = [{ series: loss, tone: "student" as const }];
    const returns = [
      { series: teacher, tone: "teacher" as const, dotted: true },
      { series: student, tone: "student" as const },
    ];
    const lossChart = drawChart({ ...common, width: left, scale: "log", curves: losses });
    const returnChart = drawChart({ ...common, width: right, scale: "linear", curves: returns });
    return (
      <Box columnGap={2}>
        <Lines lines={[lossTitle(common.range, left), ...lossChart]} colour={colour} />
        <Lines lines={[returnTitle(right), ...returnChart]} colour={colour} />
      </Box>
    );
  },
  sameCharts,
);

function sameCharts(before: ChartsProps, after: ChartsProps): boolean {
  return (
    before.loss === after.loss &&
    before.student === after.student &&
    before.teacher === after.teacher &&
    sameMarks(before.marks, after.marks) &&
    before.colour === after.colour &&
    before.layout.charts === after.layout.charts &&
    before.layout.columns === after.layout.columns
  );
}

function sameMarks(before: readonly Mark[], after: readonly Mark[]): boolean {
  return before === after || (before.length === 0 && after.length === 0);
}

function lossTitle(range: IterationRange | undefined, width: number): Line {
  const long = width >= 38 ? "iterations " : "";
  const right = range ? `${long}${range[0]}–${range[1]}` : "nothing yet";
  return spread(
    [span(" ".repeat(8)), span("Loss"), span(" (log)", "quiet")],
    [span(right, "quiet")],
    width,
  );
}

function returnTitle(width: number): Line {
  const names = [span("─ student", "student"), span(" "), span("┄ teacher", "teacher")];
  const indent = Math.max(0, Math.min(8, width - 26));
  return clip([span(" ".repeat(indent)), span("Return "), ...names], width);
}

function overlayLines(
  state: ScreenState,
  board: Keyboard,
  log: readonly string[],
  layout: Layout,
): readonly Line[] {
  const rows = layout.charts;
  const lines = board.overlay === "help" ? helpLines(state, board) : logLines(log, rows, layout);
  const shown = lines.slice(0, rows).map((line) => clip(line, layout.columns));
  return [...shown, ...Array.from({ length: rows - shown.length }, (): Line => [])];
}

function logLines(log: readonly string[], rows: number, { columns }: Layout): readonly Line[] {
  const title: Line = [span("Simulator's log", "strong"), span("  l or Esc: back", "quiet")];
  if (log.length === 0) return [title, [span("  It has printed nothing.", "quiet")]];
  return [
    title,
    ...log.slice(1 - rows).map((text): Line => [span(fitText(readable(text), columns))]),
  ];
}

function readable(text: string): string {
  return printable(stripVTControlCharacters(text));
}

/** What fits a terminal of any size, the most important first. */
function crampedLines(state: ScreenState, board: Keyboard, layout: Layout): readonly Line[] {
  const lines = [
    progressLine(state, layout),
    studentLine(state, layout),
    keyLine(state, board, layout),
    healthLine(state, layout),
    gateLine(state, layout),
  ];
  return lines.slice(0, layout.rows).map((line) => clip(line, layout.columns));
}

function Gap({ rows }: { readonly rows: number }): ReactElement | null {
  return rows > 0 ? <Text> </Text> : null;
}

interface LinesProps {
  readonly lines: readonly Line[];
  readonly colour: boolean;
}

/** One text with all lines: a node for each would cost three times as much. */
function Lines({ lines, colour }: LinesProps): ReactElement {
  const parts = lines.flatMap((line, i) => {
    const spans = line.length === 0 ? [span(" ")] : line;
    const texts = spans.map((piece) => painted(piece.text, piece.tone, colour));
    return i === 0 ? texts : ["\n", ...texts];
  });
  return createElement(
    Box,
    { flexShrink: 0 },
    createElement(Text, { wrap: "truncate-end" }, ...parts),
  );
}

/** Blue for the student and what is well, orange for the teacher and what is not: both can be told apart by everybody. */
const paints: Readonly<Record<Tone, Record<string, string | boolean>>> = {
  student: { color: "ansi256(75)" },
  teacher: { color: "ansi256(214)" },
  good: { color: "ansi256(75)", bold: true },
  bad: { color: "ansi256(208)", bold: true },
  quiet: { dimColor: true },
  strong: { bold: true },
};

function painted(text: string, tone: Tone | undefined, colour: boolean) {
  if (tone === undefined || text === "") return text;
  const { color, ...style } = paints[tone];
  return createElement(Text, colour && color ? { ...style, color } : style, text);
}
