import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../policies/random.ts";
import {
  createRanker,
  rankerNamed,
  usualLatentWidth,
} from "../../policies/rankers/create-ranker.ts";
import { usualLearning } from "../../policies/rankers/descent.ts";
import { factorise } from "../../policies/rankers/factorise.ts";
import { measureBounds, reconstructionOf } from "../../policies/rankers/measure.ts";
import { missedItems } from "../../policies/rankers/missed-items.ts";
import {
  type RankerConfig,
  type RankerName,
  rankerNames,
  type Turns,
} from "../../policies/rankers/ranker.ts";
import { compiledDescent } from "../../src/algorithms/slates/compiled-descent.ts";
import { compileWith } from "../../src/engine/compile/compile.ts";
import { startEngine } from "../../src/engine/start.ts";

beforeAll(async () => {
  await startEngine("auto");
});

const sizes = { items: 24, itemWidth: 4, slots: 3 };

function configOf(ranker: RankerName): RankerConfig {
  const latentWidth = ranker === "GeMS" ? 5 : usualLatentWidth(ranker, sizes);
  const embeddings = ranker === "GeMS" ? "scratch" : "mf";
  return { ranker, latentWidth, ...sizes, embeddings, seed: 1, task: "t", dataset: "d" };
}

/** Items in a circle, so that all are different and of length 1. */
const table = Float32Array.from({ length: sizes.items * 4 }, (_, i) => {
  const angle = (2 * Math.PI * Math.floor(i / 4)) / sizes.items;
  return (
    [Math.cos(angle), Math.sin(angle), Math.cos(2 * angle), Math.sin(2 * angle)][i % 4]! / 2 ** 0.5
  );
});

const make = (name: RankerName, seed = 1) =>
  createRanker({ ...configOf(name), seed }, name === "GeMS" ? undefined : table);

/** Each user likes one of four kinds of items and sees three of it. */
function turnsOf(rows: number): Turns {
  const random = new Random(9);
  const slates = new Uint16Array(rows * 3);
  for (let row = 0; row < rows; row += 1) {
    const kind = Math.floor(4 * random.uniform());
    const first = Math.floor(6 * random.uniform());
    for (let slot = 0; slot < 3; slot += 1) {
      slates[row * 3 + slot] = 6 * kind + ((first + slot) % 6);
    }
  }
  const clicks = Uint8Array.from(slates, (item) => (item < 12 ? 1 : 0));
  return { rows, slates, clicks };
}

describe.each(rankerNames)("the ranker %s", (name) => {
  const random = new Random(4);
  const latents = Float32Array.from({ length: 5 * configOf(name).latentWidth }, random.normal);

  it("makes slates of different items that there are, and leaves no tensor behind", async () => {
    const ranker = make(name);
    await ranker.rank(latents);
    const before = tf.memory().numTensors;
    const slates = await ranker.rank(latents);
    ranker.encode(turnsOf(4));
    expect(tf.memory().numTensors).toBe(before);
    expect(slates).toHaveLength(15);
    for (let row = 0; row < 5; row += 1) {
      const slate = [...slates.subarray(3 * row, 3 * row + 3)];
      expect(new Set(slate).size).toBe(3);
      for (const item of slate) expect(item).toBe(Math.min(23, Math.max(0, Math.round(item))));
    }
    ranker.dispose();
  });

  it("comes back as it was saved, with items and bounds", async () => {
    const ranker = make(name);
    const turns = turnsOf(40);
    await ranker.train_step(turns);
    await measureBounds(ranker, () => [turns]);
    const saved = await ranker.save();
    const other = make(name, 77);
    other.load(saved);
    expect(await other.rank(latents)).toEqual(await ranker.rank(latents));
    expect(await other.save()).toEqual(saved);
    expect(saved.items!.shape).toEqual([24, 4]);
    const { mean, deviation } = ranker.encode(turns);
    const width = ranker.get_config().latentWidth;
    for (const [i, value] of mean.entries()) {
      const off = deviation?.[i] ?? 0;
      expect(saved.low!.data[i % width]).toBeLessThanOrEqual(value - off + 1e-6);
      expect(saved.high!.data[i % width]).toBeGreaterThanOrEqual(value + off - 1e-6);
    }
    for (const one of [ranker, other]) one.dispose();
  });

  it("refuses latents of another width, and weights that lack one", async () => {
    const ranker = make(name);
    await expect(ranker.rank(new Float32Array(7 * 11 + 1))).rejects.toThrow(/no rows of/);
    const { items: _, ...rest } = await ranker.save();
    expect(() => ranker.load(rest)).toThrow(/items is missing/);
    ranker.dispose();
  });
});

describe("WkNN", () => {
  it("gives a slate back from its latent", async () => {
    const ranker = make("WkNN");
    const turns = turnsOf(30);
    const { mean, recall } = await reconstructionOf(ranker, () => [turns]);
    expect([mean, recall]).toEqual([1, 1]);
  });

  it("takes of the nearest what a critic holds for best, slot by slot", async () => {
    const ranker = make("WkNN");
    const { slates } = turnsOf(1);
    const { mean } = ranker.encode({ rows: 1, slates, clicks: new Uint8Array(3) });
    // The more of the first number, the better.
    const judge = async (latents: Float32Array) =>
      Float32Array.from({ length: latents.length / 12 }, (_, i) => {
        return latents[12 * i]! + latents[12 * i + 4]! + latents[12 * i + 8]!;
      });
    const sum = (chosen: ArrayLike<number>) =>
      Array.from(chosen).reduce((total, item) => total + table[4 * item]!, 0);
    const judged = await ranker.rank(mean, judge);
    expect(new Set(judged).size).toBe(3);
    expect(sum(judged)).toBeGreaterThan(sum(await ranker.rank(mean)));
  });
});

