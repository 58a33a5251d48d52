import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "../../policies/network.ts";
import type { Loss } from "./loss.ts";
import { type Stretch, type Window, windowSteps } from "./windows.ts";

/** A rollout on the device: row `step * numEnvs + environment`. */
export interface Batch {
  /** `[steps * numEnvs, observationWidth]`, normalised. */
  readonly inputs: tf.Tensor2D;
  /** `[steps * numEnvs, actionWidth]`. */
  readonly targets: tf.Tensor2D;
  /** `[steps * numEnvs, 1]`, 0 where the episode ended at that step, else 1. */
  readonly alive: tf.Tensor2D;
  readonly numEnvs: number;
}

/** The differentiable loss of a window: the sum over its steps of the mean over the environments. */
export interface Unroll {
  loss(batch: Batch, window: Window): tf.Scalar;
  /** Called when the last window of a rollout is done. */
  finish(): void;
  dispose(): void;
}

export function createUnroll(network: Network, loss: Loss): Unroll {
  return network.memoryWidths.length === 0
    ? feedForward(network, loss)
    : new Recurrent(network, loss);
}

/** Without memory the order of steps says nothing: all of them are one batch. */
function feedForward(network: Network, loss: Loss): Unroll {
  return {
    loss(batch, window) {
      const inputs = tf.concat2d(
        window.map((stretch) => cut(batch.inputs, stretch, batch)),
        0,
      );
      const targets = tf.concat2d(
        window.map((stretch) => cut(batch.targets, stretch, batch)),
        0,
      );
      return tf.mul(loss(network.forward(inputs, []).outputs, targets), windowSteps(window));
    },
    finish() {},
    dispose() {},
  };
}

/**
 * Steps in time order, memory handed on; back-propagation ends at the border of the window. Every
 * epoch starts from the memory that the rollout before this one ended with.
 */
class Recurrent implements Unroll {
  readonly #network: Network;
  readonly #loss: Loss;
  /** Held at the start of the rollout. */
  #atStart: readonly tf.Tensor2D[] = [];
  /** Held at the border of two windows. */
  #current: readonly tf.Tensor2D[] = [];

  constructor(network: Network, loss: Loss) {
    this.#network = network;
    this.#loss = loss;
  }

  loss(batch: Batch, window: Window): tf.Scalar {
    let memory = this.#current;
    const terms: tf.Scalar[] = [];
    for (const stretch of window) {
      if (stretch.from === 0) memory = this.#startOf(batch.numEnvs);
      for (let step = stretch.from; step < stretch.to; step += 1) {
        const one = { ...stretch, from: step, to: step + 1 };
        const flown = this.#network.forward(cut(batch.inputs, one, batch), memory);
        terms.push(this.#loss(flown.outputs, cut(batch.targets, one, batch)));
        // A factor of 0 ends the memory and the gradient through it alike.
        const alive = cut(batch.alive, one, batch);
        memory = flown.memory.map((state) => tf.mul(state, alive) as tf.Tensor2D);
      }
    }
    this.#replaceCurrent(memory);
    return tf.addN(terms) as tf.Scalar;
  }

  #startOf(numEnvs: number): readonly tf.Tensor2D[] {
    if (this.#atStart.length > 0) return this.#atStart;
    return this.#network.memoryWidths.map((width) => tf.zeros([numEnvs, width]) as tf.Tensor2D);
  }

  #replaceCurrent(memory: readonly tf.Tensor2D[]): void {
    const kept = memory.map((state) => tf.keep(tf.clone(state)));
    if (this.#current !== this.#atStart) tf.dispose([...this.#current]);
    this.#current = kept;
  }

  finish(): void {
    tf.dispose([...this.#atStart]);
    this.#atStart = this.#current;
  }

  dispose(): void {
    tf.dispose([...this.#atStart, ...this.#current]);
  }
}

function cut(rows: tf.Tensor2D, { from, to }: Stretch, { numEnvs }: Batch): tf.Tensor2D {
  return tf.slice2d(rows, [from * numEnvs, 0], [(to - from) * numEnvs, -1]);
}
