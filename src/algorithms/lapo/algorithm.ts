import type { Flag } from "../algorithm.ts";
import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { lapoSettings } from "./settings.ts";

const numbers = [
  ...["vae_lr", "actor_lr", "critic_lr", "discount", "tau", "expectile", "kl_beta", "doubleq_min"],
  ...["max_latent_action", "latent_dim", "min_v", "max_v", "encoder_dim", "encoder_lr_scale"],
];

export const lapo = offlineAlgorithm({
  name: "lapo",
  summary: "latent-action policy optimisation, from recorded flights (Chen, 2022)",
  settings: lapoSettings,
  flags: [
    ...numbers.map((name): Flag => [`--${name}`, "X", `algorithm.${name}`]),
    ["--encoder_owner", "WHO", "algorithm.encoder_owner"],
  ],
  online: true,
  ranked: false,
  loss: "Loss/critic",
  lossLabel: "Critic",
  encoder: ({ encoder_dim, encoder_owner: owner }, { reads, shapes = {} }) =>
    encoder_dim || owner !== "critic" || reads.some((name) => shapes[name]?.length === 3)
      ? undefined
      : `lapo: none of the groups ${reads.join(", ")} is of pictures, so there is no encoder and encoder_owner has no effect; --encoder_dim 256 puts one before these numbers`,
  create: async (settings, site) => (await import("./learner.ts")).createLapo(settings, site),
});
