import { z } from "zod";
import {
  flag,
  maybeNames,
  maybeNumber,
  maybeOneOf,
  maybePositive,
  maybeText,
  maybeWhole,
  million,
  notNegative,
  oneOf,
  oneOfNumbers,
  portion,
  positive,
  share,
  whole,
  widths,
} from "../../config/leaf.ts";
import type { ConfigOf } from "../../config/schema.ts";

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

const obsGroups = z.strictObject({
  student: maybeNames(
    "Observation groups the student reads, in this order; null: `policy`, else `camera` and `proprioception`",
  ),
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
  cnn_channels: widths([16, 32], "Filters of each convolution, of a student that reads pictures"),
  cnn_kernel_size: whole(3, { least: 1, most: 64 }, "Pixels of a side of these filters"),
  cnn_stride: whole(2, { least: 1, most: 64 }, "Pixels from one place of a filter to the next"),
  activation: oneOf(activations, "elu", "Activation between the student's layers"),
  init_noise_std: notNegative(
    0.1,
    "Standard deviation of the noise on the student's actions, in units of the action",
  ),
  student_obs_normalization: flag(false, "Normalise the student's observations as they come in"),
  teacher_activation: maybeOneOf(
    activations,
    "Activation of the teacher; null: from its file or params/agent.yaml beside it",
  ),
  assume_activation: flag(
    false,
    "Take elu, and a Gaussian for two outputs per action, where nothing says what the teacher has",
  ),
  teacher_distribution: maybeOneOf(
    ["gaussian", "beta"],
    "What a teacher's two outputs per action are; null: from params/agent.yaml beside its file",
  ),
  onnx_input: maybeText(
    "Which input of an ONNX teacher takes the observations; null: the only one",
  ),
  onnx_output: maybeText("Which output of an ONNX teacher is the actions; null: the only one"),
});

const algorithm = z.strictObject({
  class_name: oneOf(["Distillation"], "Distillation", "The algorithm: --algorithm NAME"),
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
  buffer_rollouts: whole(
    0,
    { least: 0, most: million },
    "The last rollouts that are learned from, whatever the fleet's size, without buffer_size up to 256 MiB; 0: not bounded so",
  ),
  optimizer: oneOf(["adam", "adamw", "sgd", "rmsprop"], "adam", "Optimiser, as in torch.optim"),
  use_two_stage_training: flag(
    false,
    "The teacher flies first, then the student; asked for by phase1_iterations as well",
  ),
  phase1_iterations: maybeWhole(
    { least: 0, most: 10 * million },
    "Iterations in which the teacher flies; null: a third of max_iterations, a twentieth with a buffer, where two stages are asked for",
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
    "Learn nothing from steps that don't fill a gradient_length, as rsl_rl",
  ),
  normaliser_update: oneOfNumbers(
    [5.4, 5.5],
    5.4,
    "When a normalised student's statistics learn, as rsl_rl of that version: before the update, or behind it",
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
  window: maybeWhole(
    { least: 1, most: 100_000 },
    "Latest episodes that a measured return averages, at least two of each row; null: just those, at least three",
  ),
});

/** Keys of distillation, in the order of rsl_rl's files. */
export const distillationKeys = {
  checkpoint: maybeText(
    "The teacher's file (.pt, .onnx), run folder, pattern, latest or best of the newest run, or wandb:ENTITY/PROJECT/RUN; null: shipped; hover, pid: hand-written; simulator: its own",
  ),
  obs_groups: obsGroups.prefault({}),
  policy: policy.prefault({}),
  algorithm: algorithm.prefault({}),
  evaluation: evaluation.prefault({}),
} as const;

export type DistillationConfig = ConfigOf<typeof distillationKeys>;
