import { renderToString } from "ink";
import { type ComponentProps, createElement } from "react";
import { initialState, type ScreenState } from "../../src/tui/state/screen-state.ts";
import { reduce } from "../../src/tui/state/view-model.ts";
import { newKeyboard } from "../../src/tui/terminal/keys.ts";
import { Screen } from "../../src/tui/view/screen.tsx";
import { summaryText } from "../../src/tui/view/summary.ts";
import { rowOf, type ScriptedRun, startEvent, timeOf } from "./scripted-run.ts";

/** The state after so many iterations of a scripted run, with its events. */
export function replay(run: ScriptedRun, iterations: number): ScreenState {
  let state = reduce(initialState, { kind: "event", event: startEvent(run) });
  for (let i = 0; i < iterations; i += 1) {
    const time = timeOf(i);
    if (i === run.switchAt) {
      const event = {
        type: "phase-switch",
        iteration: i,
        time,
        phase: 2,
        message: "student flies",
      };
      state = reduce(state, { kind: "event", event });
    }
    state = reduce(state, { kind: "row", iteration: i, metrics: rowOf(i, run), time });
  }
  return state;
}

type Shown = Partial<ComponentProps<typeof Screen>> & { readonly state: ScreenState };

/** A frame without colours, its lines without the spaces at their ends. */
export function frameOf({ size = { columns: 80, rows: 24 }, ...rest }: Shown): string {
  const calm = { board: newKeyboard(false), cost: 0.0061, log: [], colour: false };
  const frame = renderToString(createElement(Screen, { ...calm, ...rest, size }), size);
  return frame
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Everything a person can see of a state. */
export function summaryOf(state: ScreenState): string {
  return frameOf({ state }) + summaryText(state);
}
