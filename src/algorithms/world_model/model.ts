import * as tf from "@tensorflow/tfjs-core";
import { createMlp } from "../../../policies/networks/mlp.ts";
import type { Network } from "../../../policies/networks/network.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import { createTransformer } from "../../../policies/networks/transformer.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import { type NumberHead, numberHead } from "./number-head.ts";
import type { WorldModelSettings } from "./settings.ts";

/** A head, and how many observation components it predicts. */
export interface HeadShape {
  readonly name: string;
  readonly width: number;
}

export interface ModelShape {
  /** Of one observation. */
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly heads: readonly HeadShape[];
}

export type ModelSettings = Pick<
  WorldModelSettings,
  "encoder" | "history" | "latent" | "hidden_dims" | "action_levels" | "heads" | "head_bins"
>;

/** Differentiable; call inside `tidy`. Observations, rewards and values are in deviations from their means. */
export interface WorldModel {
  readonly numbers: NumberHead;
  readonly shape: ModelShape;
  /** `[rows, history · observationWidth]` → state `[rows, latent]`. */
  represent(observations: tf.Tensor2D): tf.Tensor2D;
  /** State and action, ±1 between the bounds → the next state, and outputs for the reward. */
  advance(state: tf.Tensor2D, action: tf.Tensor2D): { state: tf.Tensor2D; reward: tf.Tensor2D };
  /** State → logits `[rows, actionWidth · action_levels]`, and outputs for the value. */
  predict(state: tf.Tensor2D): { policy: tf.Tensor2D; value: tf.Tensor2D };
  /** State → outputs of a head, by its name. */
  see(state: tf.Tensor2D, head: string): tf.Tensor2D;
  readonly parameters: Readonly<
    Record<"representation" | "dynamics" | "prediction" | "heads", ParameterGroup["parameters"]>
  >;
  dispose(): void;
}

/** @param random uniform in [0, 1): where weights come from */
export function createWorldModel(
  shape: ModelShape,
  settings: ModelSettings,
  { random }: { readonly random: () => number },
): WorldModel {
  const numbers = numberHead(settings);
  const { latent, action_levels: levels } = settings;
  const logits = shape.actionWidth * levels;
  const { encoder, dynamics, prediction, eyes } = createNetworks(
    { ...shape, logits, numbers: numbers.width },
    settings,
    { random },
  );
  return {
    ...{ numbers, shape },
    represent: (observations) => tf.tanh(encoder.forward(observations, []).outputs),
    advance(state, action) {
      const outputs = dynamics.forward(tf.concat2d([state, action], 1), []).outputs;
      const [change, reward] = tf.split<tf.Tensor2D>(outputs, [latent, numbers.width], 1);
      return { state: tf.tanh(tf.add<tf.Tensor2D>(state, change!)), reward: reward! };
    },
    predict(state) {
      const { outputs } = prediction.forward(state, []);
      const [policy, value] = tf.split<tf.Tensor2D>(outputs, [logits, numbers.width], 1);
      return { policy: policy!, value: value! };
    },
    see: (state, head) => eyes.get(head)!.forward(state, []).outputs,
    parameters: {
      representation: encoder.parameters,
      dynamics: dynamics.parameters,
      prediction: prediction.parameters,
      heads: [...eyes.values()].flatMap(({ parameters }) => parameters),
    },
    dispose: () => {
      for (const network of [encoder, dynamics, prediction, ...eyes.values()]) network.dispose();
    },
  };
}

interface Widths extends ModelShape {
  /** Of a policy. */
  readonly logits: number;
  /** Outputs for one number. */
  readonly numbers: number;
}

function createNetworks(
  shape: Widths,
  settings: ModelSettings,
  { random }: { readonly random: () => number },
) {
  const { actionWidth, heads, logits, numbers } = shape;
  const { latent } = settings;
  const inner = { hidden: settings.hidden_dims, activation: "elu", random };
  const make = (prefix: string, inputWidth: number, outputWidth: number) =>
    createMlp({ ...inner, prefix, inputWidth, outputWidth });
  return {
    encoder: createEncoder(shape, settings, inner),
    dynamics: make("dynamics", latent + actionWidth, latent + numbers),
    prediction: make("prediction", latent, logits + numbers),
    eyes: new Map(
      heads.map(({ name, width }) => [name, make(`head_${name}`, latent, width * numbers)]),
    ),
  };
}

interface Inner {
  readonly hidden: readonly number[];
  readonly activation: string;
  readonly random: () => number;
}

/** Reads all observations at the same time, or one after the other. */
function createEncoder(
  { observationWidth }: ModelShape,
  { encoder, history, latent, hidden_dims: hidden }: ModelSettings,
  inner: Inner,
): Network {
  const outputWidth = latent;
  if (encoder === "mlp") {
    const inputWidth = history * observationWidth;
    return createMlp({ ...inner, prefix: "representation", inputWidth, outputWidth });
  }
  if (encoder === "transformer") {
    const sizes = { width: hidden[0]!, blocks: hidden, tokens: history };
    const { activation, random } = inner;
    const made = { activation, random, prefix: "representation", ...sizes };
    return createTransformer({ ...made, inputWidth: observationWidth, outputWidth });
  }
  const rnn = { type: "gru", width: hidden[0]!, layers: 1 } as const;
  const options = { ...inner, prefix: "representation", hidden: hidden.slice(1), rnn };
  const network = createRecurrent({ ...options, inputWidth: observationWidth, outputWidth });
  return {
    ...network,
    inputWidth: history * observationWidth,
    memoryWidths: [],
    forward(inputs) {
      const rows = inputs.shape[0];
      let memory = [tf.zeros([rows, rnn.width]) as tf.Tensor2D];
      let outputs: tf.Tensor2D | undefined;
      for (const seen of tf.split<tf.Tensor2D>(inputs, history, 1)) {
        const step = network.forward(seen, memory);
        memory = step.memory;
        outputs = step.outputs;
      }
      return { outputs: outputs!, memory: [] };
    },
  };
}
