import * as tf from "@tensorflow/tfjs-core";
import { decoded } from "../../../policies/networks/latent-actor.ts";
import { createMlp, type MlpOptions } from "../../../policies/networks/mlp.ts";
import type { Network, Parameter } from "../../../policies/networks/network.ts";
import { relu } from "../../../policies/networks/relu.ts";

/** A conditional VAE of actions (Sohn and others, 2015): what is done where. */
export interface ActionVae {
  readonly parameters: readonly Parameter[];
  /** Features and latent side by side to actions, without a bound. */
  readonly decoder: Network;
  /** Mean and logarithm of the variance of the latent, `[rows, latent]` each. */
  encode(features: tf.Tensor2D, actions: tf.Tensor2D): Latent;
}

export interface Latent {
  readonly mean: tf.Tensor2D;
  readonly logVariance: tf.Tensor2D;
}

export interface VaeOptions extends Pick<MlpOptions, "hidden" | "random" | "weights"> {
  readonly featureWidth: number;
  readonly actionWidth: number;
  readonly latentWidth: number;
  /** Of the parameters' names, `vae` or `vae_target`. */
  readonly prefix: string;
}

/** Layers `e1` …, `mean` and `log_var` of features and actions; `d1` … of features and latent. */
export function createVae(options: VaeOptions): ActionVae {
  const { featureWidth, actionWidth, latentWidth, hidden, prefix, ...given } = options;
  const named = (letter: string) => hidden.map((_, i) => `${prefix}.${letter}${i + 1}`);
  const made = { ...given, activation: "relu" };
  const last = hidden.at(-1)!;
  const body = createMlp({
    ...{ ...made, inputWidth: featureWidth + actionWidth, outputWidth: last },
    ...{ hidden: hidden.slice(0, -1), names: named("e") },
  });
  const head = (name: string) =>
    createMlp({
      ...{ ...made, inputWidth: last, outputWidth: latentWidth },
      ...{ hidden: [], names: [`${prefix}.${name}`] },
    });
  const [mean, logVariance] = [head("mean"), head("log_var")];
  const decoder = createMlp({
    ...{ ...made, inputWidth: featureWidth + latentWidth, outputWidth: actionWidth, hidden },
    names: [...named("d"), `${prefix}.d${hidden.length + 1}`],
  });
  return {
    parameters: [body, mean, logVariance, decoder].flatMap(({ parameters }) => parameters),
    decoder,
    encode: (features, actions) => {
      const inputs = tf.concat2d([features, actions], 1);
      const seen = relu(body.forward(inputs, []).outputs);
      const of = (network: Network) => network.forward(seen, []).outputs;
      return { mean: of(mean), logVariance: of(logVariance) };
    },
  };
}

/** What the decoder makes of z = μ + σ ε. @param noise ε, `[rows, latent]`, standard normal */
export function reconstructed(
  { decoder }: ActionVae,
  features: tf.Tensor2D,
  { latent, noise }: { readonly latent: Latent; readonly noise: tf.Tensor },
): tf.Tensor2D {
  const deviation = tf.exp(tf.div(latent.logVariance, 2));
  const z: tf.Tensor2D = tf.add(latent.mean, tf.mul(deviation, noise));
  return decoded(decoder, features, z);
}

/** To a standard normal: −½ Σ (1 + log σ² − μ² − σ²), `[rows]`. */
export function divergenceOf({ mean, logVariance }: Latent): tf.Tensor1D {
  const inner = tf.sub(tf.sub(tf.add(logVariance, 1), tf.square(mean)), tf.exp(logVariance));
  return tf.mul(tf.sum(inner, 1), -0.5);
}
