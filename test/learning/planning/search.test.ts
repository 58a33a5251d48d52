import { describe, expect, it } from "vitest";
import { Random } from "../../../policies/random.ts";
import { drawDirichlet } from "../../../src/learning/planning/dirichlet.ts";
import {
  type SearchOptions,
  search,
  slotsOf,
} from "../../../src/learning/planning/muzero-search.ts";
import { considerAll, improvedPolicy } from "../../../src/learning/planning/one-step.ts";
import { activation, coverage } from "../../../src/learning/planning/planning-figures.ts";
import { TableModel, type Tables } from "../../../src/learning/planning/table-model.ts";
import fc from "../../properties.ts";

const settings: SearchOptions = {
  ...{ simulations: 40, pbCInit: 1.25, pbCBase: 19652 },
  qTransform: { kind: "by_parent_and_siblings" },
};

function randomTables(seed: number, states: number, actions: number): Tables {
  const { normal, uniform } = new Random(seed);
  const table = (draw: () => number) =>
    Array.from({ length: states }, () => Array.from({ length: actions }, draw));
  return {
    actions,
    reward: table(normal),
    nextState: table(() => Math.floor(uniform() * states)),
    discount: table(() => (uniform() < 0.1 ? 0 : 0.9)),
    priorLogits: table(normal),
    value: Array.from({ length: states }, normal),
  };
}

function searchFrom(tables: Tables, roots: readonly number[], options: SearchOptions) {
  const model = new TableModel(tables, { roots, slots: slotsOf(options) });
  const { actions } = tables;
  return search(model, { trees: roots.length, actions, ...model.roots() }, options);
}

describe("a search", () => {
  it("of many trees at the same time finds what each finds alone", async () => {
    const tables = randomTables(5, 9, 4);
    const roots = [0, 3, 8, 3];
    const options = { ...settings, maxDepth: 3 };
    const together = await searchFrom(tables, roots, options);
    for (const [tree, root] of roots.entries()) {
      const alone = await searchFrom(tables, [root], options);
      const own = together.visitCounts.subarray(4 * tree, 4 * tree + 4);
      expect([...own]).toEqual([...alone.visitCounts]);
      expect(together.values[tree]).toBe(alone.values[0]);
      expect(together.actions[tree]).toBe(alone.actions[0]);
    }
  });

  it("follows as many edges from the root as it simulates, whatever the tables", async () => {
    const sizes = fc.tuple(
      fc.nat(),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
    );
    const check = fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async ([seed, states, actions], simulations, maxDepth) => {
        const options = { ...settings, simulations, maxDepth };
        const found = await searchFrom(randomTables(seed, states, actions), [0], options);
        expect(found.visitCounts.reduce((sum, count) => sum + count, 0)).toBe(simulations);
        expect(found.visitCounts[found.actions[0]!]).toBe(Math.max(...found.visitCounts));
        expect(Number.isFinite(found.values[0])).toBe(true);
      },
    );
    await fc.assert(check, { numRuns: 60 });
  });

  it("finds the reward that lies behind two steps, which the priors are against", async () => {
    // From 0 action 1 leads to 1, from there action 1 to a reward of 10; all else is worth nothing.
    const tables: Tables = {
      actions: 2,
      reward: [
        [0.1, 0],
        [0, 10],
        [0, 0],
      ],
      nextState: [
        [2, 1],
        [2, 2],
        [2, 2],
      ],
      discount: [
        [1, 1],
        [0, 0],
        [0, 0],
      ],
      priorLogits: [
        [1, 0],
        [1, 0],
        [0, 0],
      ],
      value: [0, 0, 0],
    };
    const found = await searchFrom(tables, [0], { ...settings, simulations: 500 });
    expect(found.actions[0]).toBe(1);
    expect(found.qValues[1]).toBeGreaterThan(8);
  });

  it("draws its noise from a seed, and never follows what is forbidden", async () => {
    const tables = randomTables(7, 6, 5);
    const noisy = (seed: number) => ({
      ...settings,
      noise: { fraction: 0.5, alpha: 0.3, random: new Random(seed) },
    });
    const [a, b, c] = [
      await searchFrom(tables, [2], noisy(1)),
      await searchFrom(tables, [2], noisy(1)),
      await searchFrom(tables, [2], noisy(2)),
    ];
    expect([...b.visitCounts]).toEqual([...a.visitCounts]);
    expect([...c.visitCounts]).not.toEqual([...a.visitCounts]);
    const model = new TableModel(tables, { roots: [2], slots: slotsOf(settings) });
    const forbidden = Uint8Array.of(1, 0, 1, 0, 1);
    const roots = { trees: 1, actions: 5, forbidden, ...model.roots() };
    const found = await search(model, roots, noisy(3));
    expect([...found.visitCounts].map((count, a) => forbidden[a]! * count)).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(found.visitCounts[1]! + found.visitCounts[3]!).toBe(settings.simulations);
  });

  it("refuses settings and roots that make no sense, by name", async () => {
    const tables = randomTables(1, 3, 2);
    const wrong: readonly [Partial<SearchOptions>, RegExp][] = [
      [{ simulations: 0 }, /simulations is 0/],
      [{ maxDepth: 0.5 }, /maxDepth is 0.5/],
      [{ pbCBase: 0 }, /pbCBase is 0/],
      [{ pbCInit: Number.NaN }, /pbCInit is NaN/],
      [{ qTransform: { kind: "by_min_max", least: 1, most: 1 } }, /qTransform is 1 to 1/],
    ];
    for (const [change, message] of wrong) {
      await expect(searchFrom(tables, [0], { ...settings, ...change })).rejects.toThrow(message);
    }
    const model = new TableModel(tables, { roots: [0], slots: slotsOf(settings) });
    const all = { trees: 1, actions: 2, ...model.roots() };
    const none = { ...all, forbidden: Uint8Array.of(1, 1) };
    await expect(search(model, none, settings)).rejects.toThrow(/all 2 actions of tree 0/);
    await expect(search(model, { ...all, trees: 2 }, settings)).rejects.toThrow(/2 logits/);
  });
});

