import * as tf from "@tensorflow/tfjs-core";
import type { Parameter } from "../networks/network.ts";

/** What a ranker learns by: who steps its weights, and what counts how much in its loss. */
export interface RankerLearning {
  readonly descend: Descend;
  /** GeMS: of the latent's distance to N(0, 1) in the loss. */
  readonly klWeight: number;
  /** GeMS: of the clicks in the loss. */
  readonly clickWeight: number;
  /** GeMS: steps in which the weight of that distance grows from 0 to what it is. */
  readonly klWarmup: number;
}

export interface Downhill {
  readonly parameters: readonly Parameter[];
  /** What the losses read besides, and nobody moves. */
  readonly constants: readonly tf.Variable[];
  readonly learningRate: number;
  /** The first is what is stepped against, the others are told. A function of its inputs alone. */
  readonly losses: (inputs: readonly tf.Tensor[]) => readonly tf.Scalar[];
}

/** Steps of Adam against a loss. */
export interface Descent {
  /** @returns the losses before the step, the caller's to dispose; the inputs stay the caller's */
  step(inputs: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

/** Whoever trains may bring one that computes faster. */
export type Descend = (downhill: Downhill) => Descent;

/** Operation by operation: where nobody brings another. */
export const plainDescent: Descend = ({ parameters, learningRate, losses }) => {
  const optimiser = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  const variables = parameters.map(({ value }) => value);
  return {
    step: (inputs) => {
      let told: tf.Tensor[] = [];
      tf.tidy(() => {
        const loss = () => {
          const all = losses(inputs);
          told = all.map((one) => tf.keep(one.clone()));
          return all[0]!;
        };
        optimiser.minimize(loss, false, variables);
      });
      return told;
    },
    dispose: () => optimiser.dispose(),
  };
};

/** The sheet's, by whoever is at hand. */
export const usualLearning: RankerLearning = {
  ...{ descend: plainDescent, klWeight: 1, clickWeight: 0.5, klWarmup: 0 },
};
