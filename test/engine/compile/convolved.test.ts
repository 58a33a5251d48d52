import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { createCnn } from "../../../policies/networks/cnn/cnn.ts";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { relu } from "../../../policies/networks/relu.ts";
import { Random } from "../../../policies/random.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { isSame, type Trial } from "../../../src/engine/compile/convolution-trial.ts";
import { convolved } from "../../../src/engine/compile/convolved.ts";
import { nativeBackend } from "../../../src/engine/compile/native-backend.ts";
import type { Recording } from "../../../src/engine/compile/recording.ts";
import { trace } from "../../../src/engine/compile/trace.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { Optimiser } from "../../../src/learning/optimiser.ts";
import { take } from "./programs.ts";

await startEngine("cpu");
const native = nativeBackend()!;

/** A digest: to compare hundreds of thousands of numbers one by one would take ten times as long. */
function bits(tensor: tf.Tensor): string {
  const digest = createHash("sha1").update(tensor.dataSync()).digest("hex");
  tensor.dispose();
  return digest;
}

type Entry = (inputs: readonly tf.Tensor[]) => tf.Tensor[];

/** What the third call gives, eagerly and compiled, fed and held. */
function thrice(entry: Entry, inputs: readonly tf.Tensor[]) {
  return (["off", "fed", "held"] as const).map((how) => {
    const compile = how === "off" ? compileWith(how) : compileWith("on", { residence: how });
    const program = compile({ state: [], entries: { entry } });
    const seen = Array.from({ length: 3 }, () => program.run("entry", inputs).map(bits));
    program.dispose();
    return seen[2];
  });
}

interface Layer {
  readonly pads?: readonly (readonly [number, number])[];
  readonly stride?: number;
  readonly kernel?: number;
  readonly activation?: (x: tf.Tensor) => tf.Tensor;
  /** Whether the padded picture is given back as well. */
  readonly shown?: boolean;
  readonly biased?: boolean;
}

const square = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
] as const;

function layer({ pads = square, stride = 2, activation = relu, ...rest }: Layer): Entry {
  return ([x, w, b]) => {
    const padded = tf.pad(x as tf.Tensor4D, pads as [number, number][]);
    const sum = tf.conv2d(padded, w as tf.Tensor4D, stride, "valid");
    const out = activation(rest.biased === false ? sum : tf.add(sum, b!));
    return rest.shown ? [out, padded] : [out];
  };
}

function given([rows, size, channels, filters, kernel]: readonly number[]) {
  const normal = (shape: readonly number[], seed: number) =>
    tf.randomNormal([...shape], 0, 1, "float32", seed);
  return [
    normal([rows!, size!, size!, channels!], 1),
    normal([kernel!, kernel!, channels!, filters!], 2),
    normal([filters!], 3),
  ] as const;
}

const layers: Readonly<Record<string, Layer>> = {
  "padded, with a bias and relu": {},
  "with a stride of 1": { stride: 1 },
  "padded on two sides": {
    pads: [
      [0, 0],
      [2, 0],
      [0, 3],
      [0, 0],
    ],
  },
  "padded with channels": {
    pads: [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 2],
    ],
  },
  "without a bias": { biased: false },
  "whose padded picture is read twice": { shown: true },
  "with another activation": { activation: (x) => tf.elu(x) },
  "with a bounded relu": { activation: (x) => tf.relu6(x) },
  "with tanh": { activation: (x) => tf.tanh(x) },
  "with swish": { activation: (x) => tf.mul(x, tf.sigmoid(x)) },
  "and nothing behind": { activation: (x) => x },
  "that is added to": { activation: (x) => relu(tf.add(x, tf.square(x))) },
};

it.each(Object.entries(layers))("a convolution %s keeps its bits", (_, options) => {
  for (const sizes of [
    [1, 5, 1, 1, 3],
    [7, 16, 2, 16, 3],
    [100, 9, 16, 32, 3],
    [3, 8, 3, 20, 1],
    [17, 6, 40, 5, 4],
  ]) {
    const [x, w, b] = given(sizes);
    const grown = options.pads?.[3]?.[1] ?? 0;
    const filter =
      grown === 0
        ? w
        : tf.pad(w, [
            [0, 0],
            [0, 0],
            [0, grown],
            [0, 0],
          ] as never);
    const [eager, ...compiled] = thrice(layer(options), [x, filter, b]);
    for (const one of compiled) expect(one).toEqual(eager);
    tf.dispose([x, w, b, filter]);
  }
});

it("shows what is not a number behind a relu", () => {
  const inputs = given([7, 16, 2, 16, 3]);
  const bias = tf.concat([tf.tensor1d([Number.NaN, Infinity, -Infinity]), tf.zeros([13])]);
  const [eager, ...compiled] = thrice(
    (all) => [tf.isNaN(layer({})(all)[0]!), tf.slice(layer({})(all)[0]!, [0, 0, 0, 1])],
    [inputs[0], inputs[1], bias],
  );
  for (const one of compiled) expect(one).toEqual(eager);
  tf.dispose([...inputs, bias]);
});