describe("one step of improvement", () => {
  it("weighs each action by exp of its advantage", async () => {
    const tables = randomTables(3, 6, 4);
    const model = new TableModel(tables, { roots: [1, 5], slots: 1 });
    const considered = await considerAll(model, { trees: 2, actions: 4, ...model.roots() });
    const improved = improvedPolicy(considered);
    for (const [row, state] of [1, 5].entries()) {
      const weights = tables.priorLogits[state]!.map((logit, a) => {
        const next = tables.value[tables.nextState[state]![a]!]!;
        const q = tables.reward[state]![a]! + tables.discount[state]![a]! * next;
        return Math.exp(logit) * Math.exp(q - tables.value[state]!);
      });
      const sum = weights.reduce((total, one) => total + one, 0);
      for (const [a, weight] of weights.entries()) {
        expect(improved[4 * row + a]).toBeCloseTo(weight / sum, 12);
      }
    }
  });
});

describe("what planning did", () => {
  it("is told as shares of the batch and of what was searched", () => {
    const planned = Float64Array.of(1, 1, 1, 1);
    const logged = Float64Array.of(0.95, 0.8, 1.5, 0.9 - 1e-9);
    expect(coverage({ batch: 16, planned, logged })).toBe(0.25);
    expect(activation({ batch: 16, planned, logged })).toBe(0.5);
    const nothing = { batch: 16, planned: new Float64Array(), logged: new Float64Array() };
    expect(coverage(nothing)).toBe(0);
    expect(activation(nothing)).toBeNaN();
  });
});

describe("Dirichlet's distribution", () => {
  it("has the mean and the spread that its alpha says", () => {
    for (const alpha of [0.3, 2]) {
      const random = new Random(11);
      const draws = Array.from({ length: 2000 }, () => drawDirichlet(random, alpha, 5));
      const first = draws.map(([one]) => one!);
      const mean = first.reduce((sum, one) => sum + one, 0) / first.length;
      const variance = first.reduce((sum, one) => sum + (one - mean) ** 2, 0) / first.length;
      expect(mean).toBeCloseTo(0.2, 1);
      expect(Math.abs(variance / ((0.2 * 0.8) / (5 * alpha + 1)) - 1)).toBeLessThan(0.1);
    }
    const tiny = drawDirichlet(new Random(1), 1e-6, 3);
    expect(tiny.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
  });
});
