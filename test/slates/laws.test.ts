import { describe, expect, it } from "vitest";
import { bestItems, scoresOf } from "../../policies/pilots/slate-choice.ts";
import { catalogueOf } from "../../sim-adapters/slates/items.ts";
import { itemsIn, recommend, rowOf } from "./recommending.ts";

const variants = ["focused", "diffuse"] as const;
const lengthOf = (numbers: readonly number[]) => Math.hypot(...numbers);
const pairsOf = (numbers: readonly number[]) =>
  Array.from({ length: 10 }, (_, topic) => numbers.slice(2 * topic, 2 * topic + 2));
const weightOf = (user: readonly number[]) =>
  pairsOf(user).reduce((sum, pair) => sum + lengthOf(pair), 0);

/** The thirty items that a user likes best. */
function favourites(items: ReturnType<typeof itemsIn>, user: readonly number[]): number[] {
  const scores = new Float64Array(1000);
  scoresOf(Float64Array.from(user), items, scores);
  return bestItems(scores, 30);
}

describe("a catalogue", () => {
  it.each(variants)("of %s items has what the paper says", (variant) => {
    const { embeddings, mainTopic } = catalogueOf({ variant, seed: 3 });
    const topics = new Set<number>();
    let shares = 0;
    for (let item = 0; item < 1000; item++) {
      const row = [...embeddings.subarray(20 * item, 20 * item + 20)];
      expect(lengthOf(row)).toBeCloseTo(1, 6);
      expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
      const lengths = pairsOf(row).map(lengthOf);
      expect(lengths[mainTopic[item]!]).toBe(Math.max(...lengths));
      topics.add(mainTopic[item]!);
      shares += Math.max(...lengths) ** 2 / 1000;
    }
    expect(topics.size).toBe(10);
    // How much of an item is its main topic: squares leave little else.
    if (variant === "focused") expect(shares).toBeGreaterThan(0.58);
    else expect(shares).toBeLessThan(0.48);
  });

  it("is another with another seed or variant, and else the same", () => {
    const all = variants.flatMap((variant) => [1, 2].map((seed) => catalogueOf({ variant, seed })));
    expect(new Set(all.map(({ embeddings }) => embeddings.join())).size).toBe(4);
    expect(catalogueOf({ variant: "diffuse", seed: 2 })).toEqual(all[3]);
  });
});

/** The rules once more, for one user, from what is shown and clicked: slow, and by themselves. */
class Twin {
  user: number[];
  timers = Array(10).fill(0) as number[];
  history: { turn: number; topic: number }[] = [];
  turn = 0;
  readonly #items: ReturnType<typeof itemsIn>;

  constructor(user: readonly number[], items: ReturnType<typeof itemsIn>) {
    this.user = [...user];
    this.#items = items;
  }

  get effective(): number[] {
    return this.user.map((u, k) => (this.timers[Math.floor(k / 2)]! > 0 ? 0 : u));
  }

  get recent(): number[] {
    return Array.from({ length: 10 }, (_, topic) => {
      return this.history.filter((click) => click.topic === topic).length;
    });
  }

  see(slate: readonly number[], clicks: readonly number[]): void {
    for (const [rank, item] of slate.entries()) {
      if (clicks[rank] === 0) continue;
      const e = this.#items.embeddings.subarray(20 * item, 20 * item + 20);
      const moved = this.user.map((u, k) => 0.9 * u + 0.1 * e[k]!);
      this.user = moved.map((u) => u / weightOf(moved));
      this.history.push({ turn: this.turn, topic: this.#items.mainTopic[item]! });
    }
    this.history = this.history.slice(-10).filter(({ turn }) => this.turn - turn <= 5);
    this.timers = this.timers.map((timer) => Math.max(0, timer - 1));
    this.timers = this.timers.map((timer, k) => (timer === 0 && this.recent[k]! >= 5 ? 5 : timer));
    this.turn++;
  }
}

describe.each([
  ["topdown", (rank: number) => 0.85 ** rank],
  ["mix", (rank: number) => (0.85 ** rank + 0.85 ** (9 - rank)) / 2],
  ["divpen", (rank: number) => (0.85 ** rank + 0.85 ** (9 - rank)) / 2],
] as const)("a user of %s", (model, looks) => {
  it("drifts, tires and clicks as the rules say", async () => {
    const numEnvs = 4;
    const env = await recommend({ task: `slates-focused_${model}`, numEnvs });
    const items = itemsIn(env);
    let frame = await env.reset(6);
    const twins = Array.from(
      { length: numEnvs },
      (_, i) => new Twin(rowOf(env, frame, { group: "user", i }).slice(0, 20), items),
    );
    let [expected, variance, clicked, bored] = [0, 0, 0, 0];
    for (let turn = 0; turn < 99; turn++) {
      // What is liked best, so that users tire, or every second or third of it.
      const slates = twins.map(({ effective }, i) => {
        const best = favourites(items, effective);
        return Array.from({ length: 10 }, (_, rank) => best[rank * (1 + ((turn + i) % 3))]!);
      });
      const result = await env.step(Float32Array.from(slates.flat()));
      frame = result.frame;
      for (const [i, twin] of twins.entries()) {
        const row = rowOf(env, frame, { i });
        const clicks = row.slice(10);
        expect(row.slice(0, 10)).toEqual(slates[i]);
        expect(result.rewards[i]).toBe(clicks.reduce((sum, click) => sum + click, 0));
        const topics = slates[i]!.map((item) => items.mainTopic[item]!);
        const most = Math.max(...topics.map((a) => topics.filter((b) => a === b).length));
        const penalty = model === "divpen" && most >= 4 ? 3 : 1;
        for (const [rank, item] of slates[i]!.entries()) {
          const e = items.embeddings.subarray(20 * item, 20 * item + 20);
          const score = twin.effective.reduce((sum, u, k) => sum + u * e[k]!, 0);
          const chance = (looks(rank) / penalty) * (1 / (1 + Math.exp(-100 * (score - 0.28))));
          expected += chance;
          variance += chance * (1 - chance);
          clicked += clicks[rank]!;
        }
        twin.see(slates[i]!, clicks);
        const seen = rowOf(env, frame, { group: "user", i });
        for (const [k, u] of twin.effective.entries()) expect(seen[k]).toBeCloseTo(u, 5);
        expect(seen.slice(20, 30).map((share) => Math.round(5 * share))).toEqual(
          twin.recent.map((count) => Math.min(5, count)),
        );
        expect(seen.slice(30).map((share) => Math.round(5 * share))).toEqual(twin.timers);
        bored += twin.timers.filter((timer) => timer > 0).length;
      }
    }
    expect(bored).toBeGreaterThan(100);
    expect(Math.abs(clicked - expected) / Math.sqrt(variance)).toBeLessThan(3);
  });
});
