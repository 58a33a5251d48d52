import type * as tf from "@tensorflow/tfjs-core";
import type { GraphOptions } from "../../../policies/graph/build-graph.ts";
import type { NamedArray, NamedArrays } from "../../../policies/named-array.ts";
import { bounded, type OutputRange } from "../../../policies/networks/bounded.ts";
import { createMlp, type LayerInit } from "../../../policies/networks/mlp.ts";
import type { Network } from "../../../policies/networks/network.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser } from "../../../policies/networks/normaliser.ts";
import { LearningError } from "../learning-error.ts";
import { type OfflineSite, type RewardUnits, rangeOf, stateNormaliser } from "./site.ts";
import type { TransitionView } from "./transitions.ts";

/** Instead of what a seed and a simulator give: a recorded update's. */
export interface Given {
  readonly weights: NamedArrays;
  /** The networks' actions are tanh times this, and recorded ones are taken as they are. */
  readonly maxAction: number;
}

/** Where a learner's first weights come from: a seed, or a recorded update. */
export interface WeightSource {
  readonly random: () => number;
  readonly given: Given | undefined;
}

export interface ActorOptions {
  readonly hidden: readonly number[];
  readonly normaliseStates: boolean;
  /** Absent: rewards are taken as they are. */
  readonly reward?: RewardUnits;
  readonly random: () => number;
  /** Of the parameters' names, e.g. `actor.net`. */
  readonly prefix: string;
  /** Outputs before the squashing: one per action, or two with a noise that isn't flown. */
  readonly outputsPerAction?: 1 | 2;
  readonly layerNorm?: { readonly epsilon: number } | undefined;
  readonly init?: LayerInit | undefined;
  /** See `MlpOptions`. */
  readonly stride?: number;
  readonly given?: Given | undefined;
}

/** A network that acts, and what surrounds it. */
export interface DeterministicActor {
  /** Raw outputs; holds the parameters. */
  readonly mlp: Network;
  /** The same parameters; outputs in ±1 (±`maxAction` where that is given). */
  readonly network: Network;
  /** The same parameters; observations in, the simulator's actions out, greedily. */
  readonly policy: NetworkPolicy;
  readonly view: TransitionView;
  /** Half the width of the networks' action range. */
  readonly maxAction: number;
  /** Another network of the same form; @param prefix of its parameters' names */
  another(prefix: string): Network;
  /** For exports: everything baked into one graph of inputs `obs` and outputs `actions`. */
  graph(): Promise<GraphOptions>;
}

/** A ReLU network with squashed outputs. @throws LearningError `unbounded-action` */
export function createDeterministicActor(
  site: OfflineSite,
  options: ActorOptions,
): DeterministicActor {
  const { hidden, random, prefix, outputsPerAction = 1, layerNorm, init, stride, given } = options;
  const { observationWidth, reads, belief } = site;
  const actionWidth = site.action.low.length;
  const maxAction = given?.maxAction ?? 1;
  const full = new Array<number>(actionWidth).fill(maxAction);
  const inner = { center: full.map(() => 0), half: full };
  const range = given ? inner : rangeOf(site.action);
  const make = (name: string) =>
    createMlp({
      inputWidth: observationWidth,
      outputWidth: actionWidth * outputsPerAction,
      ...{ hidden, activation: "relu", layerNorm, random, init, stride, prefix: name },
      ...(given && { weights: given.weights }),
    });
  const mlp = make(prefix);
  // A belief gives what its learner makes of it: nobody knows its statistics.
  const normaliser =
    options.normaliseStates && !belief
      ? new Normaliser(observationWidth, stateNormaliser(site))
      : undefined;
  const view: TransitionView = {
    ...{ reads, observationWidth, actionWidth, normaliser },
    recordedWidth: belief?.network.inputWidth,
    range: given ? undefined : range,
    reward: options.reward ?? { scale: 1, shift: 0 },
  };
  return {
    ...{ mlp, view, maxAction },
    network: bounded(mlp, inner),
    policy: new NetworkPolicy({ network: bounded(mlp, range), normaliser, reads }),
    another: (name) => bounded(make(name), inner),
    graph: () => graphOf(mlp, { view, range, hidden, layerNorm }),
  };
}

interface Shape {
  readonly view: TransitionView;
  readonly range: OutputRange;
  readonly hidden: readonly number[];
  readonly layerNorm: ActorOptions["layerNorm"];
}

async function graphOf(mlp: Network, shape: Shape): Promise<GraphOptions> {
  if (shape.layerNorm) {
    throw new LearningError(
      "layer-norm-export",
      "This actor has layer norms, which an exported graph can't hold.",
      "Train with actor_layer_norm set to false.",
    );
  }
  const { inputWidth, outputWidth } = mlp;
  const layers: Record<string, NamedArray> = {};
  // Weight and bias of one layer after the other.
  for (const [i, { value }] of mlp.parameters.entries()) {
    const data = (await (value as tf.Tensor).data<"float32">()).slice();
    layers[`mlp.${i - (i % 2)}.${i % 2 === 0 ? "weight" : "bias"}`] = { shape: value.shape, data };
  }
  const { actionWidth, normaliser } = shape.view;
  return {
    actor: {
      ...{ layers, inputWidth, hidden: shape.hidden, outputWidth, actionWidth },
      ...(normaliser && { normaliser: normaliser.state() }),
    },
    activation: "relu",
    head: { kind: "tanh", ...shape.range },
  };
}
