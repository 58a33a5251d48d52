import * as tf from "@tensorflow/tfjs-core";
import {
  checkWidths,
  createMlp,
  createParameter,
  type Linear,
  linear,
  type MlpOptions,
} from "./mlp.ts";
import type { Network, Parameter, SequenceParts } from "./network.ts";
import { PolicyError } from "./policy-error.ts";

export type RnnType = "gru" | "lstm";

export interface RecurrentOptions extends MlpOptions {
  readonly rnn: {
    readonly type: RnnType;
    /** Width of each state. */
    readonly width: number;
    readonly layers: number;
  };
}

/** Weights of one layer: on its input and on its own last output, gates stacked along the rows. */
interface Cell {
  readonly input: Linear;
  readonly hidden: Linear;
}

type States = readonly tf.Tensor2D[];

/**
 * One time step of one layer: the input's part of the gates `[batch, gates * width]`, and
 * `[batch, width]` states in and out, the output being the first.
 */
type Step = (cell: Cell, gates: tf.Tensor2D, states: States) => tf.Tensor2D[];

/** Gates per cell and states per layer, and the step. */
const KINDS: Readonly<Record<RnnType, { gates: number; states: number; step: Step }>> = {
  gru: { gates: 3, states: 1, step: gruStep },
  lstm: { gates: 4, states: 2, step: lstmStep },
};

/**
 * torch.nn.GRU or LSTM followed by an MLP, as rsl_rl's RNNModel: parameters `mlp.*`, then
 * `rnn.rnn.weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `…_l1` …
 * Memory: the hidden state of each layer, and after those (LSTM) the cell state of each layer;
 * zeros to start with.
 *
 * @throws PolicyError as `createMlp`
 */
export function createRecurrent(options: RecurrentOptions): Network {
  const { type, width, layers } = options.rnn;
  checkWidths([options.inputWidth, width, layers]);
  const kind = KINDS[type];
  const head = createMlp({ ...options, inputWidth: width });
  const parameters: Parameter[] = [...head.parameters];
  const cells = Array.from({ length: layers }, (_, layer) =>
    createCell(layer === 0 ? options.inputWidth : width, layer, options, parameters),
  );
  const sequence: SequenceParts = {
    prepare: (inputs) => linear(inputs, cells[0]!.input),
    step: (prepared, memory) => {
      checkMemory(memory.length, kind.states * layers);
      const next: tf.Tensor2D[] = [];
      let features = prepared;
      cells.forEach((cell, layer) => {
        const states = memory.filter((_, state) => state % layers === layer);
        const gates = layer === 0 ? prepared : linear(features, cell.input);
        kind.step(cell, gates, states).forEach((state, s) => {
          next[s * layers + layer] = state;
        });
        features = next[layer] as tf.Tensor2D;
      });
      return { features, memory: next };
    },
    head: (features) => head.forward(features, []).outputs,
  };
  return {
    inputWidth: options.inputWidth,
    outputWidth: options.outputWidth,
    parameters,
    memoryWidths: Array.from({ length: kind.states * layers }, () => width),
    sequence,
    forward: (inputs, memory) => {
      const flown = sequence.step(sequence.prepare(inputs), memory);
      return { outputs: sequence.head(flown.features), memory: flown.memory };
    },
    dispose: () => tf.dispose(parameters.map((parameter) => parameter.value)),
  };
}

function createCell(
  inputs: number,
  layer: number,
  options: RecurrentOptions,
  parameters: Parameter[],
): Cell {
  const { type, width } = options.rnn;
  const rows = KINDS[type].gates * width;
  const init = {
    bound: 1 / Math.sqrt(width),
    random: options.random ?? Math.random,
    weights: options.weights,
  };
  const make = (name: string, shape: readonly number[]) => {
    const parameter = createParameter(`rnn.rnn.${name}_l${layer}`, shape, init);
    parameters.push(parameter);
    return parameter.value;
  };
  const inputWeight = make("weight_ih", [rows, inputs]);
  const hiddenWeight = make("weight_hh", [rows, width]);
  const inputBias = make("bias_ih", [rows]);
  const hiddenBias = make("bias_hh", [rows]);
  return {
    input: { weight: inputWeight, bias: inputBias },
    hidden: { weight: hiddenWeight, bias: hiddenBias },
  };
}

/**
 * Gates r, z, n: h' = (1 − z) n + z h, where n = tanh(x-part + r · h-part), as torch.nn.GRU states
 * it.
 */
function gruStep(cell: Cell, gates: tf.Tensor2D, states: States): tf.Tensor2D[] {
  const h = states[0] as tf.Tensor2D;
  const width = h.shape[1];
  const [xrz, xn] = columns(gates, [2 * width, width]);
  const [hrz, hn] = columns(linear(h, cell.hidden), [2 * width, width]);
  const [r, z] = columns(tf.sigmoid(tf.add<tf.Tensor2D>(xrz, hrz)), [width, width]);
  const n = tf.tanh(tf.add(xn, tf.mul(r, hn)));
  return [tf.add(n, tf.mul(z, tf.sub(h, n)))];
}

/** Gates i, f, g, o: c' = f c + i g and h' = o tanh(c'), as torch.nn.LSTM states it. */
function lstmStep(cell: Cell, gates: tf.Tensor2D, states: States): tf.Tensor2D[] {
  const [h, c] = states as [tf.Tensor2D, tf.Tensor2D];
  const width = h.shape[1];
  const sum: tf.Tensor2D = tf.add(gates, linear(h, cell.hidden));
  const [inForget, g, o] = columns(sum, [2 * width, width, width]);
  const [i, f] = columns(tf.sigmoid(inForget), [width, width]);
  const next: tf.Tensor2D = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(g)));
  return [tf.mul(tf.sigmoid(o), tf.tanh(next)), next];
}

/** Blocks of columns of these widths. */
function columns<W extends number[]>(stacked: tf.Tensor2D, widths: [...W]) {
  return tf.split(stacked, widths, 1) as { [K in keyof W]: tf.Tensor2D };
}

function checkMemory(given: number, expected: number): void {
  if (given === expected) return;
  throw new PolicyError(
    "memory-mismatch",
    `a memory of ${given} states, expected ${expected}`,
    "Start from initialMemory, and hand on the memory that the last step gave.",
  );
}
