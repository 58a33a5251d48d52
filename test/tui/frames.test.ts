import { Text } from "ink";
import { createElement } from "react";
import { expect, test } from "vitest";
import { initialState, type ScreenState } from "../../src/tui/state/screen-state.ts";
import { reduce } from "../../src/tui/state/view-model.ts";
import { InkFrames } from "../../src/tui/terminal/ink-frames.ts";
import { newKeyboard } from "../../src/tui/terminal/keys.ts";
import { columnsOf } from "../../src/tui/view/span.ts";
import { summaryText } from "../../src/tui/view/summary.ts";
import fc from "../properties.ts";
import { frameOf, replay } from "./replay.ts";

const run = {
  iterations: 300,
  switchAt: 100,
  path: "/home/ann/logs/rsl_rl/quad/2026-10-10_10-10-10",
};

function told(
  state: ScreenState,
  type: string,
  details: Record<string, unknown> = {},
): ScreenState {
  const event = { type, iteration: state.iteration ?? 0, time: state.now, message: "", ...details };
  return reduce(state, { kind: "event", event });
}

const paused = told(replay(run, 152), "request", {
  request: "pause",
  outcome: "done",
  message: "pause (key p): done",
});
const landed = told(
  told(replay(run, 300), "checkpoint", { kind: "best", path: `${run.path}/best_model.pt` }),
  "landed",
  { student_return: 123.4, teacher_return: 124.9, episodes: 200, finished: true },
);

const frames: readonly (readonly [
  name: string,
  state: ScreenState,
  columns: number,
  rows: number,
])[] = [
  ["first-second", told(initialState, "waiting", { message: "waiting for tcp://x:1" }), 80, 24],
  ["phase-1", replay(run, 60), 80, 24],
  ["switch", replay(run, 104), 120, 40],
  ["phase-2", replay(run, 250), 60, 16],
  ["paused", paused, 80, 24],
  ["landed", landed, 200, 50],
];

for (const [name, state, columns, rows] of frames) {
  test(`${name} at ${columns}×${rows}`, async () => {
    const frame = frameOf({ state, size: { columns, rows } });
    await expect(`${frame}\n`).toMatchFileSnapshot(`frames/${name}-${columns}x${rows}.txt`);
  });
}

test("help and the simulator's log take the place of the charts", async () => {
  const state = replay(run, 60);
  const help = frameOf({ state, board: { ...newKeyboard(true), overlay: "help" } });
  await expect(`${help}\n`).toMatchFileSnapshot("frames/help-80x24.txt");
  const log = ["\u001b[31mGPU hot\u001b[0m\u0007", "line two"];
  const frame = frameOf({ state, log, board: { ...newKeyboard(false), overlay: "log" } });
  expect(frame).toContain("\nGPU hot\\x07\nline two\n");
});

test("no frame is wider than its terminal, or as tall", () => {
  const sizes = fc.record({
    columns: fc.integer({ min: 1, max: 220 }),
    rows: fc.integer({ min: 1, max: 70 }),
  });
  const states = fc.constantFrom(initialState, paused, landed, replay(run, 22));
  const overlays = fc.constantFrom("none" as const, "help" as const, "log" as const);
  fc.assert(
    fc.property(sizes, states, overlays, (size, state, overlay) => {
      const log = Array.from({ length: 100 }, (_, i) => `日本語 ${"x".repeat(i * 3)}`);
      const lines = frameOf({ state, size, log, board: { ...newKeyboard(false), overlay } }).split(
        "\n",
      );
      expect(lines.length).toBeLessThanOrEqual(Math.max(1, size.rows - 1));
      for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(size.columns);
    }),
    { numRuns: 60 },
  );
});

test("what a frame says in colour it says in signs and words too", () => {
  const shown = frameOf({ state: landed, size: { columns: 120, rows: 30 } });
  for (const word of ["✓ landed", "─ student", "┄ teacher", "student flies"])
    expect(shown).toContain(word);
});

test("the summary says how it went, where it is, and how to go on", () => {
  const cut = told(replay(run, 152), "checkpoint", {
    kind: "asked",
    path: `${run.path}/model_151.pt`,
  });
  const text = summaryText(cut, { wandbFolder: "/home/ann/my run/wandb/x" });
  expect(text).toBe(`● stopped after 152 of 300 iterations, 00:00:12, 365 k environment steps
Student  return 114.5 against 125.4, 91.3 % of its teacher, in flight
Last     ${run.path}/model_151.pt
Run      ${run.path}
Go on    firstsolo train --resume ${run.path}
Judge    firstsolo eval ${run.path}
Export   firstsolo export ${run.path}
W&B      wandb sync '/home/ann/my run/wandb/x'
`);
  expect(summaryText(cut, { cwd: "/home/ann" })).toContain("--resume logs/rsl_rl/quad/2026");
  expect(summaryText(landed)).toContain("✓ landed after 300 of 300 iterations");
  expect(summaryText(landed)).toContain("98.8 % of its teacher over 200 episodes");
  expect(summaryText(landed)).not.toContain("Go on");
  expect(summaryText(cut, { watching: true })).toContain("● in progress after 152");
});

function Broken(): never {
  throw new Error("broken view");
}

test("a view that throws is reported, and throws at nobody", () => {
  const errors: string[] = [];
  let gone = 0;
  const frames = new InkFrames({
    stdin: process.stdin,
    onError: ({ message }) => errors.push(message),
    onGone: () => {
      gone += 1;
    },
  });
  const size = { columns: 80, rows: 24 };
  expect(frames.render(createElement(Text, null, "fine"), size)).toEqual(["fine"]);
  frames.render(createElement(Broken), size);
  expect(errors).toEqual(["broken view"]);
  frames.close();
  expect(gone).toBe(1);
});
