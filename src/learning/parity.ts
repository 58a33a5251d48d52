import type { NamedArray, NamedArrays } from "../../policies/named-array.ts";
import type { NetworkPolicy } from "../../policies/network-policy.ts";
import { type Compile, eagerly } from "../engine/compile/program.ts";
import { Distillation, type DistillationSettings, distillationDefaults } from "./distillation.ts";
import type { Rollout } from "./experience.ts";
import { LearningError } from "./learning-error.ts";
import type { Safetensors } from "./safetensors.ts";

/** Absolute tolerances: generous for float32 on another library. */
export const parityTolerance = { weights: 1e-4, loss: 1e-5 } as const;

/** What the case needs of a student, as the file's metadata says. */
export interface ParityCase {
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly hidden: readonly number[];
  readonly activation: string;
  readonly rnnType: "" | "gru" | "lstm";
  readonly rnnHidden: number;
  readonly rnnLayers: number;
  readonly normalised: boolean;
  readonly weights: NamedArrays;
  readonly settings: DistillationSettings;
  /** The reference's mean behaviour loss of each update. */
  readonly losses: readonly number[];
}

export interface ParityUpdate {
  readonly loss: number;
  readonly expectedLoss: number;
  readonly lossError: number;
  /** Largest absolute difference over all weights, and where it is. */
  readonly weightError: number;
  readonly worst: string;
  readonly passed: boolean;
}

export function readParityCase(file: Safetensors, dropLeftover: boolean): ParityCase {
  const m = file.metadata;
  const list = (key: string) => JSON.parse(m[key] ?? "null");
  const observations = file.arrays["rollout0.observations"];
  const actions = file.arrays["rollout0.teacher_actions"];
  if (!observations || !actions || !m.behavior_loss) {
    throw new LearningError(
      "bad-parity-file",
      "The file holds no 'rollout0.observations', 'rollout0.teacher_actions' or 'behavior_loss'.",
      "Give one of the files in test/data/parity.",
    );
  }
  return {
    observationWidth: observations.shape[2]!,
    actionWidth: actions.shape[2]!,
    hidden: list("hidden_dims"),
    activation: m.activation ?? "elu",
    rnnType: (m.rnn_type ?? "") as ParityCase["rnnType"],
    rnnHidden: Number(m.rnn_hidden_dim),
    rnnLayers: Number(m.rnn_num_layers),
    normalised: m.obs_normalization === "true",
    weights: arraysUnder(file, "initial."),
    settings: {
      ...distillationDefaults,
      num_learning_epochs: Number(m.num_learning_epochs),
      gradient_length: Number(m.gradient_length),
      learning_rate: Number(m.learning_rate),
      max_grad_norm: list("max_grad_norm"),
      loss_type: m.loss_type as DistillationSettings["loss_type"],
      optimizer: m.optimizer as DistillationSettings["optimizer"],
      drop_leftover_steps: dropLeftover,
    },
    losses: list("behavior_loss"),
  };
}

/** Repeats the reference's updates with a student that has the case's initial weights. */
export async function replayParity(
  file: Safetensors,
  parity: ParityCase,
  policy: NetworkPolicy,
  compile: Compile = eagerly,
): Promise<ParityUpdate[]> {
  const learner = new Distillation(policy, { settings: parity.settings, compile });
  const updates: ParityUpdate[] = [];
  const numEnvs = file.arrays["rollout0.observations"]!.shape[1]!;
  let memory = policy.initialMemory(numEnvs);
  for (const [u, expectedLoss] of parity.losses.entries()) {
    const metrics = await learner.update({ ...rolloutOf(file, u), memory });
    memory = await learner.memory();
    const { student } = await learner.save();
    const { error, worst } = compare(student, arraysUnder(file, `after${u}.`));
    const loss = metrics["Loss/behavior"]!;
    const lossError = Math.abs(loss - expectedLoss);
    const passed = lossError <= parityTolerance.loss && error <= parityTolerance.weights;
    updates.push({ loss, expectedLoss, lossError, weightError: error, worst, passed });
  }
  learner.dispose();
  return updates;
}

function arraysUnder(file: Safetensors, prefix: string): Record<string, NamedArray> {
  const found = Object.entries(file.arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    found.map(([name, { shape, data }]) => [
      name.slice(prefix.length),
      { shape, data: Float32Array.from(data) },
    ]),
  );
}

function rolloutOf(file: Safetensors, u: number): Omit<Rollout, "memory"> {
  const array = (name: string) => file.arrays[`rollout${u}.${name}`]!;
  const [steps, numEnvs] = array("observations").shape as [number, number];
  const teacherActions = array("teacher_actions").data as Float32Array;
  return {
    steps,
    numEnvs,
    observations: { policy: array("observations").data as Float32Array },
    next: { policy: array("next_observations_last").data as Float32Array },
    studentActions: teacherActions,
    teacherActions,
    actions: teacherActions,
    rewards: new Float32Array(steps * numEnvs),
    terminated: array("dones").data as Uint8Array,
    truncated: new Uint8Array(steps * numEnvs),
  };
}

/** A weight that is missing, or not a number, is infinitely wrong. */
function compare(got: NamedArrays, expected: NamedArrays): { error: number; worst: string } {
  let error = 0;
  let worst = "";
  for (const [name, { data }] of Object.entries(expected)) {
    if (name.startsWith("distribution.")) continue;
    const mine = got[name]?.data;
    for (const [i, value] of data.entries()) {
      const difference = Math.abs((mine?.[i] ?? Number.NaN) - value);
      if (!(difference <= error)) {
        error = Number.isNaN(difference) ? Infinity : difference;
        worst = `${name}[${i}]`;
      }
    }
  }
  return { error, worst };
}
