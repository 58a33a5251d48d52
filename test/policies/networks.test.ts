import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMlp } from "../../policies/networks/mlp.ts";
import type { Network, Sequence } from "../../policies/networks/network.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import { Random } from "../../policies/random.ts";
import { startEngine } from "../../src/engine/start.ts";

let random = new Random(1);

beforeAll(() => startEngine("auto"));
beforeEach(() => {
  random = new Random(1);
});

const mlp = (hidden: readonly number[], activation = "tanh", inputWidth = 3) =>
  createMlp({ inputWidth, outputWidth: 2, hidden, activation, random: random.uniform });

const recurrent = (type: "gru" | "lstm", layers: number) =>
  createRecurrent({
    inputWidth: 3,
    outputWidth: 2,
    hidden: [5],
    activation: "tanh",
    random: random.uniform,
    rnn: { type, width: 4, layers },
  });

const shapes = (network: Network) =>
  network.parameters.map(({ name, value }) => [name, value.shape]);
const values = (network: Network, name: string) =>
  network.parameters.find((parameter) => parameter.name === name)?.value.dataSync<"float32">() ??
  new Float32Array();

const largest = (numbers: Float32Array) =>
  numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

const kinds: readonly [string, () => Network][] = [
  ["an MLP", () => mlp([6, 5])],
  ["a GRU of two layers", () => recurrent("gru", 2)],
  ["an LSTM of two layers", () => recurrent("lstm", 2)],
];

