import { Box, Text } from "ink";
import type { ReactElement } from "react";
import { printable, withoutColours } from "../../metrics/printable.ts";
import type { ScreenState } from "../state/screen-state.ts";
import type { Keyboard } from "../terminal/keys.ts";
import { Charts } from "./charts.tsx";
import { eventLines, healthLine, timeLines } from "./engine-room-lines.ts";
import { helpLines, keyLine } from "./key-lines.ts";
import { type Layout, layoutOf, type Size } from "./layout.ts";
import { Lines } from "./lines.tsx";
import { clip, fitText, type Line, span } from "./span.ts";
import { gateLines, headerLine, progressLine, studentLine } from "./status-lines.ts";

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
  const planned = layoutOf(size);
  if (planned.cramped) {
    return <Lines lines={crampedLines(state, board, planned)} colour={colour} />;
  }
  const gates = gateLines(state, planned);
  // A run without a gate gives its row to the charts.
  const layout = { ...planned, charts: planned.charts + 1 - gates.length };
  const above = [
    headerLine(state, layout),
    progressLine(state, layout),
    ...gates,
    studentLine(state, layout),
  ];
  const below = [...timeLines(state, cost, layout), healthLine(state, layout)];
  const keys = keyLine(state, board, layout);
  return (
    <Box flexDirection="column" width={layout.columns}>
      <Lines lines={above} colour={colour} />
      <Gap rows={layout.gap} />
      {board.overlay === "none" ? (
        <Charts
          curves={state.curves}
          description={state.run.description}
          marks={state.marks}
          layout={layout}
          colour={colour}
        />
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
    ...log
      .slice(1 - rows)
      .map((text): Line => [span(fitText(printable(withoutColours(text)), columns))]),
  ];
}

/** What fits a terminal of any size, the most important first. */
function crampedLines(state: ScreenState, board: Keyboard, layout: Layout): readonly Line[] {
  const lines = [
    progressLine(state, layout),
    studentLine(state, layout),
    keyLine(state, board, layout),
    healthLine(state, layout),
    ...gateLines(state, layout),
  ];
  return lines.slice(0, layout.rows).map((line) => clip(line, layout.columns));
}

function Gap({ rows }: { readonly rows: number }): ReactElement | null {
  return rows > 0 ? <Text> </Text> : null;
}
