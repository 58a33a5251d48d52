/** Runs of learners that the screen has no word for: what it shows follows from what they declare. */
import { describe, expect, test } from "vitest";
import type { Metrics, RunEvent } from "../../src/metrics/metric-sink.ts";
import { initialState, type ScreenState } from "../../src/tui/state/screen-state.ts";
import { reduce } from "../../src/tui/state/view-model.ts";
import { keysOf, newKeyboard, press } from "../../src/tui/terminal/keys.ts";
import { summaryText } from "../../src/tui/view/summary.ts";
import { frameOf, replay } from "./replay.ts";
import { rowOf, startEvent, startTime, timeOf } from "./scripted-run.ts";

const path = "/home/ann/logs/td3_bc/2026-10-10_10-10-10";
const offlineStart: RunEvent = {
  ...{ type: "start", iteration: 0, time: startTime, message: "learns from flights", run: path },
  ...{ algorithm: "td3_bc", room: "TD3BC", task: "quadcopter", seed: 7, engine: "tensorflow" },
  headline: [
    { metric: "Loss/critic", label: "Critic loss", scale: "log" },
    { metric: "Eval/student_return", label: "Return", scale: "linear" },
  ],
  stages: [{ name: "offline", label: "learns offline" }],
  dataset: "flights.hdf5, 400 episodes, 160 k steps",
  ...{ max_iterations: 200, updates_per_iteration: 1000 },
};

/** Evaluated in every fifth iteration. */
function offlineRow(i: number): Metrics {
  return {
    "Loss/critic": 40 * Math.exp(-i / 30) + 0.2,
    "Loss/actor": -1.2,
    "Value/mean_q": 80 + i / 10,
    "Perf/read_time": 0.05,
    "Perf/learning_time": 0.45,
    ...(i % 5 === 4 ? { "Eval/student_return": 120 * (1 - Math.exp(-i / 40)) } : {}),
    "TD3BC/current_iteration": i,
    "TD3BC/seconds": (i + 1) * 0.5,
  };
}

function flown(start: RunEvent, row: (i: number) => Metrics, iterations: number): ScreenState {
  let state = reduce(initialState, { kind: "event", event: start });
  for (let i = 0; i < iterations; i += 1) {
    state = reduce(state, { kind: "row", iteration: i, metrics: row(i), time: timeOf(i * 6) });
  }
  return state;
}

function told(state: ScreenState, type: string, details: Record<string, unknown> = {}) {
  const event = { type, iteration: state.iteration ?? 0, time: state.now, message: "", ...details };
  return reduce(state, { kind: "event", event });
}

describe("an offline run", () => {
  const state = flown(offlineStart, offlineRow, 120);

  test("shows its headline, what it reads and learns, and no simulator", async () => {
    await expect(`${frameOf({ state })}\n`).toMatchFileSnapshot("frames/offline-80x24.txt");
    for (const word of ["Simulator", "teacher", "Gate", "Phase"]) {
      expect(frameOf({ state, size: { columns: 120, rows: 40 } })).not.toContain(word);
    }
  });

  test("an evaluation counts until the next one", () => {
    expect(state.latest["Eval/student_return"]).toBe(offlineRow(119)["Eval/student_return"]);
    const after = flown(offlineStart, offlineRow, 122);
    expect(after.latest["Eval/student_return"]).toBeUndefined();
    expect(frameOf({ state: after })).toMatch(/Student {3}return 113\.9 · ▲ improving/);
  });

  test("has no next phase to go to", () => {
    const board = newKeyboard(false);
    expect(keysOf(state, board).map(({ key }) => key)).not.toContain("n");
    expect(press("n", board, state)).toEqual({ board });
  });

  test("its last page has a return without a share, and no environment steps", () => {
    const best = { kind: "best", path: `${path}/best_model.pt` };
    const landed = told(told(state, "checkpoint", best), "landed", {
      ...{ student_return: 118.5, episodes: 100, finished: true },
    });
    expect(
      summaryText(landed, { cwd: "/home/ann" }),
    ).toBe(`✓ landed after 120 of 200 iterations, 00:01:00
Student  return 118.5 over 100 episodes
Best     iteration 119, 118.5 when judged, 113.9 in flight
         logs/td3_bc/2026-10-10_10-10-10/best_model.pt
Run      logs/td3_bc/2026-10-10_10-10-10
Go on    firstsolo train --resume logs/td3_bc/2026-10-10_10-10-10
Judge    firstsolo eval logs/td3_bc/2026-10-10_10-10-10
Export   firstsolo export logs/td3_bc/2026-10-10_10-10-10
`);
  });

  test("whose student no format holds is not told to export it", () => {
    const start: RunEvent = { ...offlineStart, exports: false };
    const best = { kind: "best", path: `${path}/best_model.pt` };
    const landed = told(flown(start, offlineRow, 120), "checkpoint", best);
    expect(summaryText(landed)).toMatch(/^Judge .*$/m);
    expect(summaryText(landed)).not.toContain("Export");
  });
});

