import * as tf from "@tensorflow/tfjs-core";
import { type Linear, linear } from "./mlp.ts";

export type RnnType = "gru" | "lstm";

/** Weights of one layer: on its input and on its own last output, gates stacked along the rows. */
export interface Cell {
  readonly input: Linear;
  readonly hidden: Linear;
}

/** States of one layer, `[batch, width]` each; the first is what it puts out. */
export type States = readonly tf.Tensor2D[];

/** One step of one layer. */
export interface Step {
  readonly states: States;
  /** What else its derivatives are made of, `[batch, width]` each. */
  readonly kept: readonly tf.Tensor2D[];
}

/** What the way back multiplies by, for all steps at once: first dimension `steps * batch`. */
export interface Slopes {
  readonly ofSteps: readonly tf.Tensor[];
  /** From an output to the input's side of the gates, `[.., gates, width]`; null: as to the hidden side. */
  readonly toInputs: tf.Tensor3D | null;
}

/** Derivatives of one step backwards. */
export interface StepBack {
  /** Of the loss by the hidden side of the gates, before its weights: `[batch, gates * width]`. */
  readonly gates: tf.Tensor2D;
  /** By the states before the step, but for what passes through those weights; null: nothing. */
  readonly states: readonly (tf.Tensor2D | null)[];
}

/** A kind of recurrent layer: its step, and the derivatives of that step, worked out on paper. */
export interface Kind {
  readonly gates: number;
  readonly states: number;
  /** How a step wants the input's side of the gates cut: gates in each block of columns. */
  readonly blocks: readonly number[];
  step(hidden: Linear, inputs: readonly tf.Tensor2D[], states: States): Step;
  slopes(kept: readonly tf.Tensor2D[], before: States): Slopes;
  /** `slopes` of this step; `after`: derivatives of the loss by the states behind it. */
  back(slopes: readonly tf.Tensor[], after: States): StepBack;
}

/**
 * Gates r, z, n: h' = (1 − z) n + z h, where n = tanh(x-part + r · h-part), as torch.nn.GRU states
 * it.
 */
const gru: Kind = {
  gates: 3,
  states: 1,
  blocks: [2, 1],
  step(hidden, [xrz, xn], [h]) {
    const [hrz, hn] = columns(linear(h!, hidden), [2, 1]);
    const [r, z] = columns(tf.sigmoid(tf.add<tf.Tensor2D>(xrz!, hrz!)), [1, 1]);
    const n: tf.Tensor2D = tf.tanh(tf.add<tf.Tensor2D>(xn!, tf.mul(r!, hn!)));
    const next: tf.Tensor2D = tf.add(n, tf.mul(z!, tf.sub(h!, n)));
    return { states: [next], kept: [r!, z!, n, hn!] };
  },
  slopes([r, z, n, hn], [h]) {
    const byN: tf.Tensor2D = tf.mul(tf.sub(1, z!), tf.sub(1, tf.square(n!)));
    const byZ: tf.Tensor2D = tf.mul(tf.sub(h!, n!), slopeOfSigmoid(z!));
    const byR: tf.Tensor2D = tf.mul(tf.mul<tf.Tensor2D>(byN, hn!), slopeOfSigmoid(r!));
    const toHidden = tf.stack([byR, byZ, tf.mul<tf.Tensor2D>(byN, r!)], 1);
    const toInputs = tf.stack([byR, byZ, byN], 1) as tf.Tensor3D;
    return { ofSteps: [z!, toHidden], toInputs };
  },
  back: ([z, toHidden], [dh]) => ({
    gates: spread(dh!, toHidden as tf.Tensor3D),
    states: [tf.mul<tf.Tensor2D>(dh!, z!)],
  }),
};

/** Gates i, f, g, o: c' = f c + i g and h' = o tanh(c'), as torch.nn.LSTM states it. */
const lstm: Kind = {
  gates: 4,
  states: 2,
  blocks: [4],
  step(hidden, [inputs], [h, c]) {
    const sum: tf.Tensor2D = tf.add(inputs!, linear(h!, hidden));
    const [inForget, g, o] = columns(sum, [2, 1, 1]);
    const [i, f] = columns(tf.sigmoid(inForget!), [1, 1]);
    const candidate: tf.Tensor2D = tf.tanh(g!);
    const open: tf.Tensor2D = tf.sigmoid(o!);
    const next: tf.Tensor2D = tf.add(tf.mul(f!, c!), tf.mul(i!, candidate));
    const shown: tf.Tensor2D = tf.tanh(next);
    return { states: [tf.mul(open, shown), next], kept: [i!, f!, candidate, open, shown] };
  },
  slopes([i, f, g, o, shown], [, c]) {
    const byI = tf.mul<tf.Tensor2D>(g!, slopeOfSigmoid(i!));
    const byF = tf.mul<tf.Tensor2D>(c!, slopeOfSigmoid(f!));
    const byG: tf.Tensor2D = tf.mul(i!, tf.sub(1, tf.square(g!)));
    const byO = tf.mul<tf.Tensor2D>(shown!, slopeOfSigmoid(o!));
    const through: tf.Tensor2D = tf.mul(o!, tf.sub(1, tf.square(shown!)));
    return { ofSteps: [f!, through, tf.concat2d([byI, byF, byG, byO], 1)], toInputs: null };
  },
  back([f, through, gates], [dh, dcLater]) {
    const dc: tf.Tensor2D = tf.add(dcLater!, tf.mul(dh!, through!));
    return {
      gates: tf.mul(tf.concat2d([dc, dc, dc, dh!], 1), gates as tf.Tensor2D),
      states: [null, tf.mul<tf.Tensor2D>(dc, f!)],
    };
  },
};

export const KINDS: Readonly<Record<RnnType, Kind>> = { gru, lstm };

/** Blocks of columns with these shares of the width. */
export function columns(stacked: tf.Tensor2D, shares: readonly number[]): tf.Tensor2D[] {
  if (shares.length === 1) return [stacked];
  const unit = stacked.shape[1] / shares.reduce((sum, share) => sum + share);
  const widths = shares.map((share) => share * unit);
  return tf.split(stacked, widths, 1);
}

/** A memory behind a step: with `alive` of 0 it ends there; null: nobody's does. */
export function surviving(memory: tf.Tensor2D, alive: tf.Tensor2D | null): tf.Tensor2D {
  return alive === null ? memory : tf.mul(memory, alive);
}

/** `[rows, width]` times each of `[rows, blocks, width]`, side by side. */
export function spread(rows: tf.Tensor2D, blocks: tf.Tensor3D): tf.Tensor2D {
  const [count, each, width] = blocks.shape;
  const product = tf.mul(tf.reshape(rows, [count, 1, width]), blocks);
  return tf.reshape(product, [count, each * width]);
}

/** dσ/dx, from σ. */
function slopeOfSigmoid(sigma: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(sigma, tf.sub(1, sigma));
}
