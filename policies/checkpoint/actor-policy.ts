import { withHistory } from "../networks/history.ts";
import { NetworkPolicy } from "../networks/network-policy.ts";
import { Normaliser, type NormaliserState } from "../networks/normaliser.ts";
import { createActor, type Head } from "./actor.ts";
import type { RslRlActor } from "./rsl-rl-actor.ts";

/** What a checkpoint's weights need to fly. */
export interface ActorPolicyOptions {
  readonly actor: RslRlActor;
  readonly activation: string;
  readonly head?: Head | undefined;
  /** Observations it sees at once; absent: one. */
  readonly history?: number | undefined;
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
}

/** The network of a checkpoint as a policy. @throws PolicyError `unknown-activation` */
export function createActorPolicy(options: ActorPolicyOptions): NetworkPolicy {
  const { actor, activation, head, history = 1, reads } = options;
  const width = actor.inputWidth / history;
  const network = withHistory(createActor(actor, activation, head), history);
  const statistics = actor.normaliser && firstColumns(actor.normaliser, width);
  return new NetworkPolicy({
    network,
    normaliser: statistics && new Normaliser(width, statistics),
    reads,
  });
}

/** Statistics of one observation, from those of several equal ones side by side. */
export function firstColumns(state: NormaliserState, width: number): NormaliserState {
  const { mean, variance, std, count, epsilon } = state;
  const cut = (array: Float32Array) => array.slice(0, width);
  return { mean: cut(mean), variance: cut(variance), std: cut(std), count, epsilon };
}

/** Statistics of `length` equal observations side by side, for a network that sees them so. */
export function repeatColumns(state: NormaliserState, length: number): NormaliserState {
  const { mean, variance, std, count, epsilon } = state;
  const repeat = (array: Float32Array) =>
    Float32Array.from({ length: length * array.length }, (_, i) => array[i % array.length]!);
  return { mean: repeat(mean), variance: repeat(variance), std: repeat(std), count, epsilon };
}
