import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createActor } from "../../policies/checkpoint/actor.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import { bounded } from "../../policies/networks/bounded.ts";
import { createMlp } from "../../policies/networks/mlp.ts";
import { Normaliser } from "../../policies/networks/normaliser.ts";
import { Random } from "../../policies/random.ts";
import { startEngine } from "../../src/engine/start.ts";

beforeAll(() => startEngine("auto"));

const array = (shape: readonly number[], ...data: number[]) => ({
  shape,
  data: Float32Array.from(data),
});

describe("an MLP with layer norms", () => {
  const make = (stride?: number) =>
    createMlp({
      ...{ inputWidth: 3, outputWidth: 2, hidden: [4, 5], activation: "relu", stride },
      ...{ layerNorm: { epsilon: 1e-6 }, random: new Random(1).uniform },
    });

  it("has the names, shapes and order of PyTorch's Sequential, and norms that start as none", () => {
    const network = make();
    expect(network.parameters.map(({ name, value }) => [name, value.shape])).toEqual([
      ["mlp.0.weight", [4, 3]],
      ["mlp.0.bias", [4]],
      ["mlp.2.weight", [4]],
      ["mlp.2.bias", [4]],
      ["mlp.3.weight", [5, 4]],
      ["mlp.3.bias", [5]],
      ["mlp.5.weight", [5]],
      ["mlp.5.bias", [5]],
      ["mlp.6.weight", [2, 5]],
      ["mlp.6.bias", [2]],
    ]);
    expect([...network.parameters[2]!.value.dataSync()]).toEqual([1, 1, 1, 1]);
    expect([...network.parameters[3]!.value.dataSync()]).toEqual([0, 0, 0, 0]);
    network.dispose();
  });

  it("normalises each row behind the activation, then scales and shifts", async () => {
    const identity = [1, 0, 0, 1];
    const network = createMlp({
      ...{ inputWidth: 2, outputWidth: 2, hidden: [2], activation: "relu" },
      layerNorm: { epsilon: 0.5 },
      weights: {
        "mlp.0.weight": array([2, 2], ...identity),
        "mlp.0.bias": array([2], 0, 0),
        "mlp.2.weight": array([2], 2, 3),
        "mlp.2.bias": array([2], 0.1, -0.1),
        "mlp.3.weight": array([2, 2], ...identity),
        "mlp.3.bias": array([2], 0, 0),
      },
    });
    const outputs = tf.tidy(() => network.forward(tf.tensor2d([[3, -7]]), []).outputs);
    // ReLU gives (3, 0): mean 1.5, variance 2.25, and so ±1.5 / √2.75.
    const normal = 1.5 / Math.sqrt(2.75);
    const found = await outputs.data();
    expect(found[0]).toBeCloseTo(2 * normal + 0.1, 5);
    expect(found[1]).toBeCloseTo(-3 * normal - 0.1, 5);
    network.dispose();
  });

  it("has the gradient that its differences have", async () => {
    const network = make();
    const inputs = tf.tensor2d([0.3, -0.2, 0.9, 1, 0.5, -1], [2, 3]);
    const loss = () => tf.sum(tf.square(network.forward(inputs, []).outputs)) as tf.Scalar;
    const { value } = network.parameters.find(({ name }) => name === "mlp.2.weight")!;
    const { grads } = tf.tidy(() => tf.variableGrads(loss, [value]));
    const gradient = await grads[value.name]!.data();
    const original = (await value.data()).slice();
    for (const [i, by] of gradient.entries()) {
      const at = (step: number) => {
        const moved = original.map((w, k) => (k === i ? w + step : w));
        tf.tidy(() => value.assign(tf.tensor1d(moved)));
        return tf.tidy(loss).dataSync()[0]!;
      };
      expect(by).toBeCloseTo((at(1e-2) - at(-1e-2)) / 2e-2, 2);
    }
    network.dispose();
  });

  it("can be numbered otherwise", () => {
    const network = createMlp({
      ...{ inputWidth: 3, outputWidth: 2, hidden: [4], activation: "relu", stride: 3 },
    });
    expect(network.parameters.map(({ name }) => name)).toEqual([
      ...["mlp.0.weight", "mlp.0.bias", "mlp.3.weight", "mlp.3.bias"],
    ]);
    network.dispose();
  });

  it("starts from other weights where asked to", () => {
    const seen: unknown[] = [];
    const network = createMlp({
      ...{ inputWidth: 3, outputWidth: 2, hidden: [4], activation: "relu" },
      init: ({ inputs, outputs, last }) => {
        seen.push([inputs, outputs, last]);
        return {
          weight: new Float32Array(inputs * outputs).fill(0.5),
          bias: new Float32Array(outputs).fill(0.25),
        };
      },
    });
    expect(seen).toEqual([
      [3, 4, false],
      [4, 2, true],
    ]);
    expect([...network.parameters[3]!.value.dataSync()]).toEqual([0.25, 0.25]);
    network.dispose();
  });
});

