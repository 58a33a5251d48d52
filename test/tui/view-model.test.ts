import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../src/metrics/metric-sink.ts";
import { mostEvents } from "../../src/tui/state/happenings.ts";
import { mostMarks } from "../../src/tui/state/marks.ts";
import { gateOf, progressOf, studentOf } from "../../src/tui/state/readings.ts";
import { initialState, type ScreenState } from "../../src/tui/state/screen-state.ts";
import { healthOf, timeSplit } from "../../src/tui/state/times.ts";
import { type Action, mostRecent, reduce } from "../../src/tui/state/view-model.ts";
import fc from "../properties.ts";
import { frameOf, replay, summaryOf } from "./replay.ts";
import { rowOf, startEvent, startTime, timeOf } from "./scripted-run.ts";

const run = { iterations: 300, switchAt: 100, path: "/runs/one" };

const anything = fc.anything({ maxDepth: 2, withObjectString: true, withNullPrototype: true });
const types = [
  "start",
  "phase-switch",
  "checkpoint",
  "request",
  "monitor",
  "stage",
  "gradient-flow",
];
const names = [...Object.keys(rowOf(50, run)), "Episode/x", "__proto__", "constructor"];
const wildEvent = fc
  .dictionary(fc.constantFrom(...Object.keys(startEvent(run)), "request", "kind", "gate"), anything)
  .chain((details) =>
    fc.record({
      type: fc.oneof(fc.constantFrom(...types, "simulator-lost", "landed", "failed"), anything),
      iteration: anything,
      time: fc.oneof(fc.double(), anything),
      message: fc.oneof(fc.string(), anything),
      rest: fc.constant(details),
    }),
  )
  .map(({ rest, ...event }) => ({ ...rest, ...event }) as unknown as RunEvent);
const wildAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("row" as const),
    iteration: fc.oneof(fc.nat(50), fc.double(), fc.integer()),
    metrics: fc.dictionary(fc.constantFrom(...names), fc.double()),
    time: fc.double(),
  }),
  fc.record({ kind: fc.constant("event" as const), event: wildEvent }),
  fc.record({ kind: fc.constant("tick" as const), now: fc.double() }),
  fc.record({ kind: fc.constant("presence" as const), flying: fc.boolean() }),
);

