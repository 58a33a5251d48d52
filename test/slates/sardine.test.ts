import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  clickChances,
  propensitiesOf,
  type SardineParameters,
  sardineRelevance,
} from "../../sim-adapters/slates/sardine-rules.ts";
import { parityKinds } from "../../src/algorithms/parity-kinds.ts";
import { describeParity, replayFile } from "../../src/learning/parity/run-parity.ts";

const folder = "test/data/slates";
const inFolder = (name: string) => readFile(join(folder, name));
const bored = "trace-bored";
const mixed = "trace-tloi-mixed-divpen-inf";

/** The file with one thing said otherwise. */
function changed(name: string, path: string, value: unknown) {
  const document = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const keys = path.split(".");
  const last = keys.pop()!;
  const place = keys.reduce((inside, key) => inside[key], document);
  place[last] = typeof value === "function" ? value(place[last]) : value;
  return replay(document);
}

function replay(document: unknown) {
  const read = async () => new TextEncoder().encode(JSON.stringify(document));
  return replayFile({ name: "x.json", read, beside: inFolder }, parityKinds);
}

const plus = (more: number) => (value: number) => value + more;

describe("recorded episodes of SARDINE", () => {
  it.each([bored, mixed])("are reproduced: %s", async (name) => {
    const file = { name: `${name}.json`, read: () => inFolder(`${name}.json`), beside: inFolder };
    const report = await replayFile(file, parityKinds);
    expect(describeParity(report)).toMatch(/^ok {3}\S+ \(sardine, 2 episodes\): figures off by /);
    for (const { metrics } of report.updates) expect(metrics!.error).toBeLessThan(1e-5);
  });

  it.each([
    ["episodes.0.steps.7.relevances.3", "steps[7].relevances[3]"],
    ["episodes.0.steps.59.state.12", "steps[59].state[12]"],
    ["episodes.0.reset_state.20", "reset_state[20]"],
    ["propensities.4", "propensities[4]"],
    ["max_score", "max_score"],
  ])("are compared in every field: %s", async (path, at) => {
    const report = await changed(mixed, path, plus(1e-4));
    expect(report).toMatchObject({ passed: false, metrics: { at } });
    const topic = await changed(mixed, "item_topics.8", plus(1));
    expect(topic).toMatchObject({ passed: false, counts: { error: 1, at: "item_topics[8]" } });
  });

  it.each([
    [bored, "boredom_type", "user_tloi"],
    [bored, "boredom_threshold", 4],
    [bored, "boredom_moving_window", 4],
    [bored, "recent_items_maxlen", 4],
    [bored, "env_offset", 0.66],
    [bored, "env_omega", 0.99],
    [bored, "rel_threshold", 0.6],
    [bored, "click_prop", 0.8],
    [mixed, "env_omega", 0.91],
    [mixed, "env_slope", 90],
    [mixed, "rel_penalty", true],
    [mixed, "click_model", "tdPBM"],
    [mixed, "boredom_type", "user_car"],
  ])("are computed from the parameters: %s with %s %s", async (name, key, value) => {
    const report = await changed(name, `parameters.${key}`, value);
    expect(report.error).toBeUndefined();
    expect(report.passed).toBe(false);
  });

  it("allow clicks only where they can be", async () => {
    const never = await changed(mixed, "parameters.env_alpha", 0);
    expect(never.passed).toBe(false);
    expect(never.counts).toMatchObject({ error: 1, at: expect.stringContaining("clicks") });
  });
});

describe("the click model of SARDINE", () => {
  const plain: SardineParameters = {
    ...{ slate_size: 4, click_model: "tdPBM", click_prop: 0.5, env_propensities: null },
    ...{ env_alpha: 0.8, env_offset: 0.65, env_slope: 100, env_omega: 1, rel_threshold: null },
    ...{ rel_penalty: false, diversity_penalty: 2, diversity_threshold: 3 },
    ...{ recent_items_maxlen: 10, boredom_threshold: 5, boredom_moving_window: 5 },
    boredom_type: "user_car",
  };

  it("looks from the top, from both sides, or as it is told", () => {
    expect([...propensitiesOf(plain)]).toEqual([1, 0.5, 0.25, 0.125]);
    const both = propensitiesOf({ ...plain, click_model: "mixPBM" });
    expect([...both]).toEqual([0.5625, 0.375, 0.375, 0.5625]);
    const told = { ...plain, click_model: "own", env_propensities: [0.1, 0.2, 0.3, 0.4] };
    expect([...propensitiesOf(told)]).toEqual([0.1, 0.2, 0.3, 0.4]);
  });

  it("likes a slate less where three of a topic are in it", () => {
    const relevances = Float64Array.of(1, 1, 0.5, 0);
    expect([...clickChances(relevances, [1, 2, 1, 3], plain)]).toEqual([0.8, 0.4, 0.1, 0]);
    expect([...clickChances(relevances, [1, 1, 1, 3], plain)]).toEqual([0.4, 0.2, 0.05, 0]);
  });

  it("finds things relevant gradually or at once, and less when bored where that is so", () => {
    expect(sardineRelevance(0.65, 3, plain)).toBe(0.5);
    expect(sardineRelevance(0.65, 3, { ...plain, rel_penalty: true })).toBe(0.0625);
    const sharp = { ...plain, rel_threshold: 0.7 };
    expect([0.7, 0.71].map((score) => sardineRelevance(score, 0, sharp))).toEqual([0, 1]);
  });
});

describe("a trace that is not whole", () => {
  it.each([
    ["parameters.num_topics", "ten", /at parameters.num_topics: /],
    ["episodes.1.steps.3.clicks.0", 2, /at episodes\[1\].steps\[3\].clicks\[0\]: /],
    ["episodes.1.steps.3.slate.0", 1000, /episodes\[1\].steps\[3\].slate: there is no item 1000/],
    ["episodes.0.steps.0.state", [1], /steps\[0\].state: has 1 numbers, expected 30/],
    ["episodes.0.initial_user", [1, 0], /initial_user: has 2 numbers, expected 10/],
    ["parameters.num_items", 999, /needs item_embeddings \[999,10\] in items.safetensors, which/],
    ["items", "../x", /at items: expected the name of a file beside it/],
  ])("is refused by name: %s", async (path, value, words) => {
    const report = await changed(bored, path, value);
    expect(report).toMatchObject({ passed: false, updates: [] });
    expect(report.error).toMatch(words);
  });

  it("as one without its items is", async () => {
    const document = JSON.parse(readFileSync(join(folder, `${bored}.json`), "utf8"));
    const read = async () => new TextEncoder().encode(JSON.stringify(document));
    const report = await replayFile({ name: "x.json", read }, parityKinds);
    expect(report.error).toMatch(/x.json needs items.safetensors beside it/);
  });

  it.each([
    ["sardine-statistics.json", /npm run bench -- sardine/],
    ["sheet-figures.json", /statistics\.test\.ts/],
    ["items.safetensors", /read with them/],
  ])(
    "what is no episode is left out, saying where it is held against ours: %s",
    async (name, where) => {
      const report = await replayFile({ name, read: () => inFolder(name) }, parityKinds);
      expect(report.passed).toBe(true);
      expect(describeParity(report)).toMatch(where);
    },
  );
});
