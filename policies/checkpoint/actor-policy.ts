import { isPictureGroup } from "../networks/cnn/shapes.ts";
import { createVision, type VisionFacts } from "../networks/cnn/vision.ts";
import { withHistory } from "../networks/history.ts";
import { NetworkPolicy } from "../networks/network-policy.ts";
import { Normaliser, type NormaliserState } from "../networks/normaliser.ts";
import { PolicyError } from "../policy-error.ts";
import { createActor, type Head } from "./actor.ts";
import type { RslRlActor } from "./actor-state.ts";

/** What a checkpoint's weights need to fly. */
export interface ActorPolicyOptions {
  readonly actor: RslRlActor;
  readonly activation: string;
  readonly head?: Head | undefined;
  /** Observations it sees at once; absent: one. */
  readonly history?: number | undefined;
  /** Of a network with pictures. */
  readonly vision?: VisionFacts | undefined;
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
}

/** The network of a checkpoint as a policy. @throws PolicyError `unknown-activation`, `unknown-pictures` */
export function createActorPolicy(options: ActorPolicyOptions): NetworkPolicy {
  const { actor, activation, head, history = 1, reads, vision } = options;
  if (actor.pictures !== undefined) {
    if (vision === undefined) throw unknownPictures(actor.pictures);
    return new NetworkPolicy({
      ...{ ...seeing({ ...options, vision }), reads },
      shapes: picturesIn(vision, reads),
    });
  }
  const width = actor.inputWidth / history;
  const network = withHistory(createActor(actor, activation, head), history);
  const statistics = actor.normaliser && firstColumns(actor.normaliser, width);
  return new NetworkPolicy({
    network,
    normaliser: statistics && new Normaliser(width, statistics),
    reads,
  });
}

/** Shapes of the groups that are pictures, by the names under which they are read. */
function picturesIn({ groups }: VisionFacts, reads: readonly string[]) {
  const named = groups.map((group, i) => [reads[i]!, group] as const);
  const pictures = named.filter(([, group]) => isPictureGroup(group));
  return Object.fromEntries(pictures.map(([name, { shape }]) => [name, shape]));
}

/** A network with pictures, and the statistics of its numbers; pictures stay as they are. */
function seeing({ actor, activation, head, vision }: ActorPolicyOptions & { vision: VisionFacts }) {
  const { hidden, outputWidth, layers: weights, latent, normaliser: statistics } = actor;
  const network = latent
    ? createActor({ ...actor, vision }, activation, head)
    : createVision({ ...vision, hidden, outputWidth, activation, weights });
  const normaliser = statistics && new Normaliser(network.inputWidth, statistics);
  return { network, normaliser };
}

function unknownPictures(groups: readonly string[]): PolicyError {
  return new PolicyError(
    "unknown-pictures",
    `the network sees pictures (${groups.join(", ")}), and its file does not say of which size, or with which stride`,
    "Fly a checkpoint of Firstsolo's own, or the model exported to ONNX.",
  );
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
