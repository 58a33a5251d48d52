import { hiddenOf, offlineKind } from "../../learning/parity/offline-case.ts";
import {
  badFile,
  boundNamed,
  flagNamed,
  numberNamed,
  type ReferenceFile,
} from "../../learning/parity/reference.ts";
import { createCql } from "./learner.ts";
import { type CqlSettings, cqlSettings } from "./settings.ts";

/** Updates of CORL's cql.py. */
export const cqlParity = offlineKind({
  name: "cql",
  settingsOf,
  create: createCql,
  figuresOf,
});

/** CORL writes a 0 where it has no such loss. */
function figuresOf(settings: CqlSettings): Record<string, string | number> {
  const lagrange = settings.cql_target_action_gap !== null;
  const ofCritic = (n: number) => ({
    [`qf${n}_loss`]: `Loss/td_${n}`,
    [`average_qf${n}`]: `Value/q_data_${n}`,
    [`cql_std_q${n}`]: `CQL/std_${n}`,
    [`cql_q${n}_rand`]: `CQL/q_random_${n}`,
    [`cql_min_qf${n}_loss`]: `Loss/cql_${n}`,
    [`cql_qf${n}_diff`]: `CQL/gap_${n}`,
    [`cql_q${n}_current_actions`]: `CQL/q_current_${n}`,
    [`cql_q${n}_next_actions`]: `CQL/q_next_${n}`,
  });
  return {
    log_pi: "Policy/log_prob",
    policy_loss: "Loss/actor",
    alpha_loss: settings.use_automatic_entropy_tuning ? "Loss/alpha" : 0,
    alpha: "Policy/alpha",
    ...ofCritic(1),
    ...ofCritic(2),
    average_target_q: "Value/next_mean",
    alpha_prime_loss: lagrange ? "Loss/alpha_prime" : 0,
    alpha_prime: lagrange ? "CQL/alpha_prime" : 0,
  };
}

function settingsOf(file: ReferenceFile): CqlSettings {
  if (file.metadata.bc_steps !== undefined && numberNamed(file, "bc_steps") > 0) {
    throw badFile(
      file,
      "begins with bc_steps of imitation, which CORL draws afresh and can't be repeated",
    );
  }
  const numbers = [
    ...["cql_alpha", "cql_n_actions", "cql_temp", "target_entropy", "alpha_multiplier"],
    ...["discount", "target_update_period"],
  ];
  const flags = [
    ...["cql_importance_sample", "cql_max_target_backup", "backup_entropy"],
    "use_automatic_entropy_tuning",
  ];
  const lagrange = flagNamed(file, "cql_lagrange");
  return cqlSettings.parse({
    ...Object.fromEntries(numbers.map((name) => [name, numberNamed(file, name)])),
    ...Object.fromEntries(flags.map((name) => [name, flagNamed(file, name)])),
    cql_clip_diff_min: boundNamed(file, "cql_clip_diff_min"),
    cql_clip_diff_max: boundNamed(file, "cql_clip_diff_max"),
    cql_target_action_gap: lagrange ? numberNamed(file, "cql_target_action_gap") : null,
    tau: numberNamed(file, "soft_target_update_rate"),
    actor_learning_rate: numberNamed(file, "policy_lr"),
    critic_learning_rate: numberNamed(file, "qf_lr"),
    actor_hidden_dims: hiddenOf(file, "actor.base_network"),
    critic_hidden_dims: hiddenOf(file, "critic_1.network"),
    normalize_states: false,
  });
}