describe.each(["GeMS", "Softmax"] as const)("%s", (name) => {
  it("learns to give slates back", async () => {
    const ranker = make(name);
    const turns = turnsOf(64);
    const before = await reconstructionOf(ranker, () => [turns]);
    const losses = [];
    for (let i = 0; i < 60; i += 1) losses.push((await ranker.train_step(turns))!.loss!);
    const after = await reconstructionOf(ranker, () => [turns]);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.4);
    expect(after.recall).toBeGreaterThan(before.recall + 0.1);
    ranker.dispose();
  });

  it("learns the same in compiled steps, and leaves no tensor behind", async () => {
    const turns = turnsOf(64);
    const config = configOf(name);
    const items = name === "GeMS" ? undefined : table;
    const descend = compiledDescent(compileWith("on"));
    const compiled = createRanker(config, items, { ...usualLearning, descend });
    const plain = createRanker(config, items);
    let tensors = 0;
    for (let i = 0; i < 6; i += 1) {
      const [one, other] = [await compiled.train_step(turns), await plain.train_step(turns)];
      for (const [figure, value] of Object.entries(one!)) {
        expect(Math.abs(value - other![figure]!)).toBeLessThan(2e-3 * (1 + Math.abs(value)));
      }
      if (i === 3) tensors = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(tensors);
    for (const ranker of [compiled, plain]) ranker.dispose();
  });
});

describe("GeMS", () => {
  it("counts the latent's distance for less at first, and the clicks as it is told", async () => {
    const turns = turnsOf(32);
    const learning = { ...usualLearning, klWeight: 0.5, clickWeight: 3, klWarmup: 4 };
    const ranker = createRanker(configOf("GeMS"), undefined, learning);
    for (const share of [0, 0.25, 0.5, 0.75, 1, 1]) {
      const { loss, slate, click, kl } = (await ranker.train_step(turns))!;
      expect(loss! / (slate! + 3 * click! + 0.5 * share * kl!)).toBeCloseTo(1, 5);
    }
    ranker.dispose();
  });

  it("misses items by the cross-entropy of a softmax, whose gradients are the operations' own", () => {
    const random = new Random(3);
    const values = (length: number) => Float32Array.from({ length }, () => 2 * random.normal());
    const points = tf.variable(tf.tensor2d(values(24), [6, 4]));
    const items = tf.variable(tf.tensor2d(values(20), [5, 4]));
    const shown = tf.tensor2d([0, 4, 4, 2, 1, 4], [2, 3], "int32");
    const plainly = () => {
      const products = tf.matMul(points as tf.Tensor2D, items as tf.Tensor2D, false, true);
      const wanted = tf.oneHot(tf.reshape(shown, [-1]) as tf.Tensor1D, 5);
      const own = tf.sum(tf.mul(products, wanted));
      return tf.sub(tf.sum(tf.logSumExp(products, 1)), own) as tf.Scalar;
    };
    const ours = tf.variableGrads(() => missedItems(points as tf.Tensor2D, items, shown));
    const theirs = tf.variableGrads(plainly);
    expect(ours.value.dataSync()[0]).toBeCloseTo(theirs.value.dataSync()[0]!, 4);
    for (const [name, gradient] of Object.entries(theirs.grads)) {
      const wanted = gradient.dataSync();
      for (const [i, value] of ours.grads[name]!.dataSync().entries()) {
        expect(value).toBeCloseTo(wanted[i]!, 4);
      }
    }
    tf.dispose([points, items, shown]);
  });
});

describe("embeddings from logged clicks", () => {
  it("put together what the same users click", () => {
    const random = new Random(6);
    const users = 60;
    const starts = Int32Array.from({ length: users + 1 }, (_, i) => 20 * i);
    const slates = Uint16Array.from({ length: users * 20 * 3 }, () =>
      Math.floor(24 * random.uniform()),
    );
    const clicks = Uint8Array.from(slates, (item, i) => {
      const likes = Math.floor(i / 60) % 4;
      return Math.floor(item / 6) === likes ? 1 : 0;
    });
    const logged = { items: 24, slots: 3, starts, slates, clicks };
    const found = factorise(logged, { width: 4, seed: 1 });
    expect(factorise(logged, { width: 4, seed: 1 })).toEqual(found);
    const product = (a: number, b: number) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + found[4 * a + k]! * found[4 * b + k]!, 0);
    expect(product(0, 5)).toBeGreaterThan(0.8);
    expect(product(0, 12)).toBeLessThan(0.5);
  });
});

describe("the name of a ranker", () => {
  it("may be spelt as one likes, and must be one", () => {
    expect(["gems", "top_k", "WKNN", "soft-max"].map(rankerNamed)).toEqual([
      ...["GeMS", "TopK", "WkNN", "Softmax"],
    ]);
    expect(() => rankerNamed("gemz")).toThrow(/expected one of GeMS/);
  });

  it("needs embeddings, but for GeMS", () => {
    expect(() => createRanker(configOf("TopK"), undefined)).toThrow(/needs embeddings/);
  });
});
