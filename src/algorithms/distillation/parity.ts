import { z } from "zod";
import { type NamedArrays, sameShape, shapeText } from "../../../policies/named-array.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Memory } from "../../../policies/policy.ts";
import { type Compile, eagerly } from "../../engine/compile/program.ts";
import type { Experience } from "../../learning/experience.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { arraysUnder } from "../../learning/parameters.ts";
import {
  badFile,
  jsonOrWords,
  keepsWeights,
  arraysUnder as recordedUnder,
} from "../../learning/parity/reference.ts";
import type { Safetensors } from "../../learning/safetensors.ts";
import type { Stage } from "../../learning/stage.ts";
import { Distillation } from "./distillation.ts";
import { type DistillationSettings, distillationDefaults } from "./update-settings.ts";

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
  const observations = file.arrays["rollout0.observations"];
  const actions = file.arrays["rollout0.teacher_actions"];
  if (observations?.shape.length !== 3 || actions?.shape.length !== 3 || !m.behavior_loss) {
    throw new LearningError(
      "bad-parity-file",
      "The file holds no 'rollout0.observations', 'rollout0.teacher_actions' or 'behavior_loss'.",
      "Give one of the files in test/data/parity.",
    );
  }
  return {
    observationWidth: observations.shape[2]!,
    actionWidth: actions.shape[2]!,
    hidden: said(m, "hidden_dims", z.array(z.int().positive()).min(1)),
    activation: m.activation ?? "elu",
    rnnType: said(m, "rnn_type", z.enum(["", "gru", "lstm"])),
    ...recurrenceOf(m),
    normalised: m.obs_normalization === "true",
    weights: recordedUnder(file, "initial."),
    settings: {
      ...distillationDefaults,
      num_learning_epochs: said(m, "num_learning_epochs", z.int().positive()),
      gradient_length: said(m, "gradient_length", z.int().positive()),
      learning_rate: said(m, "learning_rate", z.number().min(0)),
      // rsl_rl clips where the norm is true in Python's sense: 0 is not.
      max_grad_norm: said(m, "max_grad_norm", z.number().min(0).nullable()) || null,
      loss_type: said(m, "loss_type", z.enum(["mse", "huber"])),
      optimizer: said(m, "optimizer", z.enum(["adam", "adamw", "sgd", "rmsprop"])),
      drop_leftover_steps: dropLeftover,
      normaliser_update: normaliserUpdateOf(file),
    },
    losses: said(m, "behavior_loss", z.array(z.number()).min(1)),
  };
}

function recurrenceOf(metadata: Safetensors["metadata"]) {
  if (!metadata.rnn_type) return { rnnHidden: 0, rnnLayers: 0 };
  const width = z.int().positive();
  return {
    rnnHidden: said(metadata, "rnn_hidden_dim", width),
    rnnLayers: said(metadata, "rnn_num_layers", width),
  };
}

/** What the metadata say, which is JSON, or words. @throws LearningError `bad-parity-file` */
function said<S extends z.ZodType>(
  metadata: Safetensors["metadata"],
  key: string,
  schema: S,
): z.output<S> {
  const text = metadata[key] ?? "null";
  const value = schema.safeParse(jsonOrWords(text));
  if (value.success) return value.data;
  throw new LearningError(
    "bad-parity-file",
    `The file says ${text} for '${key}' in its metadata: ${value.error.issues[0]!.message}.`,
    "Give a file of recorded updates as test/data/parity/README.md describes.",
  );
}