describe("a run of three stages in a simulator", () => {
  const stages = ["warm-up", "joint", "frozen-dynamics"];
  const start: RunEvent = {
    ...startEvent({ iterations: 300, switchAt: 0, path: "/runs/wm" }),
    ...{ algorithm: "world_model", room: "WorldModel", teacher: undefined },
    ...{ use_two_stage_training: undefined, phase1_iterations: undefined },
    headline: [{ metric: "Loss/model", label: "Model loss", scale: "log" }],
    stages: stages.map((name) => ({ name, label: name.replace("-", " ") })),
  };
  const row = (i: number): Metrics => {
    const { "Loss/behavior": loss = 0, ...rest } = rowOf(i, { iterations: 300, switchAt: 0, path });
    const stage = Math.min(2, Math.floor(i / 50));
    const ours = Object.entries(rest).filter(([name]) => /^(Perf|Train)/.test(name));
    const place = { "WorldModel/stage_index": stage, "WorldModel/stage_iteration": i - stage * 50 };
    const length = stage < 2 ? 50 : 200;
    const counters = { ...place, "WorldModel/stage_length": length, "WorldModel/seconds": i };
    return { "Loss/model": loss, ...Object.fromEntries(ours), ...counters };
  };
  const enter = (state: ScreenState, index: number, iteration: number) =>
    told(state, "stage", {
      ...{ iteration, message: `${stages[index]} begins` },
      stage: { name: stages[index], index, of: 3, iteration: 0, length: index < 2 ? 50 : 200 },
    });

  test("says which one, when the next comes, and marks each change", async () => {
    let state = enter(reduce(initialState, { kind: "event", event: start }), 0, 0);
    for (let i = 0; i < 70; i += 1) {
      if (i === 50) state = enter(state, 1, 50);
      state = reduce(state, { kind: "row", iteration: i, metrics: row(i), time: timeOf(i) });
    }
    await expect(`${frameOf({ state })}\n`).toMatchFileSnapshot("frames/stages-80x24.txt");
    expect(state.marks.map(({ sign, iteration }) => `${sign}${iteration}`)).toEqual(["▲50"]);
    const last = enter(state, 2, 100);
    expect(frameOf({ state: last })).toContain("✓ the last phase since iteration 100");
    expect(press("n", newKeyboard(false), last).board.remark).toContain("this is the last phase");
    expect(press("n", newKeyboard(false), state).board.asking).toBe(true);
    const asking = { ...newKeyboard(false), asking: true };
    expect(frameOf({ state, board: asking })).toContain("Go on with frozen dynamics now?");
  });
});

