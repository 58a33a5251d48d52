import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Normaliser, normaliserStateIn } from "../../policies/networks/normaliser.ts";
import { startEngine } from "../../src/engine/start.ts";
import { dataFolder, readJson } from "./examples.ts";

beforeAll(() => startEngine("auto"));

interface Golden {
  readonly batches: number[][][];
  readonly after: { _mean: number[]; _var: number[]; _std: number[]; count: number[] }[];
  readonly x: number[][];
  readonly y: number[][];
}

const golden: Golden = readJson(join(dataFolder, "normaliser.json"));
const rowsOf = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat());

function trained(): Normaliser {
  const normaliser = new Normaliser(3);
  for (const batch of golden.batches) normaliser.update(rowsOf(batch));
  return normaliser;
}

function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
}

describe("a normaliser", () => {
  it("keeps rsl_rl's statistics, batch after batch", () => {
    const normaliser = new Normaliser(3);
    for (const [i, batch] of golden.batches.entries()) {
      normaliser.update(rowsOf(batch));
      const expected = golden.after[i];
      const { mean, variance, std, count } = normaliser.state();
      expectClose(mean, expected?._mean ?? []);
      expectClose(variance, expected?._var ?? []);
      expectClose(std, expected?._std ?? []);
      expect(count).toBe(expected?.count[0]);
    }
  });

  it("gives rsl_rl's outputs", () => {
    const normaliser = trained();
    const found = tf.tidy(() => normaliser.apply(tf.tensor2d(golden.x)).dataSync());
    expectClose(found, golden.y.flat());
    normaliser.dispose();
  });

  it("gives (x − 0) / (1 + 0.01) before it has seen anything", () => {
    const normaliser = new Normaliser(2);
    const found = tf.tidy(() => normaliser.apply(tf.tensor2d([[1.01, -2.02]])).dataSync());
    expectClose(found, [1, -2]);
    normaliser.dispose();
  });

  it("is the same after save and load, bit for bit", () => {
    const saved = trained().save();
    const loaded = new Normaliser(3);
    loaded.load({ ...saved, "mlp.0.bias": { shape: [1], data: new Float32Array(1) } });
    expect(loaded.state()).toEqual(trained().state());
    expect(saved["obs_normalizer._mean"]?.shape).toEqual([1, 3]);
  });

  it("counts exactly beyond what float32 can hold", () => {
    const count = 2 ** 31 + 12_345_677;
    const state = { ...trained().state(), count };
    const back = normaliserStateIn(new Normaliser(3, state).save());
    expect(back?.count).toBe(count);
  });

  it("changes nothing for an empty batch", () => {
    const normaliser = trained();
    normaliser.update(new Float32Array());
    expect(normaliser.state()).toEqual(trained().state());
  });

  it("never writes to arrays it was given or gave away", () => {
    const state = trained().state();
    const kept = Array.from(state.mean);
    const normaliser = new Normaliser(3, state);
    const given = normaliser.state();
    normaliser.update(Float32Array.of(100, 100, 100));
    expect(Array.from(state.mean)).toEqual(kept);
    expect(Array.from(given.mean)).toEqual(kept);
  });

  it("leaves no tensor behind, however often it is updated and used", () => {
    const before = tf.memory().numTensors;
    const normaliser = new Normaliser(3);
    for (let i = 0; i < 5; i++) {
      normaliser.update(Float32Array.of(i, 2, 3));
      tf.tidy(() => normaliser.apply(tf.zeros([2, 3])).dataSync());
      expect(tf.memory().numTensors).toBe(before + 2);
    }
    normaliser.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses half a row, statistics of another width, and none", () => {
    expect(() => new Normaliser(3).update(new Float32Array(4))).toThrow(/multiple of the width 3/);
    expect(() => new Normaliser(4, trained().state())).toThrow(/\[3\], expected \[4\]/);
    expect(() => new Normaliser(3).load({})).toThrow(/_mean/);
  });
});
