import { z } from "zod";
import {
  maybeNotNegative,
  maybeNumber,
  maybeWhole,
  oneOf,
  portion,
  positive,
  widths,
} from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, discount, normaliseStates, rewardKeys } from "../offline/keys.ts";

/** Whose loss moves the encoder. */
export const encoderOwners = ["critic", "vae", "both", "none"] as const;
export type EncoderOwner = (typeof encoderOwners)[number];

const width = { least: 1, most: 16384 };

/** LAPO's settings, by its authors' names and with their defaults. */
export const lapoSettings = z.strictObject({
  vae_lr: positive(1e-4, "Step size of the Adam of the actions' auto-encoder (VAE)"),
  actor_lr: positive(1e-4, "Step size of the latent actor's Adam"),
  critic_lr: positive(5e-4, "Step size of the Adam of the critics and the value"),
  discount,
  tau: portion(0.005, "Share of the networks in their slow copies, at each update"),
  expectile: portion(
    0.8,
    "Weight in imitation of actions better than the value; others: 1 less it",
  ),
  kl_beta: maybeNotNegative(
    "Weight of the latent's distance to a standard normal; null: 1, with pictures 0.5",
  ),
  doubleq_min: portion(0.8, "Weight of the smaller of two estimates, the larger has 1 less it"),
  max_latent_action: positive(2, "Bound of the latent actor's outputs"),
  latent_dim: maybeWhole(width, "Width of the latent; null: twice the number of actions"),
  min_v: maybeNumber("Lower bound of the value's targets; null: by the least reward in the data"),
  max_v: maybeNumber("Upper bound of the value's targets; null: by the largest reward"),
  batch_size: batchSize(100),
  actor_hidden_dims: widths([256, 256, 256], "Widths of the latent actor's hidden layers"),
  critic_hidden_dims: widths([256, 256, 256], "Widths of each critic's and the value's"),
  vae_hidden_dims: widths([256, 256, 256], "Widths of the VAE's encoder and decoder each"),
  encoder_dim: maybeWhole(
    { least: 0, most: 16384 },
    "Features of an encoder before everything; 0 or null: 256 of pictures, none of vectors",
  ),
  encoder_hidden_dims: widths([256], "Widths of an encoder's hidden layers, of vectors"),
  encoder_owner: oneOf(encoderOwners, "critic", "Whose loss moves the encoder"),
  encoder_lr_scale: positive(1, "What its owner's step size is multiplied by for the encoder"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
});

export type LapoSettings = Frozen<z.output<typeof lapoSettings>>;

/** With what the observations decide. */
export type DecidedSettings = LapoSettings & { readonly kl_beta: number };
