import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import { bounded, type OutputRange } from "../networks/bounded.ts";
import { clamped } from "../networks/clamped.ts";
import { createCnnEncoder } from "../networks/cnn/cnn-encoder.ts";
import { encoderNetwork } from "../networks/encoder.ts";
import { type ActionBounds, clippedTo, latentActor } from "../networks/latent-actor.ts";
import { createMlp } from "../networks/mlp.ts";
import { createMlpEncoder } from "../networks/mlp-encoder.ts";
import type { Network } from "../networks/network.ts";
import { createRecurrent } from "../networks/recurrent.ts";
import type { LatentParts, RslRlActor } from "./actor-state.ts";
import { meanLayers } from "./mean-layers.ts";

/**
 * How actions come out of a network that puts out two numbers for each: the mean and the noise (the
 * mean is flown), or the two
 * parameters of a Beta distribution over `[low, high]`.
 */
export type Head =
  | { readonly kind: "mean-and-noise" }
  | { readonly kind: "beta"; readonly low: number; readonly high: number }
  /** Squashed means, whatever else there is: centre + half · tanh, per action. */
  | ({ readonly kind: "tanh" } & OutputRange)
  /** Standardised actions: clip(centre + half · x, low, high), per action. */
  | ({ readonly kind: "clipped" } & OutputRange & ActionBounds);

/**
 * The network of a checkpoint, with its weights. Its outputs are the mean actions.
 *
 * @param head but for `tanh` and `clipped` it matters only where the network has two outputs per action
 * @throws PolicyError `unknown-activation`
 */
export function createActor(
  actor: RslRlActor,
  activation: string,
  head: Head = { kind: "mean-and-noise" },
): Network {
  const network = unclamped(actor, activation, head);
  return actor.inputClamp === undefined ? network : clamped(network, actor.inputClamp);
}

function unclamped(actor: RslRlActor, activation: string, head: Head): Network {
  const doubled = actor.outputWidth !== actor.actionWidth;
  if (doubled && head.kind === "beta") {
    return betaMean(build(actor, activation, actor.layers, actor.outputWidth), head);
  }
  if (head.kind === "tanh") {
    return bounded(build(actor, activation, actor.layers, actor.outputWidth), head);
  }
  if (head.kind === "clipped") {
    const { outputWidth, layers } = actor;
    const network = build(actor, activation, layers, outputWidth);
    return clippedTo(network, head, head);
  }
  const layers = doubled ? meanLayers(actor.layers) : actor.layers;
  return build(actor, activation, layers, actor.actionWidth);
}

function build(
  actor: RslRlActor,
  activation: string,
  weights: NamedArrays,
  outputWidth: number,
): Network {
  const { inputWidth, hidden, rnn, latent } = actor;
  if (latent) return buildLatent(actor, activation, latent);
  const options = { inputWidth, outputWidth, hidden, activation, weights };
  return rnn === undefined ? createMlp(options) : createRecurrent({ ...options, rnn });
}

function buildLatent(
  actor: RslRlActor,
  activation: string,
  { width, hidden: decoding, scale }: LatentParts,
): Network {
  const { hidden, outputWidth, layers: weights } = actor;
  const made = { activation, weights };
  const encoder = buildEncoder(actor, activation);
  const features = encoder?.outputWidth ?? actor.inputWidth;
  return latentActor({
    encoder,
    actor: createMlp({ ...made, inputWidth: features, hidden, outputWidth: width }),
    decoder: createMlp({
      ...{ ...made, inputWidth: features + width, hidden: decoding, outputWidth },
      prefix: "decoder",
    }),
    scale,
  });
}

function buildEncoder(actor: RslRlActor, activation: string): Network | undefined {
  const { encoder, vision, features, inputWidth, layers: weights } = actor;
  const made = { activation, weights };
  if (vision) {
    const { groups } = vision;
    const seeing = createCnnEncoder({ ...made, ...vision, featureWidth: features });
    return encoderNetwork(seeing, groups);
  }
  if (!encoder) return undefined;
  const groups = [{ name: "obs", shape: [inputWidth] }];
  const { hidden, width: featureWidth } = encoder;
  const mlp = createMlpEncoder({ ...made, groups, featureWidth, hidden, prefix: "encoder" });
  return encoderNetwork(mlp, groups);
}

/**
 * Mean α / (α + β) of Beta(α, β), stretched to `[low, high]`, where α and β are 1 + softplus of the
 * first and second half of the outputs.
 */
function betaMean(network: Network, { low, high }: { low: number; high: number }): Network {
  const { sequence: _, ...whole } = network;
  return {
    ...whole,
    outputWidth: network.outputWidth / 2,
    forward: (inputs, memory) => {
      const flown = network.forward(inputs, memory);
      const [first, second] = tf.split(flown.outputs, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const alpha = tf.add(tf.softplus(first), 1);
      const beta = tf.add(tf.softplus(second), 1);
      const mean = tf.div(alpha, tf.add(alpha, beta));
      return { outputs: tf.add(tf.mul(mean, high - low), low), memory: flown.memory };
    },
  };
}
