import * as tf from "@tensorflow/tfjs-core";
import type { RslRlActor } from "../../../policies/checkpoint/actor-state.ts";
import type { GraphOptions } from "../../../policies/graph/build-graph.ts";
import type { NamedArray } from "../../../policies/named-array.ts";
import { isPictureGroup } from "../../../policies/networks/cnn/shapes.ts";
import type { VisionFacts } from "../../../policies/networks/cnn/vision.ts";
import { clippedTo, latentActor } from "../../../policies/networks/latent-actor.ts";
import type { Network } from "../../../policies/networks/network.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import type { Transitions, TransitionView } from "../../learning/offline/transitions.ts";
import { type ActionStatistics, EPSILON, type Parts } from "./networks.ts";
import type { LapoSettings } from "./settings.ts";

/** What flies: the networks that are trained, and how their actions become the simulator's. */
export interface Flown {
  readonly parts: Parts;
  /** Absent: actions are taken as they are. */
  readonly statistics: ActionStatistics | undefined;
  readonly action: OfflineSite["action"];
  readonly settings: LapoSettings;
  /** Of an encoder of pictures. */
  readonly vision: VisionFacts | undefined;
}

/** Recorded actions within the simulator's bounds, less their mean, over their deviation. */
export function standardised(
  batch: Transitions,
  statistics: ActionStatistics | undefined,
  { low, high }: OfflineSite["action"],
): Transitions {
  if (!statistics) return batch;
  const inside = tf.minimum(
    tf.maximum(batch.actions, tf.tensor1d([...low])),
    tf.tensor1d([...high]),
  );
  const actions: tf.Tensor2D = tf.div(
    tf.sub(inside, statistics.mean),
    tf.add(statistics.std, EPSILON),
  );
  return { ...batch, actions };
}

/** Normalised observations → features → latent → decoder → the simulator's actions, within its bounds. */
export function flyingNetwork({ parts, statistics, action, settings }: Flown): Network {
  const { encoder, actor, vae } = parts;
  const scale = settings.max_latent_action;
  const latent = latentActor({ encoder, actor, decoder: vae.decoder, scale });
  const ones = action.low.map(() => 1);
  if (!statistics) return clippedTo(latent, { center: ones.map(() => 0), half: ones }, action);
  const { mean, std } = statistics;
  const half = () => tf.add(std, EPSILON) as tf.Tensor1D;
  const parameters = [
    { name: "actions.mean", value: mean },
    { name: "actions.std", value: std },
  ];
  const center = () => mean as tf.Tensor as tf.Tensor1D;
  return clippedTo(latent, { center, half }, { ...action, parameters });
}

/** For exports: everything baked into one graph of inputs `obs` and outputs `actions`. */
export async function graphOf(
  { parts, statistics, action, settings, vision }: Flown,
  { normaliser, actionWidth, observationWidth }: TransitionView,
): Promise<GraphOptions> {
  const { encoder, actor, vae } = parts;
  const { encoder_hidden_dims, vae_hidden_dims, max_latent_action } = settings;
  const layers = {
    ...(encoder && (await (vision ? seeingLayers(encoder) : layersOf("encoder", encoder)))),
    ...(await layersOf("mlp", actor)),
    ...(await layersOf("decoder", vae.decoder)),
  };
  const built: RslRlActor = {
    ...{ layers, inputWidth: observationWidth, hidden: settings.actor_hidden_dims },
    ...{ outputWidth: actionWidth, actionWidth },
    ...(encoder && seenBy(encoder, encoder_hidden_dims, vision)),
    latent: { width: actor.outputWidth, hidden: vae_hidden_dims, scale: max_latent_action },
    ...(normaliser && { normaliser: normaliser.state() }),
  };
  const [mean, std] = statistics
    ? await Promise.all([statistics.mean.data(), statistics.std.data()])
    : [action.low.map(() => 0), action.low.map(() => 1 - EPSILON)];
  const half = Array.from(std, (value) => value + EPSILON);
  const head = { kind: "clipped", center: Array.from(mean), half, ...action } as const;
  return { actor: built, activation: "relu", head, ...(vision && { vision }) };
}

/** What a checkpoint says of the encoder beside its weights. */
function seenBy(
  { outputWidth: width }: Network,
  hidden: readonly number[],
  vision: VisionFacts | undefined,
): Pick<RslRlActor, "encoder" | "features" | "pictures"> {
  if (!vision) return { encoder: { hidden, width } };
  return { features: width, pictures: vision.groups.filter(isPictureGroup).map((g) => g.name) };
}

/** `cnns.GROUP.0.weight` … and `features.weight`, without the encoder's own prefix. */
async function seeingLayers({ parameters }: Network): Promise<Record<string, NamedArray>> {
  const layers = parameters.map(async ({ name, value }) => {
    const data = (await value.data<"float32">()).slice();
    return [name.slice(name.indexOf(".") + 1), { shape: value.shape, data }] as const;
  });
  return Object.fromEntries(await Promise.all(layers));
}

/** Weight and bias of one layer after the other, under the names of a Sequential with activations. */
async function layersOf(
  name: string,
  { parameters }: Network,
): Promise<Record<string, NamedArray>> {
  const layers: Record<string, NamedArray> = {};
  for (const [i, { value }] of parameters.entries()) {
    const data = (await value.data<"float32">()).slice();
    layers[`${name}.${i - (i % 2)}.${i % 2 === 0 ? "weight" : "bias"}`] = {
      shape: value.shape,
      data,
    };
  }
  return layers;
}
