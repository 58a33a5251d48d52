import type { OfflineSite } from "../../learning/offline/site.ts";
import type { Flag } from "../algorithm.ts";
import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { type LapoSettings, lapoSettings } from "./settings.ts";

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
  encoder: encoderRemark,
  create: async (settings, site) => (await import("./learner.ts")).createLapo(settings, site),
});

/** For people: that nothing is there to be owned, or, of pictures, settings by which nobody flew here. */
function encoderRemark(
  { encoder_dim, encoder_owner: owner, max_latent_action: bound }: LapoSettings,
  { reads, shapes = {} }: Pick<OfflineSite, "reads" | "shapes">,
): string | undefined {
  if (reads.some((name) => shapes[name]?.length === 3)) {
    return owner === "critic" || bound > 1
      ? "lapo: from pictures of quadcopter-camera its defaults crashed, --encoder_owner both --max_latent_action 0.25 did not (bench/README.md)"
      : undefined;
  }
  // Another owner without an encoder is refused.
  return encoder_dim || owner !== "critic"
    ? undefined
    : `lapo: none of the groups ${reads.join(", ")} is of pictures, so there is no encoder and encoder_owner has no effect; --encoder_dim 256 puts one before these numbers`;
}
