import { wordsOf } from "../../protocol/visible.ts";
import { ConfigError } from "./config-error.ts";
import type { Setting } from "./setting.ts";

export interface Translation {
  readonly settings: readonly Setting[];
  readonly notices: readonly string[];
}

interface Outcome {
  readonly setting?: Setting;
  readonly notice?: string;
  /** `key (why)` of a value that changes nothing here. */
  readonly idle?: string;
}

/** Names that rsl_rl's versions, Isaac Lab and Hydra have for keys of ours. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["obs_groups.policy", "obs_groups.student"],
  ["wandb_project", "log_project_name"],
  ["logger.project_name", "log_project_name"],
  ["use_two_stage_training", "algorithm.use_two_stage_training"],
  ["phase1_iterations", "algorithm.phase1_iterations"],
  ["student.hidden_dims", "policy.student_hidden_dims"],
  ["student.activation", "policy.activation"],
  ["student.obs_normalization", "policy.student_obs_normalization"],
  ["student.init_noise_std", "policy.init_noise_std"],
  ["student.distribution_cfg.init_std", "policy.init_noise_std"],
  ["student.rnn_type", "policy.rnn_type"],
  ["student.rnn_hidden_dim", "policy.rnn_hidden_dim"],
  ["student.rnn_num_layers", "policy.rnn_num_layers"],
  ["teacher.activation", "policy.teacher_activation"],
  ["env.scene.num_envs", "num_envs"],
]);

/** rsl_rl's keys that have no use here, and why that is no loss. */
const idle: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^clip_actions$/, "actions are clipped to the simulator's own range"],
  [/^check_for_nan$/, "every value is checked"],
  [/^torch_compile_mode$/, "there is no PyTorch here"],
  [/^neptune_project$/, "there is no Neptune sink"],
  [/^wandb_(tags|group|entity|name|notes)$/, "W&B takes it from the environment: WANDB_TAGS …"],
  [/^(upload_model|upload_videos?)$/, "checkpoints stay in the run's folder"],
  [/^resume$/, "--resume on the command line does that"],
  [/^load_(run|checkpoint)$/, "a teacher is named by `checkpoint`, a run by --resume"],
  [/^obs_groups\.(?!student$|teacher$)/, "only student and teacher read observations"],
  [/^policy\.(noise_std_type|state_dependent_std)$/, "the noise is constant"],
  [/^policy\.teacher_(hidden_dims|obs_normalization|recurrent)$/, "the teacher's file says it"],
  [/^student\.(stochastic|noise_std_type|state_dependent_std)$/, "the noise is constant"],
  [
    /^student\.distribution_cfg(\.(class_name|std_type|std_range|learn_std|min_std|max_std|action_range))?(\.|$)/,
    "the noise is constant",
  ],
  [
    /^student\.cnn_cfg(\.|$)/,
    "who reads pictures has policy.cnn_channels, cnn_kernel_size and cnn_stride",
  ],
  [/^teacher(\.|$)/, "the teacher's file says it"],
  [/^(actor|critic)(\.|$)/, "it belongs to PPO"],
  [/^algorithm\.(rnd_cfg|symmetry_cfg)(\.|$)/, "it belongs to PPO"],
  [/^algorithm\.use_mixed_precision$/, "everything is computed in float32"],
  [/^(algorithm\.)?(multi_gpu_cfg|multi_gpu|grad_reduce_bucket_mb)(\.|$)/, "one process trains"],
  [/^algorithm\.(share_cnn_encoders|normalize_advantage_per_mini_batch)$/, "it belongs to PPO"],
  [/^logger\./, "W&B takes its settings from environment variables"],
];

/** Values that every generated file holds and that ask for nothing. */
const asksForNothing = new Set<unknown>([null, true, false, "", ".*", "scalar", "isaaclab"])
  .add("model_.*.pt")
  .add("GaussianDistribution");

/** Switches that ask for something where they are on. */
const wishes = /^(algorithm\.use_mixed_precision|upload_\w+)$/;

/**
 * Takes in the keys of other versions: some are ours under another name, some have no use here and
 * get a notice, some ask for what there isn't and are refused. @throws ConfigError
 */
export function translate(given: readonly Setting[], blocks: ReadonlySet<string>): Translation {
  // What an empty map may stand for: a block in which nothing is said.
  const empty = new Set([...blocks, "env", "student"]);
  const outcomes = given.map((setting) => translateOne(setting, given, empty));
  const unused = outcomes.flatMap(({ idle }) => (idle === undefined ? [] : [idle]));
  const notices = outcomes.flatMap(({ notice }) => (notice === undefined ? [] : [notice]));
  if (unused.length > 0) notices.push(`No effect here: ${unused.join("; ")}`);
  return {
    settings: outcomes.flatMap(({ setting }) => (setting === undefined ? [] : [setting])),
    notices,
  };
}

