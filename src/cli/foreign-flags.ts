import { algorithmMeant } from "../algorithms/registry.ts";
import { keysOf, lastWord } from "../config/algorithm-keys.ts";

/** What flags of CORL, d3rlpy and rsl_rl are called here. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ["gamma", "--discount X"],
  ["env", "--task NAME, or --dataset FILE for recorded flights"],
  ["max_timesteps", "--max_iterations N, each of --updates_per_iteration N updates"],
  ["n_steps", "--max_iterations N, each of --updates_per_iteration N updates"],
  ["n_steps_per_epoch", "--updates_per_iteration N"],
  ["eval_freq", "evaluation.interval=N, in iterations"],
  ["eval_interval", "evaluation.interval=N, in iterations"],
  ["n_episodes", "evaluation.episodes=N"],
  ["frac", "--bc_fraction X"],
  ["normalize", "algorithm.normalize_states=true|false"],
  ["buffer_size", "online_buffer=N for flights of its own; recorded ones are all used"],
  ["load_model", "--resume RUN"],
  ["checkpoints_path", "--log_root FOLDER"],
  ["project", "--log_project_name NAME"],
  ["actor_lr", "algorithm.actor_learning_rate=X"],
  ["critic_lr", "algorithm.critic_learning_rate=X"],
  ["expectile", "algorithm.iql_tau=X"],
  ["weight_temp", "algorithm.beta=X"],
  ["conservative_weight", "algorithm.cql_alpha=X"],
  ["target_smoothing_sigma", "algorithm.policy_noise=X"],
  ["target_smoothing_clip", "algorithm.noise_clip=X"],
  ["update_actor_interval", "algorithm.policy_freq=N"],
]);

/**
 * The next move of who typed a flag that `train` has not: a key that is said without dashes, or another name.
 *
 * @param flag as typed, `--iql_tau`
 * @param chosen the algorithm, as typed
 */
export function hintForFlag(flag: string, chosen: unknown): string | undefined {
  const name = flag.replace(/^--?/, "").replace(/=.*$/s, "").replaceAll("-", "_");
  const own = [...keysOf(algorithmMeant(chosen)).keys.keys()];
  const key = own.find((known) => lastWord(known) === name);
  if (key !== undefined) return `It is a key without a flag: write ${key}=VALUE.`;
  const called = elsewhere.get(name);
  const [, meant] = /^(\w+\.\w+)=/.exec(called ?? "") ?? [];
  if (called === undefined || (meant !== undefined && !own.includes(meant))) return undefined;
  return `Here it is ${called}.`;
}