describe("a bounded network", () => {
  const range = { center: [1, -2], half: [3, 0.5] };
  const weights = {
    "mlp.0.weight": array([4, 1], 1, -1, 7, 7),
    "mlp.0.bias": array([4], 0, 0.5, 7, 7),
  };

  it("puts out centre and half a tanh, of the first columns alone where there are more", async () => {
    const raw = createMlp({
      inputWidth: 1,
      outputWidth: 4,
      hidden: [],
      activation: "relu",
      weights,
    });
    const network = bounded(raw, range);
    expect(network.outputWidth).toBe(2);
    const outputs = tf.tidy(() => network.forward(tf.tensor2d([[0.3], [50]]), []).outputs);
    const found = [...(await outputs.data())];
    const expected = [1 + 3 * Math.tanh(0.3), -2 + 0.5 * Math.tanh(0.2), 4, -2.5];
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
    network.dispose();
  });

  it("is the same from a checkpoint and as a graph, its normaliser with an epsilon of its own", async () => {
    const statistics = {
      mean: Float32Array.of(2),
      variance: Float32Array.of(0.25),
      std: Float32Array.of(0.5),
      ...{ count: 9, epsilon: 1e-3 },
    };
    const actor = {
      ...{ layers: weights, inputWidth: 1, hidden: [], outputWidth: 4, actionWidth: 2 },
      normaliser: statistics,
    };
    const head = { kind: "tanh", ...range } as const;
    const network = createActor(actor, "relu", head);
    const normaliser = new Normaliser(1, statistics);
    const inputs = Float32Array.of(1.9, 2.3);
    const outputs = tf.tidy(() => {
      return network.forward(normaliser.apply(tf.tensor2d(inputs, [2, 1])), []).outputs;
    });
    const expected = [...(await outputs.data())];
    expect(expected[0]).toBeCloseTo(1 + 3 * Math.tanh(-0.1 / 0.501), 5);
    const model = writeTfjs(buildGraph({ actor, activation: "relu", head }), {});
    const found = await runTfjs(model, { obs: { shape: [2, 1], data: inputs } });
    for (const [i, value] of expected.entries()) {
      expect(found.actions!.data[i]).toBeCloseTo(value, 5);
    }
    network.dispose();
    normaliser.dispose();
  });
});

describe("a normaliser with an epsilon of its own", () => {
  it("keeps it through new data, files and copies; one without has none in its files", () => {
    const zero = { mean: Float32Array.of(0), variance: Float32Array.of(1) };
    const state = { ...zero, std: Float32Array.of(1), count: 1, epsilon: 0.25 };
    const normaliser = new Normaliser(1, state);
    normaliser.update(Float32Array.of(-1, 1));
    expect(normaliser.state().epsilon).toBe(0.25);
    const other = new Normaliser(1);
    expect(Object.keys(other.save())).not.toContain("obs_normalizer._epsilon");
    other.load(normaliser.save());
    expect(other.state()).toEqual(normaliser.state());
    const seen = tf.tidy(() => other.apply(tf.tensor2d([[3]])).dataSync()[0]!);
    expect(seen).toBeCloseTo(3 / (normaliser.state().std[0]! + 0.25), 5);
    normaliser.dispose();
    other.dispose();
  });
});
