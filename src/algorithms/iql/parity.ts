import { hiddenOf, offlineKind } from "../../learning/parity/offline-case.ts";
import {
  arrayNamed,
  flagNamed,
  numberNamed,
  type ReferenceFile,
} from "../../learning/parity/reference.ts";
import { createIql } from "./learner.ts";
import { iqlSettings } from "./settings.ts";

/** Updates of CORL's iql.py. */
export const iqlParity = offlineKind({
  name: "iql",
  settingsOf,
  // CORL's losses compare the tanh itself with the actions; max_action only scales what is flown.
  maxActionOf: () => 1,
  create: createIql,
  figuresOf: () => ({
    actor_lr: "Loss/actor_learning_rate",
    q_mean_before: "Value/q_data",
    v_mean_before: "Value/v_mean",
    value_loss: "Loss/value",
    q_loss: "Loss/critic",
    actor_loss: "Loss/actor",
  }),
});

function settingsOf(file: ReferenceFile) {
  const iql_deterministic = flagNamed(file, "deterministic");
  if (!iql_deterministic) arrayNamed(file, "initial.actor.log_std");
  return iqlSettings.parse({
    iql_tau: numberNamed(file, "iql_tau"),
    beta: numberNamed(file, "beta"),
    iql_deterministic,
    discount: numberNamed(file, "discount"),
    tau: numberNamed(file, "tau"),
    actor_learning_rate: numberNamed(file, "actor_lr"),
    critic_learning_rate: numberNamed(file, "qf_lr"),
    value_learning_rate: numberNamed(file, "vf_lr"),
    max_steps: numberNamed(file, "max_steps"),
    actor_hidden_dims: hiddenOf(file, "actor.net.net"),
    critic_hidden_dims: hiddenOf(file, "qf.q1.net"),
    normalize_states: false,
  });
}
