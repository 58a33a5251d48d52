import * as tf from "@tensorflow/tfjs-core";
import type { Network, Parameter } from "./network.ts";

/** A policy that chooses among the actions that a decoder knows (PLAS: Zhou and others, 2020). */
export interface LatentActorParts {
  /** Observations to features; absent: the observations are the features. */
  readonly encoder?: Network | undefined;
  /** Features to the raw latent, `[rows, latent]`. */
  readonly actor: Network;
  /** Features and latent side by side to actions. */
  readonly decoder: Network;
  /** The latent is this times tanh of the actor's outputs. */
  readonly scale: number;
}

/** z = scale · tanh(actor(f)), `[rows, latent]`. */
export function latentOf(actor: Network, features: tf.Tensor2D, scale: number): tf.Tensor2D {
  return tf.mul<tf.Tensor2D>(tf.tanh(actor.forward(features, []).outputs), scale);
}

/** decoder([f, z]), `[rows, actions]`. */
export function decoded(decoder: Network, features: tf.Tensor2D, latent: tf.Tensor2D): tf.Tensor2D {
  return decoder.forward(tf.concat2d([features, latent], 1), []).outputs;
}

/** All parts as one network, whose parameters are theirs. */
export function latentActor({ encoder, actor, decoder, scale }: LatentActorParts): Network {
  const parts = [...(encoder ? [encoder] : []), actor, decoder];
  return {
    inputWidth: parts[0]!.inputWidth,
    outputWidth: decoder.outputWidth,
    parameters: parts.flatMap(({ parameters }) => parameters),
    memoryWidths: [],
    forward: (inputs) => {
      const features = encoder ? encoder.forward(inputs, []).outputs : inputs;
      const latent = latentOf(actor, features, scale);
      return { outputs: decoded(decoder, features, latent), memory: [] };
    },
    dispose: () => {
      for (const part of parts) part.dispose();
    },
  };
}

/** How standardised actions become the simulator's, per component. */
export interface ActionScale {
  readonly center: Values;
  readonly half: Values;
}

/** `[actions]`: constants, or what is trained or loaded with the network. */
type Values = readonly number[] | (() => tf.Tensor1D);

export interface ActionBounds {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * The same network, its outputs brought to the simulator's units and held within its bounds:
 * clip(center + half · x, low, high).
 *
 * @param parameters those of the scale, where it is trained or loaded with the network
 */
export function clippedTo(
  network: Network,
  scale: ActionScale,
  { low, high, parameters = [] }: ActionBounds & { readonly parameters?: readonly Parameter[] },
): Network {
  const { sequence: _, ...whole } = network;
  return {
    ...whole,
    parameters: [...network.parameters, ...parameters],
    forward: (inputs, memory) => {
      const flown = network.forward(inputs, memory);
      const [center, half] = [rowOf(scale.center), rowOf(scale.half)];
      const action = tf.add(tf.mul(flown.outputs, half), center);
      const above = tf.maximum(action, tf.tensor1d([...low]));
      const outputs: tf.Tensor2D = tf.minimum(above, tf.tensor1d([...high]));
      return { outputs, memory: flown.memory };
    },
  };
}

function rowOf(values: Values): tf.Tensor1D {
  return typeof values === "function" ? values() : tf.tensor1d([...values]);
}