function translateOne(
  setting: Setting,
  given: readonly Setting[],
  blocks: ReadonlySet<string>,
): Outcome {
  const own = renamed.get(setting.name);
  if (own !== undefined) {
    const said = setting.raw === undefined && given.some(({ name }) => name === own);
    return said || isMissing(setting.value) ? {} : { setting: { ...setting, name: own } };
  }
  const special = dependsOnValue(setting, given);
  if (special) return special;
  const missing = isMissing(setting.value);
  if (missing && blocks.has(setting.name)) return {};
  const rule = idle.find(([pattern]) => pattern.test(setting.name));
  if (!rule) return { setting };
  const quiet =
    asksForNothing.has(setting.value) && !(setting.value === true && wishes.test(setting.name));
  if (missing || quiet || isEmptyList(setting.value)) return {};
  return { idle: `${setting.name} (${rule[1]})` };
}

/** Isaac Lab writes a field that was never set as an empty map, Hydra as `???`. */
function isMissing(value: unknown): boolean {
  if (value === "???") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length === 0;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function dependsOnValue(setting: Setting, given: readonly Setting[]): Outcome | undefined {
  const { name, value } = setting;
  if (/^(policy\.|student\.)?class_name$/.test(name)) return studentClass(setting, given);
  if (name === "logger.class_name") return { setting: loggerOf(setting) };
  if (name === "student.distribution_cfg" ? value === null : isDeterministic(setting)) {
    return { setting: { ...setting, name: "policy.init_noise_std", value: 0 } };
  }
  if (name === "empirical_normalization") return normalisation(setting, given);
  if (name === "device" && typeof value === "string") return device(setting);
  return name === "seed" && value === -1 ? drawSeed(setting) : undefined;
}

const feedForward = ["DistillationRunner", "StudentTeacher", "MLPModel"];
const recurrent = ["StudentTeacherRecurrent", "RNNModel"];

/** A class of rsl_rl's with a memory is an LSTM unless the file names another kind. */
function studentClass(setting: Setting, given: readonly Setting[]): Outcome {
  const { name, value, origin } = setting;
  const word = typeof value === "string" ? value.split(/[.:]/).at(-1)! : "";
  if (feedForward.includes(word)) return {};
  if (recurrent.includes(word)) {
    const stated = given.some((other) => /^(policy|student)\.rnn_type$/.test(other.name));
    return stated ? {} : { setting: { ...setting, name: "policy.rnn_type", value: "lstm" } };
  }
  const known = [...feedForward, ...recurrent];
  throw new ConfigError(
    "not-distillation",
    `${name} is ${JSON.stringify(value)} (${origin}); expected one of ${known.join(", ")}`,
    "Firstsolo distills: give it the agent.yaml of such a run, or drop the line.",
  );
}

function isDeterministic({ name, value }: Setting): boolean {
  return name === "student.stochastic" && value === false;
}

function loggerOf(setting: Setting): Setting {
  const names = new Map<unknown, string>([
    ["WandbLogWriter", "wandb"],
    ["TensorboardLogWriter", "tensorboard"],
    ["NeptuneLogWriter", "neptune"],
  ]);
  return { ...setting, name: "logger", value: names.get(setting.value) ?? setting.value };
}

function normalisation(setting: Setting, given: readonly Setting[]): Outcome {
  const stated = given.some(({ name }) => /student[._]obs_normalization$/.test(name));
  if (setting.value !== true || stated) return {};
  return { setting: { ...setting, name: "policy.student_obs_normalization" } };
}

/** Isaac Lab writes `cuda:0` into every file, so a file that says so asks for no more than "auto". */
function device(setting: Setting): Outcome | undefined {
  const [, card] = /^cuda:(\d+)$/.exec(setting.value as string) ?? [];
  if (card === undefined) return undefined;
  if (card !== "0") {
    throw new ConfigError(
      "bad-value",
      `device is ${wordsOf(setting.value, 80)} (${setting.origin}); expected auto, cuda, cpu, webgpu or wasm`,
      `Choose the card with CUDA_VISIBLE_DEVICES=${card} and say --device cuda.`,
    );
  }
  if (setting.raw !== undefined) return { setting: { ...setting, value: "cuda" } };
  const notice = `${setting.origin}: device cuda:0 is taken as auto: CUDA where there is a card`;
  return { setting: { ...setting, value: "auto" }, notice };
}

/** Isaac Lab's way to ask for any seed; the one drawn is saved with the run. */
function drawSeed(setting: Setting): Outcome {
  const value = Math.floor(Math.random() * 10_001);
  const notice = `${setting.origin}: seed -1 asks for any seed; drew ${value}`;
  return { setting: { ...setting, value }, notice };
}
