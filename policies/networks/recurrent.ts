import * as tf from "@tensorflow/tfjs-core";
import { PolicyError } from "../policy-error.ts";
import { checkWidths, createMlp, createParameter, linear, type MlpOptions } from "./mlp.ts";
import type { Network, Parameter } from "./network.ts";
import {
  type Cell,
  columns,
  KINDS,
  type Kind,
  type RnnType,
  type States,
} from "./recurrent-cells.ts";
import { walkLayer } from "./recurrent-walk.ts";

export interface RecurrentOptions extends MlpOptions {
  readonly rnn: {
    readonly type: RnnType;
    /** Width of each state. */
    readonly width: number;
    readonly layers: number;
  };
}

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
  const headOf = (features: tf.Tensor2D) => head.forward(features, []).outputs;
  return {
    inputWidth: options.inputWidth,
    outputWidth: options.outputWidth,
    parameters,
    memoryWidths: Array.from({ length: kind.states * layers }, () => width),
    sequence: {
      walk: ({ inputs, alive, memory }) =>
        climb({ kind, cells }, { inputs, memory }, ({ hidden }, gates, start) =>
          walkLayer(kind, hidden, { gates, alive, start }),
        ),
      head: headOf,
    },
    forward: (inputs, memory) => {
      const flown = climb({ kind, cells }, { inputs, memory }, ({ hidden }, gates, start) => {
        const { states } = kind.step(hidden, columns(gates, kind.blocks), start);
        return { outputs: states[0]!, states };
      });
      return { outputs: headOf(flown.features), memory: flown.memory };
    },
    dispose: () => tf.dispose(parameters.map((parameter) => parameter.value)),
  };
}

/** Takes one layer: from its inputs' side of the gates and its states to its outputs and next states. */
type Pass = (
  cell: Cell,
  gates: tf.Tensor2D,
  start: States,
) => { outputs: tf.Tensor2D; states: States };

/** Through the layers in turn. */
function climb(
  { kind, cells }: { readonly kind: Kind; readonly cells: readonly Cell[] },
  { inputs, memory }: { readonly inputs: tf.Tensor2D; readonly memory: States },
  pass: Pass,
) {
  const layers = cells.length;
  checkMemory(memory.length, kind.states * layers);
  const next: tf.Tensor2D[] = [];
  let features = inputs;
  for (const [layer, cell] of cells.entries()) {
    const start = memory.filter((_, state) => state % layers === layer);
    const passed = pass(cell, linear(features, cell.input), start);
    for (const [s, state] of passed.states.entries()) next[s * layers + layer] = state;
    features = passed.outputs;
  }
  return { features, memory: next };
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

function checkMemory(given: number, expected: number): void {
  if (given === expected) return;
  throw new PolicyError(
    "memory-mismatch",
    `a memory of ${given} states, expected ${expected}`,
    "Start from initialMemory, and hand on the memory that the last step gave.",
  );
}
