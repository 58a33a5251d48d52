import { z } from "zod";
import type { SettingValue } from "../../protocol/settings.ts";
import {
  flag,
  folderName,
  type LeafNotes,
  maybeNames,
  maybeNumber,
  maybeOneOf,
  maybePositive,
  maybeText,
  maybeWhole,
  notNegative,
  oneOf,
  oneOfNumbers,
  portion,
  positive,
  share,
  text,
  whole,
  widths,
} from "./leaf.ts";

/** rsl_rl's names of activations. */
const activations = [
  "elu",
  "selu",
  "relu",
  "crelu",
  "lrelu",
  "tanh",
  "sigmoid",
  "softplus",
  "gelu",
  "swish",
  "mish",
  "identity",
] as const;

const million = 1_000_000;

const obsGroups = z.strictObject({
  student: maybeNames("Observation groups the student reads, in this order; null: `policy`"),
  teacher: maybeNames("Groups the teacher reads; null: `teacher` if there is one, else `policy`"),
});

const policy = z.strictObject({
  student_hidden_dims: widths([128, 128, 128], "Widths of the student's hidden layers"),
  rnn_type: maybeOneOf(["gru", "lstm"], "Memory before the student's MLP; null: none"),
  rnn_hidden_dim: whole(256, { least: 1, most: 16_384 }, "Width of that memory"),
  rnn_num_layers: whole(1, { least: 1, most: 16 }, "Layers of that memory"),
  history_length: whole(
    1,
    { least: 1, most: 1000 },
    "Control steps a student without memory sees at once, oldest first",
  ),
  activation: oneOf(activations, "elu", "Activation between the student's layers"),
  init_noise_std: notNegative(
    0.1,
    "Standard deviation of the noise on the student's actions, in units of the action",
  ),
  student_obs_normalization: flag(false, "Normalise the student's observations as they come in"),
  teacher_activation: maybeOneOf(
    activations,
    "Activation of the teacher; null: from params/agent.yaml beside its file, else elu",
  ),
});

const algorithm = z.strictObject({
  class_name: oneOf(["Distillation"], "Distillation", "The only algorithm there is"),
  num_learning_epochs: whole(4, { least: 1, most: 1000 }, "Passes over each rollout"),
  gradient_length: whole(
    15,
    { least: 1, most: 100_000 },
    "Time steps whose losses are summed for one optimiser step",
  ),
  learning_rate: positive(1e-3, "Step size of the optimiser, at the start"),
  learning_rate_schedule: oneOf(
    ["constant", "cosine", "exponential"],
    "cosine",
    "How the step size falls over max_iterations; rsl_rl's is constant",
  ),
  learning_rate_last: share(0.02, "Share of the step size that is left at the end"),
  max_grad_norm: maybePositive(1, "Longest gradient, L2 norm; null: unlimited"),
  loss_type: oneOf(
    ["mse", "huber", "nll", "kl"],
    "mse",
    "Loss between the actions; nll and kl weigh them by the teacher's noise",
  ),
  buffer_size: whole(
    0,
    { least: 0, most: 100 * million },
    "Transitions of past rollouts that are learned from again (DAgger); 0: none",
  ),
  optimizer: oneOf(["adam", "adamw", "sgd", "rmsprop"], "adam", "Optimiser, as in torch.optim"),
  use_two_stage_training: flag(true, "The teacher flies first, then the student"),
  phase1_iterations: whole(
    100,
    { least: 0, most: 10 * million },
    "Iterations in which the teacher flies",
  ),
  teacher_share_schedule: oneOf(
    ["two_stage", "constant", "linear", "exponential"],
    "two_stage",
    "Share of the training episodes that the teacher flies: 1 then 0, or mixed (DAgger's beta)",
  ),
  teacher_share_start: portion(1, "That share at the start, of a mixed schedule"),
  teacher_share_end: portion(0, "That share at the end, of a mixed schedule"),
  teacher_share_iterations: whole(
    200,
    { least: 1, most: 10 * million },
    "Iterations from start to end, of a mixed schedule",
  ),
  gate_threshold: maybePositive(
    null,
    "Student's share of the teacher's return that opens phase 2 early; null: no gate",
  ),
  gate_iterations: whole(20, { least: 1, most: million }, "Iterations on end the gate wants it"),
  guard_threshold: maybePositive(
    null,
    "Share below which phase 2 is broken off for a while; null: no guard",
  ),
  guard_iterations: whole(20, { least: 1, most: million }, "Iterations on end the guard waits"),
  guard_rest: whole(50, { least: 1, most: million }, "Iterations the teacher then flies"),
  drop_leftover_steps: flag(
    false,
    "Leave out steps that don't fill a gradient_length, as rsl_rl does",
  ),
});

