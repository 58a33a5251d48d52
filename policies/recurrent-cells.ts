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

/** Derivatives of one step backwards. */
export interface StepBack {
  /** Of the loss by the hidden side of the gates, before its weights: `[batch, gates * width]`. */
  readonly gates: tf.Tensor2D;
  /** By the states before the step, but for what passes through those weights; null: nothing. */
  readonly states: readonly (tf.Tensor2D | null)[];
}

/** What the way back multiplies by, for all steps at once: `[steps * batch, any]`. */
export interface Slopes {
  readonly ofSteps: readonly tf.Tensor2D[];
  /** From an output to the input's side of the gates; null: as to the hidden side. */
  readonly toInputs: tf.Tensor2D | null;
}

/** A kind of recurrent layer: its step, and the derivatives of that step, worked out on paper. */
export interface Kind {
  readonly gates: number;
  readonly states: number;
  /** `inputs`: the input's side of the gates, `[batch, gates * width]`. */
  step(hidden: Linear, inputs: tf.Tensor2D, states: States): Step;
  slopes(kept: readonly tf.Tensor2D[], before: States): Slopes;
  /** `slopes` of this step; `after`: derivatives of the loss by the states behind it. */
  back(slopes: readonly tf.Tensor2D[], after: States): StepBack;
}

/**
 * Gates r, z, n: h' = (1 − z) n + z h, where n = tanh(x-part + r · h-part), as torch.nn.GRU states
 * it.
 */
const gru: Kind = {
  gates: 3,
  states: 1,
  step(hidden, inputs, [h]) {
    const width = h!.shape[1];
    const [xrz, xn] = columns(inputs, [2 * width, width]);
    const [hrz, hn] = columns(linear(h!, hidden), [2 * width, width]);
    const [r, z] = columns(tf.sigmoid(tf.add<tf.Tensor2D>(xrz, hrz)), [width, width]);
    const n: tf.Tensor2D = tf.tanh(tf.add<tf.Tensor2D>(xn, tf.mul(r, hn)));
    return { states: [tf.add<tf.Tensor2D>(n, tf.mul(z, tf.sub(h!, n)))], kept: [r, z, n, hn] };
  },
  slopes([r, z, n, hn], [h]) {
    const byN: tf.Tensor2D = tf.mul(tf.sub(1, z!), tf.sub(1, tf.square(n!)));
    const byZ: tf.Tensor2D = tf.mul(tf.sub(h!, n!), slopeOfSigmoid(z!));
    const byR: tf.Tensor2D = tf.mul(tf.mul<tf.Tensor2D>(byN, hn!), slopeOfSigmoid(r!));
    const toHidden = tf.concat2d([byR, byZ, tf.mul<tf.Tensor2D>(byN, r!)], 1);
    return { ofSteps: [z!, toHidden], toInputs: tf.concat2d([byR, byZ, byN], 1) };
  },
  back: ([z, toHidden], [dh]) => ({
    gates: spread(dh!, toHidden!),
    states: [tf.mul<tf.Tensor2D>(dh!, z!)],
  }),
};

/** Gates i, f, g, o: c' = f c + i g and h' = o tanh(c'), as torch.nn.LSTM states it. */
const lstm: Kind = {
  gates: 4,
  states: 2,
  step(hidden, inputs, [h, c]) {
    const width = h!.shape[1];
    const sum: tf.Tensor2D = tf.add(inputs, linear(h!, hidden));
    const [inForget, g, o] = columns(sum, [2 * width, width, width]);
    const [i, f] = columns(tf.sigmoid(inForget), [width, width]);
    const candidate: tf.Tensor2D = tf.tanh(g);
    const open: tf.Tensor2D = tf.sigmoid(o);
    const next: tf.Tensor2D = tf.add(tf.mul(f, c!), tf.mul(i, candidate));
    const shown: tf.Tensor2D = tf.tanh(next);
    return { states: [tf.mul(open, shown), next], kept: [i, f, candidate, open, shown] };
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
      gates: tf.mul(tf.concat2d([dc, dc, dc, dh!], 1), gates!),
      states: [null, tf.mul<tf.Tensor2D>(dc, f!)],
    };
  },
};

export const KINDS: Readonly<Record<RnnType, Kind>> = { gru, lstm };

/** Blocks of columns of these widths. */
function columns<W extends number[]>(stacked: tf.Tensor2D, widths: [...W]) {
  return tf.split(stacked, widths, 1) as { [K in keyof W]: tf.Tensor2D };
}

/** dσ/dx, from σ. */
function slopeOfSigmoid(sigma: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(sigma, tf.sub(1, sigma));
}

/** `[rows, width]` times each block of that width in `[rows, blocks * width]`. */
export function spread(rows: tf.Tensor2D, blocks: tf.Tensor2D): tf.Tensor2D {
  const [count, width] = rows.shape;
  const product = tf.mul(
    tf.reshape(rows, [count, 1, width]),
    tf.reshape(blocks, [count, blocks.shape[1] / width, width]),
  );
  return tf.reshape(product, blocks.shape);
}
