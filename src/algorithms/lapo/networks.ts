import * as tf from "@tensorflow/tfjs-core";
import { createCnnEncoder } from "../../../policies/networks/cnn/cnn-encoder.ts";
import { isPictureGroup } from "../../../policies/networks/cnn/shapes.ts";
import type { VisionFacts } from "../../../policies/networks/cnn/vision.ts";
import { encoderNetwork, type GroupShape } from "../../../policies/networks/encoder.ts";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { createMlpEncoder } from "../../../policies/networks/mlp-encoder.ts";
import type { Network } from "../../../policies/networks/network.ts";
import { LearningError } from "../../learning/learning-error.ts";
import type { Twins } from "../../learning/offline/critic.ts";
import type { WeightSource } from "../../learning/offline/deterministic-actor.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import type { LapoSettings } from "./settings.ts";
import { type ActionVae, createVae } from "./vae.ts";

/** One set of what LAPO trains: the networks themselves, or their slow copies. */
export interface Parts {
  /** Absent: the observations are the features. */
  readonly encoder?: Network | undefined;
  readonly critics: Twins;
  readonly value: Network;
  readonly vae: ActionVae;
  /** Features to the raw latent. */
  readonly actor: Network;
}

/** How recorded actions become the networks': standardised. Learned of the data once, never stepped. */
export interface ActionStatistics {
  /** `[actions]`, in the simulator's units. */
  readonly mean: tf.Variable;
  readonly std: tf.Variable;
}

/** Added to the standard deviation of an action's or a state's component, as the authors do. */
export const EPSILON = 1e-6;

export interface Sizes {
  readonly observationWidth: number;
  readonly featureWidth: number;
  readonly actionWidth: number;
  readonly latentWidth: number;
}

export function sizesOf(settings: LapoSettings, site: OfflineSite): Sizes {
  const { observationWidth } = site;
  const actionWidth = site.action.low.length;
  return {
    ...{ observationWidth, actionWidth },
    featureWidth: encoderWidth(settings, site) || observationWidth,
    latentWidth: settings.latent_dim ?? 2 * actionWidth,
  };
}

/** @param slow the copies, whose names end in `_target` */
export function createParts(
  settings: LapoSettings,
  site: OfflineSite,
  { random, given, slow }: WeightSource & { readonly slow: boolean },
): Parts {
  const sizes = sizesOf(settings, site);
  const { featureWidth, actionWidth, latentWidth } = sizes;
  const suffix = slow ? "_target" : "";
  const made = { random, ...(given && { weights: given.weights }), activation: "relu" };
  const critic = (letter: string, first: number, inputWidth: number) => {
    const hidden = settings.critic_hidden_dims;
    const names = namesOf(`critic${suffix}.${letter}`, hidden.length + 1, first);
    return createMlp({ ...made, inputWidth, outputWidth: 1, hidden, names });
  };
  const layers = settings.critic_hidden_dims.length + 1;
  const both = featureWidth + actionWidth;
  const hidden = settings.actor_hidden_dims;
  return {
    encoder: createEncoder(settings, site, { random, given, prefix: `encoder${suffix}` }),
    critics: [critic("l", 1, both), critic("l", 1 + layers, both)],
    value: critic("v", 1, featureWidth),
    vae: createVae({ ...made, ...sizes, hidden: settings.vae_hidden_dims, prefix: `vae${suffix}` }),
    actor: createMlp({
      ...{ ...made, inputWidth: featureWidth, outputWidth: latentWidth, hidden },
      names: namesOf(`actor${suffix}.pi`, hidden.length + 1, 1),
    }),
  };
}

function namesOf(prefix: string, count: number, first: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${first + i}`);
}

/** Widths of a usual encoder of pictures. */
const pictureFeatures = 256;

/** Of the features that an encoder gives; 0 where there is none. */
export function encoderWidth({ encoder_dim }: LapoSettings, site: OfflineSite): number {
  return encoder_dim || (seesPictures(site) ? pictureFeatures : 0);
}

export function seesPictures(site: OfflineSite): boolean {
  return groupsOf(site).some(isPictureGroup);
}

/** @throws LearningError `no-encoder` */
function createEncoder(
  settings: LapoSettings,
  site: OfflineSite,
  { random, given, prefix }: WeightSource & { readonly prefix: string },
): Network | undefined {
  const { encoder_dim, encoder_owner, encoder_hidden_dims: hidden } = settings;
  const featureWidth = encoderWidth(settings, site);
  if (featureWidth > 0) {
    const groups = groupsOf(site);
    const made = { random, ...(given && { weights: given.weights }), activation: "relu" };
    const options = { ...made, groups, featureWidth };
    const encoder = seesPictures(site)
      ? createCnnEncoder({ ...options, ...convolutions, prefix: `${prefix}.` })
      : createMlpEncoder({ ...options, hidden, prefix });
    return encoderNetwork(encoder, groups);
  }
  if (encoder_owner === "critic") return undefined;
  throw new LearningError(
    "no-encoder",
    `encoder_owner is ${encoder_owner}, and there is no encoder to own: the observations are vectors, and encoder_dim is ${encoder_dim}.`,
    "Put an encoder before everything: --encoder_dim 256; or leave --encoder_owner out.",
  );
}

/** Of pictures: a factor of two in each. */
const convolutions = { channels: [16, 32], kernel: 3, stride: 2 } as const;

/** What the weights don't say of an encoder of pictures; undefined of others. */
export function visionOf(site: OfflineSite): VisionFacts | undefined {
  return seesPictures(site) ? { groups: groupsOf(site), ...convolutions } : undefined;
}

export function groupsOf({ reads, shapes, observationWidth }: OfflineSite): readonly GroupShape[] {
  if (!shapes) return [{ name: "observations", shape: [observationWidth] }];
  return reads.map((name) => ({ name, shape: shapes[name]! }));
}

export function createActionStatistics(site: OfflineSite): ActionStatistics {
  const { actionStatistics: known, action } = site;
  const width = action.low.length;
  const variable = (values: ArrayLike<number>) =>
    tf.tidy(() => tf.variable(tf.tensor1d(Float32Array.from(values)), false));
  return {
    mean: variable(known?.mean ?? new Float32Array(width)),
    std: variable(known?.std ?? new Float32Array(width).fill(1)),
  };
}
