import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Parameter } from "../../policies/networks/network.ts";
import { startEngine } from "../../src/engine/start.ts";
import { Optimiser } from "../../src/learning/optimiser.ts";
import type { RuleName } from "../../src/learning/rules.ts";

beforeAll(() => startEngine("auto"));

const target = [0.5, -2, 3, 0.25];

function student(): Parameter[] {
  return [
    { name: "a", value: tf.variable(tf.tensor2d([1, -1, 2, 0.5], [2, 2])) },
    { name: "b", value: tf.variable(tf.tensor1d([0.3])) },
  ];
}

/** Loss Σ (a − target)² + b⁴, whose gradient is known by hand. */
function loss(parameters: readonly Parameter[]): tf.Scalar {
  const [a, b] = parameters.map((p) => p.value) as [tf.Variable, tf.Variable];
  const distance = tf.sub(tf.reshape(a, [-1]), tf.tensor1d(target));
  return tf.add(tf.sum(tf.square(distance)), tf.sum(tf.pow(b, 4)));
}

const gradient = (p: number[]) => [...target.map((goal, i) => 2 * (p[i]! - goal)), 4 * p[4]! ** 3];

type Step = (p: number[], g: number[], t: number) => number[];

/** The rules as torch.optim's documentation states them, in float64. */
function reference(name: RuleName, lr: number): Step {
  const m = [0, 0, 0, 0, 0];
  const v = [0, 0, 0, 0, 0];
  const adam: Step = (p, g, t) =>
    p.map((x, i) => {
      m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
      const meanHat = m[i]! / (1 - 0.9 ** t);
      return x - (lr * meanHat) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
    });
  const steps: Record<RuleName, Step> = {
    adam,
    adamw: (p, g, t) =>
      adam(
        p.map((x) => x * (1 - lr * 0.01)),
        g,
        t,
      ),
    sgd: (p, g) => p.map((x, i) => x - lr * g[i]!),
    rmsprop: (p, g) =>
      p.map((x, i) => {
        v[i] = 0.99 * v[i]! + 0.01 * g[i]! ** 2;
        return x - (lr * g[i]!) / (Math.sqrt(v[i]!) + 1e-8);
      }),
  };
  return steps[name];
}

const read = async (parameters: Parameter[]) =>
  (await Promise.all(parameters.map((p) => p.value.data()))).flatMap((d) => [...d]);

function minimise(optimiser: Optimiser, parameters: Parameter[], clip: number | null = null) {
  optimiser.minimise(() => loss(parameters), clip).dispose();
}

describe.each<RuleName>(["adam", "adamw", "sgd", "rmsprop"])("%s", (name) => {
  it("follows torch.optim's rule for ten steps", async () => {
    const parameters = student();
    const optimiser = new Optimiser(name, parameters, 0.02);
    const step = reference(name, 0.02);
    let expected = await read(parameters);
    for (let t = 1; t <= 10; t += 1) {
      minimise(optimiser, parameters);
      expected = step(expected, gradient(expected), t);
    }
    const got = await read(parameters);
    for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 4);
  });

  it("goes on from a saved state as if it had never stopped", async () => {
    const straight = student();
    const first = new Optimiser(name, straight, 0.02);
    for (let t = 0; t < 6; t += 1) minimise(first, straight);

    const broken = student();
    const before = new Optimiser(name, broken, 0.02);
    for (let t = 0; t < 3; t += 1) minimise(before, broken);
    const after = new Optimiser(name, broken, 0.02);
    after.load(await before.save());
    for (let t = 0; t < 3; t += 1) minimise(after, broken);
    expect(await read(broken)).toEqual(await read(straight));
  });

  it("leaves no tensor behind", () => {
    const parameters = student();
    const optimiser = new Optimiser(name, parameters, 0.02);
    minimise(optimiser, parameters);
    const before = tf.memory().numTensors;
    for (let t = 0; t < 20; t += 1) minimise(optimiser, parameters, 1);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("clipping", () => {
  it("scales the whole gradient to the norm and leaves a small one alone", async () => {
    const start = await read(student());
    const g = gradient(start);
    const norm = Math.hypot(...g);
    for (const [limit, scale] of [
      [1, 1 / (norm + 1e-6)],
      [norm * 2, 1],
    ] as const) {
      const parameters = student();
      minimise(new Optimiser("sgd", parameters, 0.1), parameters, limit);
      const got = await read(parameters);
      for (const [i, x] of start.entries()) expect(got[i]).toBeCloseTo(x - 0.1 * scale * g[i]!, 5);
    }
  });
});

it("refuses moments of another optimiser or size", async () => {
  const parameters = student();
  const adam = new Optimiser("adam", parameters, 0.1);
  const state = await adam.save();
  expect(() => new Optimiser("sgd", parameters, 0.1).load(state)).toThrow(/adam moments/);
  expect(() => new Optimiser("adam", parameters.slice(1), 0.1).load(state)).toThrow(/2 parameters/);
});