/** The operations that a layer's convolution is made of, in a graph. */
function madeOf(options: Layer, trial: Trial) {
  const inputs = given([2, 6, 2, 3, 3]);
  let recording: Recording | undefined;
  const run = (own: readonly tf.Tensor[]) => layer(options)(own);
  const accept = (one: Recording) => {
    recording = one;
  };
  tf.dispose(trace(native, { name: "layer", state: [], inputs, run, accept }));
  tf.dispose([...inputs]);
  const { operations } = convolved(recording!, native, trial);
  const at = operations.findIndex(({ name }) => name === "Conv2D");
  const value = (name: string) =>
    operations[at]!.attributes.find((one) => one.name === name)?.value;
  return {
    pads: value("explicit_paddings"),
    padding: value("padding"),
    readsPad: operations[Number(operations[at]!.inputs[0]!.slice(1))]?.name === "PadV2",
    bias: operations.find(({ inputs }) => inputs.includes(`n${at}`))?.name,
  };
}

it("pads its pictures itself, unless somebody else reads them, and takes its bias along", () => {
  const same = () => true;
  const own = { padding: "EXPLICIT", pads: [0, 0, 1, 1, 1, 1, 0, 0], readsPad: false };
  const other = { padding: "VALID", pads: undefined, readsPad: true };
  expect(madeOf({}, same)).toEqual({ ...own, bias: "BiasAdd" });
  expect(madeOf({ biased: false }, same)).toEqual({ ...own, bias: "Relu" });
  expect(madeOf({ shown: true }, same)).toEqual({ ...other, bias: "BiasAdd" });
});

it("is left alone where a trial finds other bits, and pads at least where that alone keeps them", () => {
  const other = { padding: "VALID", pads: undefined, readsPad: true };
  expect(madeOf({}, () => false)).toEqual({ ...other, bias: "Add" });
  const padsAlone: Trial = (_, taken) => taken.operations.every(({ name }) => name !== "BiasAdd");
  expect(madeOf({}, padsAlone)).toMatchObject({ padding: "EXPLICIT", bias: "Add" });
  const biasAlone: Trial = (_, { operations }) =>
    operations.every(({ attributes }) => attributes.every(({ value }) => value !== "EXPLICIT"));
  expect(madeOf({}, biasAlone)).toEqual({ ...other, bias: "BiasAdd" });
});

/** What is done with `[8, 8]` and `[8, columns]`. */
function recorded(compute: Entry, columns: number): Recording {
  const inputs = [tf.ones([8, 8]), tf.ones([8, columns])];
  let recording: Recording | undefined;
  const accept = (one: Recording) => {
    recording = one;
  };
  tf.dispose(trace(native, { name: "product", state: [], inputs, run: compute, accept }));
  tf.dispose(inputs);
  return recording!;
}

it("is tried in numbers enough to tell two programs apart", () => {
  const { numTensors } = tf.memory();
  const product: Entry = ([x, w]) => [tf.matMul(x!, w!)];
  const nearly: Entry = ([x, w]) => [tf.mul(tf.matMul(x!, w!), 1 + 2 ** -23)];
  expect(isSame(recorded(product, 16), recorded(product, 16), native)).toBe(true);
  expect(isSame(recorded(product, 16), recorded(nearly, 16), native)).toBe(false);
  expect(isSame(recorded(product, 1), recorded(product, 1), native)).toBe(false);
  expect(tf.memory().numTensors).toBe(numTensors);
});

const groups = [
  { name: "camera", shape: [12, 12, 2] },
  { name: "joints", shape: [3] },
];

/** Losses, weights and moments after a few steps through convolutions and layers. */
function learned(mode: "off" | "fed" | "held", activation: string) {
  const random = new Random(5);
  const cnn = createCnn({ groups, activation, featureWidth: 24, random: random.uniform });
  const head = createMlp({
    ...{ inputWidth: 24, outputWidth: 2, hidden: [32], activation, random: random.uniform },
  });
  const optimiser = new Optimiser("adam", [...cnn.parameters, ...head.parameters], 1e-2);
  const forward = (inputs: readonly tf.Tensor[]) => head.forward(cnn.forward(inputs), []).outputs;
  const compile = mode === "off" ? compileWith(mode) : compileWith("on", { residence: mode });
  const program = compile({
    state: optimiser.state,
    entries: {
      step: ([camera, joints, y, ...scalars]) => {
        const loss = () => tf.mean<tf.Scalar>(tf.square(tf.sub(forward([camera!, joints!]), y!)));
        const terms = () => ({ loss: loss(), besides: [] });
        return [optimiser.descend(terms, { maxGradNorm: 1, scalars }).loss];
      },
      act: ([camera, joints]) => [forward([camera!, joints!])],
    },
  });
  const camera = tf.randomUniform([20, 12 * 12 * 2], 0, 255, "float32", 1);
  const joints = tf.randomNormal([20, 3], 0, 1, "float32", 2);
  const y = tf.randomNormal([20, 2], 0, 1, "float32", 3);
  const losses = Array.from({ length: 6 }, () => {
    const scalars = optimiser.nextStep();
    const [loss] = program.run("step", [camera, joints, y, ...scalars]);
    tf.dispose(scalars);
    return [...take(loss!), ...program.run("act", [camera, joints]).map(bits)];
  });
  const state = optimiser.state.map((one) => bits(tf.clone(one as tf.Tensor)));
  program.dispose();
  tf.dispose([camera, joints, y]);
  for (const one of [optimiser, cnn, head]) one.dispose();
  return { losses, state };
}

it.each(["relu", "elu"])("pictures and layers with %s are learned of to the bit", (activation) => {
  const eager = learned("off", activation);
  expect(eager.losses[5]![0]).toBeLessThan(eager.losses[0]![0] as number);
  expect(learned("fed", activation)).toEqual(eager);
  expect(learned("held", activation)).toEqual(eager);
});
