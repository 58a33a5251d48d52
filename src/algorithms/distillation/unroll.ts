import * as tf from "@tensorflow/tfjs-core";
import type { Network, SequenceParts } from "../../../policies/networks/network.ts";
import type { Static } from "../../engine/compile/program.ts";
import type { Loss } from "./loss.ts";
import { type StepSpan, type Window, windowSteps } from "./windows.ts";

/** A rollout on the device: row `step * numEnvs + environment`. */
export interface DeviceBatch {
  /** `[steps * numEnvs, observationWidth]`, normalised. */
  readonly inputs: tf.Tensor2D;
  /** `[steps * numEnvs, actionWidth]`. */
  readonly targets: tf.Tensor2D;
  /** `[steps * numEnvs, 1]`: 0 where the episode ended there, else 1; absent for a student without memory. */
  readonly alive?: tf.Tensor2D;
  /** For each step: did any episode end there? */
  readonly ended: readonly boolean[];
  /** Before the first step, `[numEnvs, width]` each. */
  readonly memory: readonly tf.Tensor2D[];
  readonly numEnvs: number;
}

/** What the loss of a window is a function of. */
export type Cut = {
  /** Some are the batch's own, or the memory that was held. */
  readonly tensors: tf.Tensor[];
  /** How the tensors are to be read; equal for windows of one form. */
  readonly form: Static[];
};

/** The differentiable loss of a window: the sum over its steps of the mean over the environments. */
export interface Unroll {
  /** @param held the memory behind the window before; for a window that does not start with an episode */
  cut(batch: DeviceBatch, window: Window, held: readonly tf.Tensor2D[]): Cut;
  /** Of what `cut` gave: what then gives the loss, and `memory` behind the window. Call both inside `tidy`. */
  loss(tensors: readonly tf.Tensor[], form: readonly Static[]): () => WindowLoss;
}

export interface WindowLoss {
  readonly loss: tf.Scalar;
  readonly memory: readonly tf.Tensor2D[];
}

export function createUnroll(network: Network, loss: Loss): Unroll {
  const { sequence } = network;
  return sequence
    ? recurrent(sequence, network.memoryWidths.length, loss)
    : feedForward(network, loss);
}

/** Without memory the order of steps says nothing: all of them are one batch. */
function feedForward(network: Network, loss: Loss): Unroll {
  return {
    cut: (batch, window) => ({
      tensors: [rowsOf(batch.inputs, window, batch), rowsOf(batch.targets, window, batch)],
      form: [windowSteps(window)],
    }),
    loss:
      ([inputs, targets], [steps]) =>
      () => {
        const { outputs } = network.forward(inputs as tf.Tensor2D, []);
        return { loss: tf.mul(loss(outputs, targets!), steps as number), memory: [] };
      },
  };
}

/**
 * Steps in time order, memory handed on; back-propagation ends at the border of the window. Every
 * epoch starts from the memory that the rollout started with. The form holds three entries for a span: its
 * steps, whether it starts an epoch, and whether an episode ends in it.
 */
function recurrent(network: SequenceParts, states: number, loss: Loss): Unroll {
  return {
    cut(batch, window, held) {
      const tensors: tf.Tensor[] = [rowsOf(batch.targets, window, batch)];
      const form: Static[] = [];
      for (const [i, span] of window.entries()) {
        const starts = span.from === 0;
        const ends = batch.ended.slice(span.from, span.to).includes(true);
        tensors.push(rowsOf(batch.inputs, [span], batch));
        if (ends) tensors.push(rowsOf(batch.alive!, [span], batch));
        if (starts || i === 0) tensors.push(...(starts ? batch.memory : held));
        form.push(span.to - span.from, starts, ends);
      }
      return { tensors, form };
    },
    loss([targets, ...rest], form) {
      const spans = spansOf(rest, form, states);
      const total = spans.reduce((sum, { alive }) => sum + alive.length, 0);
      return () => {
        const features: tf.Tensor2D[] = [];
        let memory: readonly tf.Tensor2D[] = [];
        for (const span of spans) {
          const walked = network.walk({ memory, ...span });
          features.push(walked.features);
          memory = walked.memory;
        }
        const outputs = network.head(tf.concat2d(features, 0));
        return { loss: tf.mul(loss(outputs, targets!), total), memory };
      };
    },
  };
}

/** Undoes `cut`; without a memory a span goes on from the one before. */
function spansOf(tensors: tf.Tensor[], form: readonly Static[], states: number) {
  const rest = tensors as tf.Tensor2D[];
  return Array.from({ length: form.length / 3 }, (_, i) => {
    const [steps, starts, ends] = form.slice(3 * i, 3 * i + 3) as [number, boolean, boolean];
    const inputs = rest.shift()!;
    const alive: (tf.Tensor2D | null)[] = ends
      ? tf.split(rest.shift()!, steps)
      : new Array(steps).fill(null);
    const sequence = { inputs, alive };
    return starts || i === 0 ? { ...sequence, memory: rest.splice(0, states) } : sequence;
  });
}

/** The tensor itself where all its rows are meant. */
function rowsOf(all: tf.Tensor2D, window: Window, { numEnvs }: DeviceBatch): tf.Tensor2D {
  const [first, ...others] = window.map((span) => spanOf(all, span, numEnvs));
  return others.length === 0 ? first! : tf.concat2d([first!, ...others], 0);
}

function spanOf(all: tf.Tensor2D, { from, to }: StepSpan, numEnvs: number): tf.Tensor2D {
  const rows = (to - from) * numEnvs;
  return rows === all.shape[0] ? all : tf.slice2d(all, [from * numEnvs, 0], [rows, -1]);
}