describe("what a monitor or a gradient report says", () => {
  const run = { iterations: 300, switchAt: 100, path: "/runs/one" };
  const monitor = (level: string, metric = "Loss/behavior") =>
    told(replay(run, 60), "monitor", {
      ...{ monitor: "rebound", level, metric, message: "7 % up since the change" },
      advice: "a longer phase 1",
    });

  test("is a line with its level and advice, and a mark on the chart of its figure alone", () => {
    const frame = frameOf({ state: monitor("alarm"), size: { columns: 120, rows: 24 } });
    expect(frame).toContain("rebound ‼  7 % up since the change → a longer phase 1");
    const axis = frame.split("\n").find((line) => line.includes("└"))!;
    expect(axis.split("└").map((part) => part.includes("‼"))).toEqual([false, true, false]);
    const elsewhere = frameOf({ state: monitor("warn", "Value/mean_q") });
    expect(
      elsewhere
        .split("\n")
        .find((line) => line.includes("└"))!
        .match(/!/g),
    ).toHaveLength(2);
    expect(monitor("nonsense").marks.at(-1)).toMatchObject({ level: "warn", sign: "!" });
  });

  test("a report with faults is an alarm, one without is none", () => {
    const report = (faults: number) =>
      told(replay(run, 60), "gradient-flow", { faults, message: `${faults} faults`, path: "/x" });
    expect(frameOf({ state: report(2) })).toContain("gradient-flow ‼  2 faults");
    expect(frameOf({ state: report(0) })).toContain("gradient-flow  0 faults");
  });
});

describe("what is waited for", () => {
  const run = { iterations: 300, switchAt: 100, path: "/runs/one" };

  test("is said with how long it takes, before the first iteration and while judging", () => {
    const begun = reduce(initialState, { kind: "event", event: startEvent(run) });
    const later = reduce(begun, { kind: "tick", now: startTime + 3.25 });
    expect(frameOf({ state: later })).toContain("Waiting   for the first iteration · 3.3 s\n");
    const message = "the best student and its teacher, over 200 episodes";
    const judging = told(replay(run, 300), "judging", { message, episodes: 200 });
    const then = reduce(judging, { kind: "tick", now: judging.now + 12 });
    expect(frameOf({ state: then })).toContain(`Judging   ${message} · 12.0 s\n`);
  });

  test("the estimate counts the judging, where its episodes are known", () => {
    const long = (i: number): Metrics => ({ ...rowOf(i, run), "Train/mean_episode_length": 400 });
    const eta = (start: RunEvent) => frameOf({ state: flown(start, long, 60) });
    expect(eta(startEvent(run))).toContain("ETA 00:00:20");
    // 4 episodes of each of 50 environments, and the one that a reset began: 2000 steps of 1.9 ms.
    expect(eta({ ...startEvent(run), final_episodes: 200 })).toContain("ETA 00:00:24");
    const judging = told(flown(startEvent(run), long, 300), "judging", { episodes: 200 });
    expect(frameOf({ state: judging })).toMatch(/Judging.*0\.0 s of about 3\.[678] s/);
  });
});

test("a distance stands where a share of the teacher says nothing", () => {
  const metrics = { "Eval/student_return": -20, "Eval/teacher_return": -10 };
  const state = reduce(initialState, { kind: "row", iteration: 0, metrics, time: 1 });
  expect(frameOf({ state })).toContain("Student   10.00 below its teacher · … too early to say");
  expect(summaryText(state)).toContain("return -20.00 against -10.00, 10.00 below its teacher");
});

test("the last page has one truth: the final figure, with the one in flight beside it", () => {
  const run = { iterations: 300, switchAt: 100, path: "/runs/one" };
  const best = { kind: "best", path: "/runs/one/best_model.pt" };
  const judged = { student_return: 123.4, teacher_return: 124.9, episodes: 200, finished: true };
  const landed = told(told(replay(run, 300), "checkpoint", best), "landed", judged);
  expect(summaryText(landed)).toContain(
    `Student  return 123.4 against 124.9, 98.8 % of its teacher over 200 episodes
Best     iteration 299, 98.8 % when judged, 98.8 % in flight
`,
  );
});

test("a message that doesn't fit never ends inside a path", () => {
  const message = "go on with: firstsolo train --resume /home/ann/logs/rsl_rl/a/very/long/path";
  const frame = frameOf({ state: told(initialState, "landed", { message }) });
  expect(frame).toContain("landed  go on with: firstsolo train --resume …");
  expect(frame).not.toContain("/home");
});