describe("whatever the files hold", () => {
  test("rows and events in any order, with any content, never throw, and are shown", () => {
    fc.assert(
      fc.property(fc.array(wildAction, { maxLength: 60 }), (actions) => {
        const state = actions.reduce(reduce, initialState);
        expect(summaryOf(state).length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  test("the state before is never changed", () => {
    fc.assert(
      fc.property(fc.array(wildAction, { maxLength: 20 }), wildAction, (actions, last) => {
        const before = actions.reduce(reduce, initialState);
        const shown = summaryOf(before);
        reduce(before, last);
        expect(summaryOf(before)).toBe(shown);
      }),
      { numRuns: 40 },
    );
  });

  test("memory is bounded over 20,000 iterations with as many events", () => {
    let state = initialState;
    for (let i = 0; i < 20_000; i += 1) {
      state = reduce(state, { kind: "row", iteration: i, metrics: rowOf(i, run), time: i });
      const event = { type: "request", iteration: i, time: i, request: "pause", outcome: "done" };
      state = reduce(state, { kind: "event", event: { ...event, message: "x".repeat(5000) } });
    }
    expect(state.recent.length).toBe(mostRecent);
    expect(state.events.length).toBe(mostEvents);
    expect(state.marks.length).toBe(mostMarks);
    expect(JSON.stringify(state).length).toBeLessThan(500_000);
  });

  test("control codes of a message don't reach the terminal", () => {
    const event = { type: "notice", iteration: 1, time: 1, message: "a\u001b[2Jb\r\nc" };
    const state = reduce(initialState, { kind: "event", event });
    expect(state.events[0]!.message).toBe("a\\x1b[2Jb c");
  });
});

describe("what can be read off a run", () => {
  test("progress, estimate and gate in phase 1", () => {
    const state = replay(run, 60);
    const { done, total, share, changes, remaining } = progressOf(state);
    expect({ done, total, share, changes }).toEqual({
      done: 60,
      total: 300,
      share: 0.2,
      changes: [1 / 3],
    });
    expect(remaining).toBeCloseTo(240 * 0.085, 6);
    expect(gateOf(state)).toMatchObject({ iterations: 40, wanted: undefined });
  });

  test("after an early switch the bar shows where it happened, and there is no gate", () => {
    let state = replay(run, 60);
    const event = { type: "phase-switch", iteration: 60, time: startTime, phase: 2, message: "" };
    state = reduce(state, { kind: "event", event });
    expect(progressOf(state).changes).toEqual([0.2]);
    expect(gateOf(state)).toBeUndefined();
  });

  test("a guard that takes the controls back shows on the bar, the gate and the charts", () => {
    const event = {
      type: "phase-resumed",
      iteration: 150,
      time: timeOf(150),
      message: "collapsed",
    };
    let state = reduce(replay(run, 150), { kind: "event", event });
    expect(state.stage.index).toBe(0);
    expect(state.marks.map(({ sign, iteration }) => `${sign}${iteration}`)).toEqual([
      "▲100",
      "▼150",
    ]);
    const counters = { "Distillation/phase_iteration": 0, "Distillation/phase_length": 20 };
    const metrics = { ...rowOf(150, run), "Distillation/training_phase": 1, ...counters };
    state = reduce(state, { kind: "row", iteration: 150, metrics, time: timeOf(150) });
    expect(progressOf(state).changes).toEqual([170 / 300]);
    expect(gateOf(state)?.iterations).toBe(19);
  });

  test("where both fly, the share of each is said", () => {
    const metrics = { ...rowOf(150, run), "Distillation/teacher_share": 0.25 };
    const state = reduce(replay(run, 150), { kind: "row", iteration: 150, metrics, time: 1 });
    expect(frameOf({ state })).toContain("teacher flies 25 %");
    expect(frameOf({ state })).toContain("the student flies 75 % of the episodes");
  });

  test("a schedule's share is said at its ends too, and no phase is spoken of", () => {
    const start = { type: "start", iteration: 0, time: 1, message: "", ...run };
    const schedule = { use_two_stage_training: true, teacher_share_schedule: "constant" };
    const begun = reduce(initialState, { kind: "event", event: { ...start, ...schedule } });
    for (const share of [0, 1]) {
      const metrics = { "Distillation/training_phase": 2, "Distillation/teacher_share": share };
      const state = reduce(begun, { kind: "row", iteration: 150, metrics, time: 2 });
      const frame = frameOf({ state });
      expect(frame).toContain(`teacher flies ${100 * share} %`);
      expect(frame).toContain(`the student flies ${100 - 100 * share} % of the episodes`);
      expect(frame).not.toContain("2/2");
    }
  });

  test("the parts of an iteration add up to it", () => {
    const split = timeSplit(replay(run, 60));
    expect(split.map(({ name }) => name)).toEqual([
      "simulator",
      "wire",
      "inference",
      "learning",
      "other",
    ]);
    expect(split.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  test("real-time factor is simulated over real seconds of all environments", () => {
    const { realTimeFactor, stepsPerSecond, p50, p99, silence } = healthOf(replay(run, 60));
    expect(stepsPerSecond).toBeCloseTo(2400 / 0.085, 3);
    expect(realTimeFactor).toBeCloseTo((2400 * 0.02) / 0.085, 6);
    expect(p50).toBeGreaterThan(0.0013);
    expect(p99!).toBeGreaterThan(p50!);
    expect(silence).toBe(0);
  });

  test("a share of a teacher's return below zero says nothing, so none is given", () => {
    const metrics = { "Eval/student_return": -20, "Eval/teacher_return": -10 };
    const state = reduce(initialState, { kind: "row", iteration: 0, metrics, time: 1 });
    expect(studentOf(state)).toMatchObject({ result: -20, against: -10, ratio: undefined });
  });
});

describe("the course of a run", () => {
  test("a resumed run forgets the iterations that are flown again", () => {
    let state = replay(run, 90);
    state = reduce(state, { kind: "event", event: { ...startEvent(run), resumed: 50 } });
    expect(state.status).toBe("waiting");
    state = reduce(state, {
      kind: "row",
      iteration: 50,
      metrics: rowOf(50, run),
      time: timeOf(90),
    });
    expect(state.iteration).toBe(50);
    expect(state.curves[0]!.series.buckets.length).toBe(51);
    expect(state.recent.at(-2)!.iteration).toBe(49);
  });

  test("status follows requests, events and, for a watcher, whether anybody flies", () => {
    const told = (state: ScreenState, type: string, details = {}) =>
      reduce(state, {
        kind: "event",
        event: { type, iteration: 9, time: 1, message: "", ...details },
      });
    const flying = replay(run, 10);
    expect(flying.status).toBe("flying");
    expect(told(flying, "request", { request: "pause", outcome: "done" }).status).toBe("paused");
    expect(told(flying, "request", { request: "pause", outcome: "refused: x" }).status).toBe(
      "flying",
    );
    expect(told(flying, "simulator-lost").status).toBe("lost");
    const quiet = reduce(flying, { kind: "presence", flying: false });
    expect(quiet.status).toBe("quiet");
    expect(reduce(quiet, { kind: "presence", flying: true }).status).toBe("flying");
    expect(told(flying, "judging").status).toBe("judging");
    const landed = told(flying, "landed", { student_return: 1 });
    expect(reduce(landed, { kind: "presence", flying: false }).status).toBe("landed");
  });

  test("a best student that follows another takes one line of the events", () => {
    const checkpoint = (state: ScreenState, kind: string) =>
      reduce(state, {
        kind: "event",
        event: { type: "checkpoint", iteration: 1, time: 1, kind, message: kind },
      });
    const state = ["best", "best", "periodic", "periodic", "best", "best"].reduce(
      checkpoint,
      initialState,
    );
    expect(state.events.map(({ kind }) => kind)).toEqual(["best", "periodic", "periodic", "best"]);
  });

  test("the best student is the one whose checkpoint was called the best", () => {
    const state = reduce(replay(run, 80), {
      kind: "event",
      event: {
        type: "checkpoint",
        iteration: 79,
        time: 1,
        kind: "best",
        path: "/b.pt",
        message: "",
      },
    });
    const { "Eval/student_return": result, "Eval/teacher_return": against } = state.latest;
    expect(state.best).toEqual({ result, against, iteration: 79 });
    expect(state.paths.best).toBe("/b.pt");
  });
});
