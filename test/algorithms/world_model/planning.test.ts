import { describe, expect, it } from "vitest";
import { Random } from "../../../policies/random.ts";
import {
  candidateCount,
  likeliestActions,
} from "../../../src/algorithms/world_model/candidates.ts";
import { reboundOf } from "../../../src/algorithms/world_model/compare-plans.ts";
import {
  actionsOf,
  evenLevels,
  nearestLevels,
  quantileLevels,
  toUnit,
} from "../../../src/algorithms/world_model/levels.ts";

describe("levels of actions", () => {
  const bounds = { low: [0, -1], high: [6, 1] };

  it("reach from bound to bound, evenly", () => {
    expect(evenLevels(bounds, 4)).toEqual([
      [0, 2, 4, 6],
      [-1, expect.closeTo(-1 / 3, 9), expect.closeTo(1 / 3, 9), 1],
    ]);
  });

  it("are dense where the data are, and distinct also where they are all alike", () => {
    const { uniform } = new Random(1);
    const actions = Float32Array.from({ length: 2000 }, (_, i) => (i % 2 ? 0 : 6 * uniform() ** 4));
    const [skewed, alike] = quantileLevels(bounds, actions, 10);
    expect([skewed![0], skewed!.at(-1)]).toEqual([0, 6]);
    expect(skewed![5]!).toBeLessThan(1);
    for (const own of [skewed!, alike!]) {
      expect(own).toHaveLength(10);
      for (let i = 1; i < 10; i += 1) expect(own[i]!).toBeGreaterThan(own[i - 1]!);
    }
  });

  it("are found from actions and back", () => {
    const levels = evenLevels(bounds, 4);
    const near = nearestLevels(levels, Float32Array.of(0.9, -2, 3.1, 0.9));
    expect([...near]).toEqual([0, 0, 2, 3]);
    expect([...actionsOf(levels, near)]).toEqual([0, -1, 4, 1]);
    expect([...toUnit(bounds, [3, 1, 9, -9])]).toEqual([0, 1, 1, -1]);
  });
});

describe("the most likely combinations", () => {
  const { normal } = new Random(2);
  const logits = Float32Array.from({ length: 2 * 3 * 5 }, normal);
  const shape = { components: 3, levels: 5 };

  it("are the best of all there are", () => {
    const all = likeliestActions(logits, { ...shape, count: 125 });
    const best = likeliestActions(logits, { ...shape, count: 7 });
    for (const row of [0, 1]) {
      const every = Array.from(all.logits.subarray(row * 125, (row + 1) * 125));
      const shares = every.reduce((sum, one) => sum + Math.exp(one), 0);
      expect(shares).toBeCloseTo(1, 6);
      const wanted = every.toSorted((a, b) => b - a).slice(0, 7);
      const found = Array.from(best.logits.subarray(row * 7, (row + 1) * 7));
      for (const [i, one] of wanted.entries()) expect(found[i]).toBeCloseTo(one, 9);
      const first = every.indexOf(Math.max(...every));
      expect([...best.levels.subarray(row * 21, row * 21 + 3)]).toEqual([
        ...all.levels.subarray((row * 125 + first) * 3, (row * 125 + first) * 3 + 3),
      ]);
    }
  });

  it("are no more than there are", () => {
    expect(candidateCount(shape, 1000)).toBe(125);
    expect(candidateCount(shape, 7)).toBe(7);
  });
});

describe("a rebound", () => {
  it("is the worst behind the warm-up against the last three before it", () => {
    expect(reboundOf([9, 3, 2, 1, 3, 2.5], 4)).toBeCloseTo(0.5, 12);
    expect(reboundOf([3, 2], 0)).toBeNull();
    expect(reboundOf([3, 2], 2)).toBeNull();
  });
});
