import { hiddenOf, offlineKind } from "../../learning/parity/offline-case.ts";
import { flagNamed, numberNamed, type ReferenceFile } from "../../learning/parity/reference.ts";
import { createRebrac } from "./learner.ts";
import { rebracSettings } from "./settings.ts";

/** Updates of CORL's rebrac.py. */
export const rebracParity = offlineKind({
  name: "rebrac",
  settingsOf,
  maxActionOf: (file) => (file.metadata.max_action ? numberNamed(file, "max_action") : 1),
  create: createRebrac,
  figuresOf: () => ({
    critic_loss: "Loss/critic",
    q_min: "Value/q_data",
    actor_loss: "Loss/actor",
    action_mse: "Policy/action_mse",
    bc_mse_policy: "Policy/squared_distance",
    bc_mse_random: "Policy/random_squared_distance",
  }),
});

function settingsOf(file: ReferenceFile) {
  const numbers = [
    ...["actor_bc_coef", "critic_bc_coef", "tau", "policy_noise", "noise_clip", "policy_freq"],
    ...["actor_learning_rate", "critic_learning_rate", "layer_norm_epsilon"],
  ];
  return rebracSettings.parse({
    ...Object.fromEntries(numbers.map((name) => [name, numberNamed(file, name)])),
    discount: numberNamed(file, "gamma"),
    normalize_q: flagNamed(file, "normalize_q"),
    actor_layer_norm: flagNamed(file, "actor_ln"),
    layer_norm: flagNamed(file, "critic_ln"),
    actor_hidden_dims: hiddenOf(file, "actor"),
    critic_hidden_dims: hiddenOf(file, "critic_1"),
    normalize_states: false,
  });
}
