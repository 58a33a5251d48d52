import { describe, expect, it } from "vitest";
import { watchBand } from "../../src/learning/monitors/band.ts";
import { valueBound, watchDivergence } from "../../src/learning/monitors/divergence.ts";
import type { Monitor, MonitorEvent } from "../../src/learning/monitors/monitor.ts";
import { watchRebound } from "../../src/learning/monitors/rebound.ts";

/** Saved and loaded into a fresh monitor before every observation: what it knows is its state. */
function walk(make: () => Monitor, steps: readonly Parameters<Monitor["observe"]>[]) {
  let monitor = make();
  return steps.map((step): readonly MonitorEvent[] => {
    const state = JSON.parse(JSON.stringify(monitor.save()));
    monitor = make();
    monitor.load(state);
    return monitor.observe(...step);
  });
}

const rules = (events: readonly (readonly MonitorEvent[])[]) =>
  events.map((some) => some.map(({ rule }) => rule).join("+"));

describe("a rebound after a change of stage", () => {
  const make = () => watchRebound({ metric: "Eval/loss" });
  const steps = (first: readonly number[], second: readonly number[]) =>
    [...first, ...second].map((value, iteration): Parameters<Monitor["observe"]> => {
      const stage = iteration < first.length ? "teacher-drives" : "student-drives";
      return [{ "Eval/loss": value }, { iteration, updates: iteration * 10, stage }];
    });

  it("within the noise of a control run is silent", () => {
    const seen = walk(make, steps([3, 1, 1.01, 0.99], [1.04, 1.049, 0.99]));
    expect(seen.flat()).toEqual([]);
  });

  it("of 7 % warns once and tells peak and time when it is back", () => {
    const seen = walk(make, steps([9, 1, 1.01, 0.99], [1.07, 1.06, 1.03, 1.019, 1.07]));
    expect(rules(seen)).toEqual(["", "", "", "", "warning", "", "", "recovered", ""]);
    expect(seen[4]![0]!.message).toBe(
      "Eval/loss is 1.07 in the stage student-drives, 7.0 % worse than 1 before it",
    );
    expect(seen[7]![0]!.values).toMatchObject({ iterations: 3, peak: expect.closeTo(0.07, 6) });
  });

  it("of 60 % alarms at the second evaluation, of 18 % for one only warns", () => {
    expect(rules(walk(make, steps([1, 1, 1], [1.6, 1.5, 1.4])))).toEqual([
      "",
      "",
      "",
      "warning",
      "alarm",
      "",
    ]);
    expect(rules(walk(make, steps([1, 1, 1], [1.18, 1.1, 1.18, 1.1])))).toEqual([
      "",
      "",
      "",
      "warning",
      "",
      "",
      "",
    ]);
  });

  it("is measured downwards for a return, negative ones too, and passes over iterations without one", () => {
    const down = () => watchRebound({ metric: "return", worse: "lower" });
    const at = (stage: string, iteration: number) => ({ iteration, updates: 0, stage });
    const seen = walk(down, [
      [{ return: -100 }, at("a", 0)],
      [{}, at("b", 1)],
      [{ return: -90 }, at("b", 2)],
      [{ return: -107 }, at("b", 3)],
    ]);
    expect(rules(seen)).toEqual(["", "", "", "warning"]);
  });

  it("that lasts into the next stage is told", () => {
    const at = (stage: string, iteration: number) => ({ iteration, updates: 0, stage });
    const seen = walk(make, [
      [{ "Eval/loss": 1 }, at("a", 0)],
      [{ "Eval/loss": 1.1 }, at("b", 1)],
      [{ "Eval/loss": 1.1 }, at("c", 2)],
    ]);
    expect(rules(seen)).toEqual(["", "warning", "not-recovered"]);
  });
});