/** By the version that made the file, or else by the statistics that it recorded behind the first update. */
function normaliserUpdateOf({ metadata, arrays }: Safetensors): 5.4 | 5.5 {
  const named = metadata.rsl_rl_version ?? /rsl-rl-lib (\d+\.\d+)/.exec(metadata.source ?? "")?.[1];
  const [major, minor] = (named ?? "").split(".").map(Number);
  if (major !== undefined && minor !== undefined && Number.isFinite(major + minor)) {
    return major > 5 || (major === 5 && minor >= 5) ? 5.5 : 5.4;
  }
  const array = (name: string) => Float32Array.from(arrays[name]?.data ?? []);
  const before = array("initial.obs_normalizer._mean");
  const after = array("after0.obs_normalizer._mean");
  const seen = array("rollout0.observations");
  const last = array("rollout0.next_observations_last");
  if (before.length === 0 || (array("initial.obs_normalizer.count")[0] ?? 0) > 0) return 5.4;
  const distance = (rows: Float32Array) =>
    after.reduce((sum, value, i) => sum + Math.abs(value - columnMean(rows, i, after.length)), 0);
  const led = Float32Array.from([...seen.subarray(last.length), ...last]);
  return distance(seen) < distance(led) ? 5.5 : 5.4;
}

function columnMean(rows: Float32Array, column: number, width: number): number {
  let sum = 0;
  for (let at = column; at < rows.length; at += width) sum += rows[at]!;
  return (sum * width) / rows.length;
}

/** Repeats the reference's updates with a student that has the case's initial weights. */
export async function replayParity(
  file: Safetensors,
  parity: ParityCase,
  policy: NetworkPolicy,
  compile: Compile = eagerly,
): Promise<ParityUpdate[]> {
  for (const u of parity.losses.keys()) {
    if (keepsWeights(file, `after${u}.`)) continue;
    throw badFile({ where: "the file" }, `holds no weights 'after${u}.…'`);
  }
  const learner = new Distillation(policy, { settings: parity.settings, compile });
  const updates: ParityUpdate[] = [];
  const numEnvs = file.arrays["rollout0.observations"]!.shape[1]!;
  let memory = policy.initialMemory(numEnvs);
  for (const [u, expectedLoss] of parity.losses.entries()) {
    const metrics = await learner.update(experienceOf(file, u, memory), constantStage);
    memory = await learner.memory();
    const student = studentIn((await learner.save()).arrays);
    const { error, worst } = compare(student, recordedUnder(file, `after${u}.`));
    const loss = metrics["Loss/behavior"]!;
    const lossError = Math.abs(loss - expectedLoss);
    const passed = lossError <= parityTolerance.loss && error <= parityTolerance.weights;
    updates.push({ loss, expectedLoss, lossError, weightError: error, worst, passed });
  }
  learner.dispose();
  return updates;
}

/** Rates are constant in the reference: where in the plan a run is says nothing. */
const constantStage: Stage = {
  name: "student-drives",
  index: 0,
  of: 1,
  iteration: 0,
  length: 1,
  progress: 0,
  settings: {},
};

function experienceOf(file: Safetensors, u: number, memory: Memory): Experience {
  const [steps = 0, numEnvs = 0, width = 0] = file.arrays["rollout0.observations"]!.shape;
  const outputs = file.arrays["rollout0.teacher_actions"]!.shape[2]!;
  const shapes = {
    observations: [steps, numEnvs, width],
    next_observations_last: [numEnvs, width],
    teacher_actions: [steps, numEnvs, outputs],
    dones: [steps, numEnvs],
  };
  const array = (name: keyof typeof shapes) => {
    const found = file.arrays[`rollout${u}.${name}`];
    if (found && sameShape(found.shape, shapes[name])) return found;
    const is = found ? shapeText(found.shape) : "missing";
    const wanted = shapeText(shapes[name]);
    throw badFile({ where: "the file" }, `has 'rollout${u}.${name}' ${is}, expected ${wanted}`);
  };
  const arrays = {
    "obs/policy": array("observations").data,
    "after/policy": array("next_observations_last").data,
    "notes/teacher_actions": array("teacher_actions").data,
    terminated: array("dones").data,
    truncated: new Uint8Array(steps * numEnvs),
    ...Object.fromEntries(memory.map((state, i) => [`memory/${i}`, state])),
  };
  return { steps, numEnvs, arrays };
}

/** Parameters and statistics by the reference's names. */
function studentIn(arrays: NamedArrays): NamedArrays {
  return {
    ...arraysUnder("parameters/student/", arrays),
    ...arraysUnder("normalisers/student/", arrays),
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
