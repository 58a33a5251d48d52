import { hiddenOf, offlineKind } from "../../learning/parity/offline-case.ts";
import { numberNamed, type ReferenceFile } from "../../learning/parity/reference.ts";
import { createTd3Bc } from "./learner.ts";
import { td3BcSettings } from "./settings.ts";

/** Updates of CORL's td3_bc.py. */
export const td3BcParity = offlineKind({
  name: "td3_bc",
  settingsOf,
  create: createTd3Bc,
  figuresOf: () => ({
    q1_mean_before: "Value/q_data",
    critic_loss: "Loss/critic",
    actor_loss: "Loss/actor",
  }),
});

function settingsOf(file: ReferenceFile) {
  const rate = numberNamed(file, "lr");
  return td3BcSettings.parse({
    alpha: numberNamed(file, "alpha"),
    discount: numberNamed(file, "discount"),
    tau: numberNamed(file, "tau"),
    policy_noise: numberNamed(file, "policy_noise"),
    noise_clip: numberNamed(file, "noise_clip"),
    policy_freq: numberNamed(file, "policy_freq"),
    actor_learning_rate: rate,
    critic_learning_rate: rate,
    actor_hidden_dims: hiddenOf(file, "actor.net"),
    critic_hidden_dims: hiddenOf(file, "critic_1.net"),
    layer_norm: false,
    normalize_states: false,
  });
}