const evaluation = z.strictObject({
  env_share: share(0.1, "Share of the environments that measure and are never learned from"),
  final_episodes: whole(
    400,
    { least: 0, most: million },
    "Whole episodes flown by each pilot at the end; 0: none",
  ),
  min_teacher_return: maybeNumber(
    "Return the teacher must reach in a flight of its own before the first step; null: any",
  ),
  window: whole(10, { least: 1, most: 100_000 }, "Latest episodes that a measured return averages"),
});

const sim = z.strictObject({
  endpoint: maybeText("ipc:// or tcp:// address of a simulator; null: start the one built in"),
  listen: flag(false, "Wait at that address for a simulator that dials in"),
  startup_timeout: positive(300, "Seconds a simulator may take to be there and ready"),
  step_timeout: positive(60, "Seconds a simulator may take for one step"),
  reset_timeout: positive(
    60,
    "Seconds it may take for a reset or a snapshot, more while it says that it works",
  ),
  restarts: whole(
    5,
    { least: 0, most: 1000 },
    "Times on end that a lost simulator of our own is started again",
  ),
  wait: notNegative(300, "Seconds a lost simulator that others started is waited for; 0: not"),
  insecure: flag(
    false,
    "Fly a simulator beyond this machine without encryption: whoever is in the network can take part",
  ),
  curve_server_key_file: maybeText("File with the simulator's public CURVE key; null: unencrypted"),
  curve_client_key_file: maybeText("File with our own secret CURVE key"),
});

/** Sinks of one's own: see src/metrics/own-sink.ts for what they are handed. */
const sinks = z
  .array(
    z.strictObject({
      module: z.string().min(1),
      export: z.string().min(1).default("openSink"),
      options: z.record(z.string(), z.json()).default({}),
    }),
  )
  .max(16)
  .default([])
  .meta({
    expects: "a list of {module: FILE, export: NAME, options: {…}}",
    doc: "Metric sinks of your own: ES modules with a function or class that takes (options, run)",
  } satisfies LeafNotes);

/** Every key with its default, its bounds and its meaning; names are rsl_rl's where it has one. */
export const configSchema = z.strictObject({
  task: text("quadcopter-noisy", "Task the simulator is asked for"),
  num_envs: whole(100, { least: 1, most: million }, "Environments flown side by side"),
  seed: whole(42, { least: 0, most: 2 ** 32 - 1 }, "Seed of weights, noise and simulator"),
  device: oneOf(["auto", "cuda", "cpu", "webgpu", "wasm"], "auto", "Where TensorFlow computes"),
  threads: maybeWhole({ least: 1, most: 1024 }, "Threads of TensorFlow; null: its own choice"),
  num_steps_per_env: whole(24, { least: 1, most: 100_000 }, "Control steps of one iteration"),
  max_iterations: whole(400, { least: 1, most: 10 * million }, "Iterations of the whole run"),
  save_interval: whole(50, { least: 1, most: 10 * million }, "Iterations between checkpoints"),
  checkpoint_version: whole(
    5,
    { least: 2, most: 5 },
    "Layout of the checkpoints: rsl_rl's of version 2 (2.3), 3, 4 or 5",
  ),
  experiment_name: folderName("", "Folder of the runs; empty: the task's name + _distillation"),
  run_name: folderName("", "Put behind the time in the run folder's name"),
  log_root: text("logs/rsl_rl", "Folder of all experiments"),
  logger: oneOf(["none", "wandb", "tensorboard"], "none", "Where figures go besides the files"),
  log_project_name: maybeText("Project in W&B; null: WANDB_PROJECT, else firstsolo"),
  wandb_mode: maybeOneOf(
    ["offline", "online", "disabled"],
    "online uploads while it flies; null: WANDB_MODE, else offline",
  ),
  metric_names: oneOfNumbers(
    [2, 3, 5],
    5,
    "rsl_rl's names of figures: of version 2.0 to 3.1, 3.2 to 4.x, or 5; metrics.jsonl keeps 5",
  ),
  metrics_port: maybeWhole(
    { least: 0, most: 65535 },
    "Port on this machine with a page of figures for Prometheus; 0: any free one",
  ),
  sinks,
  ui: oneOf(["auto", "tui", "plain", "jsonl", "none"], "auto", "What the terminal shows"),
  checkpoint: maybeText(
    "The teacher's file (.pt, .onnx) or run folder; null: shipped; hover: hand-written; simulator: its own",
  ),
  obs_groups: obsGroups.prefault({}),
  policy: policy.prefault({}),
  algorithm: algorithm.prefault({}),
  evaluation: evaluation.prefault({}),
  sim: sim.prefault({}),
  env: z.record(z.string(), z.custom<SettingValue>()).default({}).meta({
    expects: "settings of the simulator",
    doc: "Settings handed to the simulator, by dotted name",
  }),
});

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** A whole configuration: checked, complete, deeply frozen. */
export type Config = Frozen<z.output<typeof configSchema>>;
