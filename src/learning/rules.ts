import * as tf from "@tensorflow/tfjs-core";

export type RuleName = "adam" | "adamw" | "sgd" | "rmsprop";

export interface RuleInput {
  /** All gradients, end to end. */
  readonly gradient: tf.Tensor1D;
  readonly moments: readonly tf.Tensor1D[];
  /** What `scalars` gave for this step. */
  readonly scalars: readonly tf.Tensor[];
  /** All parameters, end to end; computed only for a rule that asks. */
  readonly parameters: () => tf.Tensor1D;
}

/** How a gradient becomes a change: what is subtracted from the parameters, and the new moments. */
export interface Rule {
  /** torch.optim's names, for checkpoints. */
  readonly moments: readonly string[];
  /** torch.optim's defaults and names, for checkpoints. */
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * The numbers that change from step to step, computed in float64: an update that is compiled takes them as
   * inputs.
   *
   * @param step from 1
   */
  scalars(step: number, learningRate: number): readonly number[];
  update(input: RuleInput): { delta: tf.Tensor1D; moments: tf.Tensor1D[] };
}

const betas = [0.9, 0.999] as const;
const eps = 1e-8;
const weightDecay = 0.01;
const alpha = 0.99;

/** Adam's rate, and the root of its second moment's bias, both corrected for this step. */
function adamScalars(step: number, learningRate: number): [scale: number, root: number] {
  return [learningRate / (1 - betas[0] ** step), Math.sqrt(1 - betas[1] ** step)];
}

/** Kingma and Ba, algorithm 1, in the order of operations of torch.optim.Adam. */
function adam(input: RuleInput): { delta: tf.Tensor1D; moments: tf.Tensor1D[] } {
  const { gradient } = input;
  const [scale, root] = input.scalars as [tf.Tensor, tf.Tensor];
  const [mean, square] = input.moments as [tf.Tensor1D, tf.Tensor1D];
  const newMean: tf.Tensor1D = tf.add(mean, tf.mul(tf.sub(gradient, mean), 1 - betas[0]));
  const newSquare: tf.Tensor1D = tf.add(
    tf.mul(square, betas[1]),
    tf.mul(tf.square(gradient), 1 - betas[1]),
  );
  const denominator = tf.add(tf.div(tf.sqrt(newSquare), root), eps);
  const delta: tf.Tensor1D = tf.mul(tf.div(newMean, denominator), scale);
  return { delta, moments: [newMean, newSquare] };
}

export const rules: Readonly<Record<RuleName, Rule>> = {
  adam: {
    moments: ["exp_avg", "exp_avg_sq"],
    settings: { betas, eps, weight_decay: 0, amsgrad: false },
    scalars: adamScalars,
    update: adam,
  },
  adamw: {
    moments: ["exp_avg", "exp_avg_sq"],
    settings: { betas, eps, weight_decay: weightDecay, amsgrad: false },
    scalars: (step, rate) => [...adamScalars(step, rate), rate * weightDecay],
    update: (input) => {
      const { delta, moments } = adam(input);
      const decay = tf.mul(input.parameters(), input.scalars[2]!);
      return { delta: tf.add(delta, decay) as tf.Tensor1D, moments };
    },
  },
  sgd: {
    moments: [],
    settings: { momentum: 0, dampening: 0, weight_decay: 0, nesterov: false },
    scalars: (_, rate) => [rate],
    update: ({ gradient, scalars }) => ({
      delta: tf.mul(gradient, scalars[0]!) as tf.Tensor1D,
      moments: [],
    }),
  },
  rmsprop: {
    moments: ["square_avg"],
    settings: { alpha, eps, weight_decay: 0, momentum: 0, centered: false },
    scalars: (_, rate) => [rate],
    update: ({ gradient, scalars, moments }) => {
      const square: tf.Tensor1D = tf.add(
        tf.mul(moments[0]!, alpha),
        tf.mul(tf.square(gradient), 1 - alpha),
      );
      const delta = tf.div(tf.mul(gradient, scalars[0]!), tf.add(tf.sqrt(square), eps));
      return { delta: delta as tf.Tensor1D, moments: [square] };
    },
  },
};