describe("parameters", () => {
  it("of an MLP have PyTorch's names, shapes and order", () => {
    expect(shapes(mlp([6, 5]))).toEqual([
      ["mlp.0.weight", [6, 3]],
      ["mlp.0.bias", [6]],
      ["mlp.2.weight", [5, 6]],
      ["mlp.2.bias", [5]],
      ["mlp.4.weight", [2, 5]],
      ["mlp.4.bias", [2]],
    ]);
  });

  it("of an LSTM follow those of its MLP, gates stacked", () => {
    expect(shapes(recurrent("lstm", 2)).slice(4)).toEqual([
      ["rnn.rnn.weight_ih_l0", [16, 3]],
      ["rnn.rnn.weight_hh_l0", [16, 4]],
      ["rnn.rnn.bias_ih_l0", [16]],
      ["rnn.rnn.bias_hh_l0", [16]],
      ["rnn.rnn.weight_ih_l1", [16, 4]],
      ["rnn.rnn.weight_hh_l1", [16, 4]],
      ["rnn.rnn.bias_ih_l1", [16]],
      ["rnn.rnn.bias_hh_l1", [16]],
    ]);
  });

  it("are the same for the same random numbers, and others for others", () => {
    const draw = (seed: number) => {
      random = new Random(seed);
      return values(mlp([6]), "mlp.0.weight");
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  it("start uniform in ±1/√inputs, weights and biases alike, as PyTorch's Linear", () => {
    const network = mlp([400, 400], "elu", 100);
    for (const [name, bound] of [
      ["mlp.0.weight", 0.1],
      ["mlp.2.weight", 0.05],
      ["mlp.2.bias", 0.05],
    ] as const) {
      const drawn = values(network, name);
      const mean = drawn.reduce((sum, w) => sum + w, 0) / drawn.length;
      const deviation = Math.sqrt(drawn.reduce((sum, w) => sum + w * w, 0) / drawn.length);
      const sampling = bound / Math.sqrt(drawn.length);
      expect(largest(drawn)).toBeLessThanOrEqual(Math.fround(bound));
      expect(largest(drawn)).toBeGreaterThan(0.97 * bound);
      expect(Math.abs(mean)).toBeLessThan(4 * sampling);
      expect(Math.abs(deviation - bound / Math.sqrt(3))).toBeLessThan(4 * sampling);
    }
  });

  it("of a GRU start uniform in ±1/√width of its state", () => {
    const drawn = values(recurrent("gru", 1), "rnn.rnn.weight_ih_l0");
    expect(largest(drawn)).toBeLessThanOrEqual(0.5);
    expect(largest(drawn)).toBeGreaterThan(0.4);
  });

  it("are copied from the weights given, not shared with them", () => {
    const given = {
      "mlp.0.weight": { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      "mlp.0.bias": { shape: [2], data: Float32Array.of(7, 8) },
    };
    const options = { inputWidth: 3, outputWidth: 2, hidden: [], activation: "elu" };
    const network = createMlp({ ...options, weights: given });
    given["mlp.0.weight"].data.fill(0);
    expect(Array.from(values(network, "mlp.0.weight"))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("that are missing or of another shape are refused by name", () => {
    const options = { inputWidth: 3, outputWidth: 2, hidden: [], activation: "elu" };
    const weight = { shape: [2, 3], data: new Float32Array(6) };
    const missing = () => createMlp({ ...options, weights: { "mlp.0.weight": weight } });
    expect(missing).toThrow(/mlp\.0\.bias \[2\] is missing/);
    const bias = { shape: [3], data: new Float32Array(3) };
    const other = () =>
      createMlp({ ...options, weights: { "mlp.0.weight": weight, "mlp.0.bias": bias } });
    expect(other).toThrow(/mlp\.0\.bias is \[3\], expected \[2\]/);
  });

  it.each([0, -1, 2.5, Number.NaN])("of width %s are refused", (width) => {
    expect(() => mlp([width])).toThrow(/widths are/);
  });
});

describe.each(kinds)("%s", (_, create) => {
  /** Sum of outputs over three steps in which memory is handed on. */
  function unrolled(network: Network, inputs: tf.Tensor2D): tf.Scalar {
    let memory = network.memoryWidths.map((width) => tf.fill<tf.Rank.R2>([4, width], 0.1));
    const sums: tf.Tensor[] = [];
    for (let step = 0; step < 3; step++) {
      const flown = network.forward(tf.add(inputs, step) as tf.Tensor2D, memory);
      memory = flown.memory;
      sums.push(tf.sum(tf.square(flown.outputs)));
    }
    return tf.addN(sums) as tf.Scalar;
  }

  it("has the gradient that finite differences give, for every parameter", () => {
    const network = create();
    const inputs = tf.tensor2d(Float32Array.from({ length: 12 }, random.normal), [4, 3]);
    const variables = network.parameters.map(({ value }) => value);
    const loss = () => tf.tidy(() => unrolled(network, inputs).dataSync()[0] as number);
    const { grads } = tf.variableGrads(() => unrolled(network, inputs), variables);
    for (const { name, value } of network.parameters) {
      const slope = grads[value.name]?.dataSync()[0] ?? Number.NaN;
      const before = value.dataSync<"float32">().slice();
      const nudged = (by: number) => {
        const moved = before.slice();
        moved[0] = (moved[0] ?? 0) + by;
        tf.tidy(() => value.assign(tf.tensor(moved, value.shape)));
        return loss();
      };
      const estimate = (nudged(1e-2) - nudged(-1e-2)) / 2e-2;
      nudged(0);
      expect(Math.abs(slope - estimate), name).toBeLessThan(1e-2 * Math.max(1, Math.abs(slope)));
    }
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    const network = create();
    expect(tf.memory().numTensors).toBe(before + network.parameters.length);
    const zeros = network.memoryWidths.map((width) => tf.zeros([1, width]) as tf.Tensor2D);
    tf.tidy(() => network.forward(tf.zeros([1, 3]), zeros).outputs.dataSync());
    tf.dispose(zeros);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.each(kinds.slice(1))("%s walks through a sequence", (_, create) => {
  const [steps, batch] = [5, 4];
  /** Row `step * batch + i`; at the third step nobody's episode ends. */
  const ended = [3, 4, 6, 14, 19];

  const drawn = (rows: number, width: number) =>
    tf.tensor2d(Float32Array.from({ length: rows * width }, random.normal), [rows, width]);

  function sequenceFor(network: Network): Sequence {
    const alive = Array.from({ length: steps }, (_, step) => {
      const rows = Array.from({ length: batch }, (_, i) => step * batch + i);
      const living = rows.map((row) => (ended.includes(row) ? 0 : 1));
      return living.includes(0) ? tf.tensor2d(living, [batch, 1]) : null;
    });
    const memory = network.memoryWidths.map((width) => drawn(batch, width));
    return { inputs: drawn(steps * batch, 3), alive, memory };
  }

  function stepByStep(network: Network, { inputs, alive, memory: start }: Sequence) {
    let memory = [...start];
    const outputs = tf.split<tf.Tensor2D>(inputs, steps).map((seen, t) => {
      const flown = network.forward(seen, memory);
      memory = flown.memory.map((state): tf.Tensor2D => tf.mul(state, alive[t] ?? 1));
      return flown.outputs;
    });
    return { outputs: tf.concat2d(outputs, 0), memory };
  }

  function atOnce(network: Network, sequence: Sequence) {
    const parts = network.sequence!;
    const { features, memory } = parts.walk(sequence);
    return { outputs: parts.head(features), memory };
  }

  it("to the outputs, memory and gradients of single steps", () => {
    const network = create();
    const sequence = sequenceFor(network);
    const flown = [stepByStep, atOnce].map((way) => tf.tidy(() => way(network, sequence)));
    const [single, whole] = flown.map(({ outputs, memory }) => [outputs, ...memory]);
    single!.forEach((tensor, i) => {
      expect(largest(tf.sub(tensor, whole![i]!).dataSync<"float32">())).toBeLessThan(1e-6);
    });

    const wanted = drawn(steps * batch, 2);
    const variables = network.parameters.map(({ value }) => value);
    const [expected, got] = [stepByStep, atOnce].map((way) => {
      const loss = () =>
        tf.sum(tf.square(tf.sub(way(network, sequence).outputs, wanted))) as tf.Scalar;
      return tf.variableGrads(loss, variables).grads;
    });
    for (const { name, value } of network.parameters) {
      const slope = expected![value.name]!;
      const apart = largest(tf.sub(slope, got![value.name]!).dataSync<"float32">());
      expect(largest(slope.dataSync<"float32">()), name).toBeGreaterThan(1e-3);
      expect(apart, name).toBeLessThan(1e-5 * Math.max(1, largest(slope.dataSync<"float32">())));
    }
  });

  it("and leaves nothing behind", () => {
    const network = create();
    const sequence = sequenceFor(network);
    const variables = network.parameters.map(({ value }) => value);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const loss = () => tf.sum(atOnce(network, sequence).outputs) as tf.Scalar;
      tf.variableGrads(loss, variables).value.dataSync();
    });
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });
});

it("a recurrent network refuses a memory that is not its own", () => {
  const network = recurrent("lstm", 1);
  const attempt = () => tf.tidy(() => network.forward(tf.zeros([1, 3]), []).outputs);
  expect(attempt).toThrow(/a memory of 0 states, expected 2/);
});