describe("a value function", () => {
  const facts = { rewardBound: 2, discount: 0.99, horizon: 300, bestReturn: 68 };
  const make = () => watchDivergence({ facts });
  const bound = valueBound(facts);
  const run = (points: readonly (readonly [number, Record<string, number>])[]) =>
    walk(
      make,
      points.map(([updates, metrics]) => [metrics, { iteration: 0, updates, stage: "offline" }]),
    );
  const sizes = (...points: readonly (readonly [number, number])[]) =>
    run(points.map(([updates, size]) => [updates, { "Value/q_abs_mean": size }] as const));

  it("is bounded by a geometric sum, by T rewards without discount", () => {
    expect(bound).toBeCloseTo(2 * (1 - 0.99 ** 300) * 100, 8);
    expect(valueBound({ rewardBound: 2, discount: 1, horizon: 300 })).toBe(600);
  });

  it("beyond the bound is alarming, once until it is back", () => {
    const seen = sizes(
      [10, bound - 1],
      [20, bound + 1],
      [30, bound + 2],
      [40, 50],
      [50, bound + 1],
    );
    expect(rules(seen)).toEqual(["", "bound", "", "", "bound"]);
    expect(seen[1]![0]).toMatchObject({ level: "alarm", metric: "Value/q_abs_mean" });
    expect(seen[1]![0]!.next).toMatch(/LayerNorm.*normalised.*alpha.*discount.*rewards/);
  });

  it("behind episodes that the clock cuts is bounded by a sum without end", () => {
    const cut = { rewardBound: 2, discount: 0.99, horizon: Number.POSITIVE_INFINITY };
    expect(valueBound(cut)).toBeCloseTo(200, 8);
    const at = { iteration: 0, updates: 10, stage: "offline" };
    const [event] = watchDivergence({ facts: cut }).observe({ "Value/q_abs_mean": 201 }, at);
    expect(event?.message).toMatch(/no return can exceed 200 \(rewards up to 2, discount 0\.99\)$/);
  });

  it("above the best return of the data is a hint", () => {
    const seen = run([
      [10, { "Value/q_mean": 67 }],
      [20, { "Value/q_mean": 69 }],
    ]);
    expect(seen.flat()).toMatchObject([{ rule: "best-return", level: "hint" }]);
  });

  it("that grows three-fold within 1000 updates after the burn-in is alarming", () => {
    expect(rules(sizes([2100, 20], [2600, 40], [3100, 60]))).toEqual(["", "", "growth"]);
    expect(rules(sizes([2100, 20], [2600, 40], [3101, 60]))).toEqual(["", "", ""]);
    expect(rules(sizes([1900, 20], [2800, 60]))).toEqual(["", ""]);
    expect(rules(sizes([2100, 1], [2600, 0.049 * bound]))).toEqual(["", ""]);
    expect(rules(sizes([2100, 1], [2600, 0.051 * bound]))).toEqual(["", "growth"]);
  });

  it("is judged by its rate where observations are further apart", () => {
    expect(rules(sizes([4000, 11], [6000, 90]))).toEqual(["", ""]);
    expect(rules(sizes([4000, 11], [6000, 100]))).toEqual(["", "growth"]);
  });

  it("of the table's exploding runs is caught, of its sound ones not", () => {
    const exploding = { rewardBound: 1, discount: 0.99, horizon: 500 };
    const table = (...values: readonly [number, number, number]) => {
      const points = [3000, 5000, 10_000].map((updates, i) => [updates, values[i]!] as const);
      return walk(
        () => watchDivergence({ facts: exploding }),
        points.map(([updates, size]) => [
          { "Value/q_abs_mean": size },
          { iteration: 0, updates, stage: "offline" },
        ]),
      ).flat();
    };
    expect(table(10, 961, 4.1e6).length).toBeGreaterThan(0);
    expect(table(8, 12, 19)).toEqual([]);
  });

  it("whose loss jumps a hundred-fold over its median is alarming", () => {
    const losses = [1, 2, 1, 2, 1, 99, 151].map((loss, i) => [i, { "Loss/critic": loss }] as const);
    expect(rules(run(losses))).toEqual(["", "", "", "", "", "", "loss"]);
  });

  it("that is not finite is alarming, and doesn't spoil what is remembered", () => {
    const seen = run([
      [2100, { "Value/q_abs_mean": 20, "Loss/critic": 1 }],
      [2200, { "Value/q_abs_mean": Number.NaN, "Loss/critic": 1 }],
      [2300, { "Value/q_abs_mean": 61, "Loss/critic": Number.POSITIVE_INFINITY }],
    ]);
    expect(rules(seen)).toEqual(["", "not-finite", "growth"]);
  });
});

describe("a band", () => {
  const make = () =>
    watchBand({
      metric: "Loss/prediction",
      most: 0.5,
      baseline: { name: "persistence", value: "Loss/persistence" },
      next: "Train the model longer.",
    });

  it("tells when its figure leaves and comes back, beside the baseline", () => {
    const at = { iteration: 0, updates: 0, stage: "joint" };
    const figures = [0.4, 0.6, 0.7, 0.5, Number.NaN].map((value) => ({
      "Loss/prediction": value,
      "Loss/persistence": 0.9,
    }));
    const seen = walk(
      make,
      figures.map((metrics) => [metrics, at]),
    );
    expect(rules(seen)).toEqual(["", "outside", "", "inside", "outside"]);
    expect(seen[1]![0]!.message).toBe(
      "Loss/prediction is 0.6, healthy from −∞ to 0.5; persistence: 0.9",
    );
  });
});
