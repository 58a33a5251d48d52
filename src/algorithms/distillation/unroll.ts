import * as tf from "@tensorflow/tfjs-core";
import type { Network, SequenceParts } from "../../../policies/networks/network.ts";
import type { Memory } from "../../../policies/policy.ts";
import type { Loss } from "./loss.ts";
import { type StepSpan, type Window, windowSteps } from "./windows.ts";

/** A rollout on the device: row `step * numEnvs + environment`. */
export interface DeviceBatch {
  /** `[steps * numEnvs, observationWidth]`, normalised. */
  readonly inputs: tf.Tensor2D;
  /** `[steps * numEnvs, actionWidth]`. */
  readonly targets: tf.Tensor2D;
  /** For each step, `[numEnvs, 1]`: 0 where the episode ended there, else 1; null: nobody's did. */
  readonly alive: readonly (tf.Tensor2D | null)[];
  /** Before the first step, `[numEnvs, width]` each. */
  readonly memory: readonly tf.Tensor2D[];
  readonly numEnvs: number;
}

/** The differentiable loss of a window: the sum over its steps of the mean over the environments. */
export interface Unroll {
  /** May be asked again for the same window, until `advance`. */
  loss(batch: DeviceBatch, window: Window): tf.Scalar;
  /** The window has been learned from: the next one starts from the memory behind it. */
  advance(): void;
  /** The memory behind the last window, for whoever goes on from there; `[]` without. */
  memory(): Promise<Memory>;
  dispose(): void;
}

export function createUnroll(network: Network, loss: Loss): Unroll {
  const { sequence } = network;
  return sequence ? new Recurrent(sequence, loss) : feedForward(network, loss);
}

/** Without memory the order of steps says nothing: all of them are one batch. */
function feedForward(network: Network, loss: Loss): Unroll {
  return {
    loss(batch, window) {
      const inputs = tf.concat2d(
        window.map((span) => cut(batch.inputs, span, batch)),
        0,
      );
      const targets = tf.concat2d(
        window.map((span) => cut(batch.targets, span, batch)),
        0,
      );
      return tf.mul(loss(network.forward(inputs, []).outputs, targets), windowSteps(window));
    },
    advance() {},
    memory: async () => [],
    dispose() {},
  };
}

/**
 * Steps in time order, memory handed on; back-propagation ends at the border of the window. Every
 * epoch starts from the memory that the rollout started with.
 */
class Recurrent implements Unroll {
  readonly #network: SequenceParts;
  readonly #loss: Loss;
  /** Held at the border of two windows. */
  #held: readonly tf.Tensor2D[] = [];
  /** Behind the window whose loss was asked for last. */
  #behind: readonly tf.Tensor2D[] = [];

  constructor(network: SequenceParts, loss: Loss) {
    this.#network = network;
    this.#loss = loss;
  }

  loss(batch: DeviceBatch, window: Window): tf.Scalar {
    let memory = this.#held;
    const features: tf.Tensor2D[] = [];
    for (const span of window) {
      const walked = this.#network.walk({
        inputs: cut(batch.inputs, span, batch),
        alive: batch.alive.slice(span.from, span.to),
        memory: span.from === 0 ? batch.memory : memory,
      });
      features.push(walked.features);
      memory = walked.memory;
    }
    const kept = memory.map((state) => tf.keep(tf.clone(state)));
    tf.dispose([...this.#behind]);
    this.#behind = kept;
    const outputs = this.#network.head(tf.concat2d(features, 0));
    const targets = tf.concat2d(
      window.map((span) => cut(batch.targets, span, batch)),
      0,
    );
    return tf.mul(this.#loss(outputs, targets), windowSteps(window));
  }

  advance(): void {
    tf.dispose([...this.#held]);
    this.#held = this.#behind;
    this.#behind = [];
  }

  memory(): Promise<Memory> {
    return Promise.all(this.#held.map(async (state) => (await state.data<"float32">()).slice()));
  }

  dispose(): void {
    tf.dispose([...this.#held, ...this.#behind]);
    this.#held = [];
    this.#behind = [];
  }
}

function cut(rows: tf.Tensor2D, { from, to }: StepSpan, { numEnvs }: DeviceBatch): tf.Tensor2D {
  return tf.slice2d(rows, [from * numEnvs, 0], [(to - from) * numEnvs, -1]);
}
