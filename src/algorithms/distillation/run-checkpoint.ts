import { firstColumns, repeatColumns } from "../../../policies/checkpoint/actor-policy.ts";
import type { RslRlActorState } from "../../../policies/checkpoint/actor-state.ts";
import { readCheckpointFile } from "../../../policies/checkpoint/checkpoint-file.ts";
import { optimiserOrder, reorderOptimiser } from "../../../policies/checkpoint/optimiser-order.ts";
import { exampleEntries } from "../../../policies/checkpoint/own-facts.ts";
import type { RslRlDistillation } from "../../../policies/checkpoint/rsl-rl.ts";
import { writeRslRlDistillation } from "../../../policies/checkpoint/rsl-rl-write.ts";
import {
  isDict,
  isTensor,
  type TorchValue,
  torchDict,
} from "../../../policies/checkpoint/torch-value.ts";
import type { FlightExample } from "../../../policies/flight-example.ts";
import type { NamedArrays } from "../../../policies/named-array.ts";
import { Normaliser, normaliserStateIn } from "../../../policies/networks/normaliser.ts";
import type { LearnerState } from "../../learning/learner.ts";
import { arraysUnder } from "../../learning/parameters.ts";
import { pipelineCounter } from "../../learning/pipeline/pipelined-learner.ts";
import type { RunState } from "../../running/run-state.ts";
import { RunError } from "../../runs/run-error.ts";
import type { SavedRun } from "../algorithm.ts";
import { checkIteration } from "../saved-facts.ts";
import {
  format,
  type OptimiserCounters,
  type PolicyParts,
  parseRunFacts,
  type RunFacts,
  runFactsOf,
  stateOf,
} from "./run-facts.ts";
import { actingEntry, actingIn, bufferIn, pastEntry } from "./saved-buffer.ts";
import { fromTorchOptimiser, toTorchOptimiser } from "./torch-optimiser.ts";

/** What the policies did on given observations when the checkpoint was made, for whoever loads it. */
export interface Examples {
  readonly student?: FlightExample | undefined;
  /** Absent when the teacher is no network of ours. */
  readonly teacher?: FlightExample | undefined;
}

/** The policies of a checkpoint as it was read. */
export interface DistilledPolicies extends Omit<PolicyParts, "teacherActor"> {
  readonly teacherActor: RslRlDistillation["teacher"];
  readonly file: RslRlDistillation;
}

/**
 * A distillation checkpoint of rsl_rl, in the layout of a version; what only we need is in
 * `infos["firstsolo"]`.
 */
export function writeRunCheckpoint(
  state: RunState,
  policies: PolicyParts,
  { version = 5, examples = {} }: { readonly version?: number; readonly examples?: Examples } = {},
): Uint8Array {
  const { teacherActor, teacherModel, student } = policies;
  const { simulator } = state.source.bytes;
  const facts = runFactsOf(state, policies);
  const entries: Record<string, TorchValue> = { facts: JSON.stringify(facts) };
  if (simulator) entries.simulator = bytesTensor(simulator);
  const past = pastEntry(state.learner.arrays);
  if (past) entries.buffer = past;
  const acting = actingEntry(state.learner.arrays);
  if (acting) entries.acting = acting;
  if (teacherModel) entries.teacher_onnx = bytesTensor(teacherModel);
  if (examples.student) Object.assign(entries, exampleEntries("student", examples.student));
  if (examples.teacher) Object.assign(entries, exampleEntries("teacher", examples.teacher));
  const { learner } = state;
  const { arrays } = learner;
  const file = {
    student: actorOf(arrays, policies.noiseStd, student.history ?? 1),
    teacher: teacherActor ?? { layers: {} },
    optimiser: toTorchOptimiser(
      learner.counters["optimisers/student"] as OptimiserCounters,
      momentsIn(arrays, facts.optimiser.momentNames),
    ),
    iteration: Math.max(0, state.progress.iteration - 1),
    infos: torchDict({ firstsolo: torchDict(entries) }),
  };
  return writeRslRlDistillation(file, version);
}

/** @throws RunError when the file is no distillation checkpoint, somebody else's, or of a later format. */
export async function readRun(path: string): Promise<SavedRun & { own: DistilledPolicies }> {
  const file = await readCheckpointFile(path);
  if (file.kind === "distillation") return { ...readRunCheckpoint(file, path), path };
  throw new RunError(
    "not-our-run",
    `${path} is no distillation checkpoint: it holds no student, and nothing to go on with`,
    "Use it as a teacher (--checkpoint FILE), or give a run of firstsolo.",
  );
}

/** @throws RunError when the file is somebody else's, or of a later format. */
export function readRunCheckpoint(
  file: RslRlDistillation,
  where: string,
): { readonly state: RunState; readonly own: DistilledPolicies } {
  const own = isDict(file.infos) ? file.infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  if (!isDict(own) || typeof text !== "string") throw foreign(where);
  const facts = parseRunFacts(text, where);
  checkIteration(facts.flight.progress, file.iteration, where);
  const simulator = bytesIn(own.get("simulator"));
  return {
    state: stateOf(
      facts,
      learnerStateOf(file, facts, { ...bufferIn(own, where), ...actingIn(own, where) }),
      simulator ? { simulator } : {},
    ),
    own: {
      noiseStd: file.student.std?.[0] ?? 0,
      student: facts.student,
      teacher: facts.teacher,
      teacherActor: file.teacher,
      teacherModel: bytesIn(own.get("teacher_onnx")),
      file,
    },
  };
}

function learnerStateOf(file: RslRlDistillation, facts: RunFacts, more: NamedArrays): LearnerState {
  const { layers, normaliser, inputWidth } = file.student;
  const width = inputWidth / (facts.student.history ?? 1);
  const statistics = normaliser && new Normaliser(width, firstColumns(normaliser, width)).save();
  const [from, to] = [optimiserOrder(file.version, file), optimiserOrder("5", file)];
  const optimiser = reorderOptimiser(file.optimiser, from, to);
  const shapes = Object.entries(layers).map(([name, { shape }]) => [name, shape] as const);
  return {
    arrays: {
      ...under("parameters/student/", layers),
      ...under("normalisers/student/", statistics ?? {}),
      ...under("optimisers/student/", fromTorchOptimiser(optimiser, facts.optimiser, shapes)),
      ...more,
    },
    counters: {
      "optimisers/student": { rule: facts.optimiser.name, step: facts.optimiser.step },
      ...(facts.buffer ? { buffer: facts.buffer } : {}),
      ...(facts.pipeline ? { [pipelineCounter]: facts.pipeline } : {}),
    },
  };
}

function under(prefix: string, arrays: NamedArrays): NamedArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, a]) => [prefix + name, a]));
}

/** By parameter, in their order. */
function momentsIn(arrays: NamedArrays, names: readonly string[]) {
  const parameters = Object.keys(arraysUnder("parameters/student/", arrays));
  return parameters.map((parameter) => {
    const own = names.map((name) => [name, arrays[`optimisers/student/${name}/${parameter}`]!]);
    return Object.fromEntries(own) as NamedArrays;
  });
}

/** To rsl_rl a student with a history is a network that sees several observations side by side. */
function actorOf(arrays: NamedArrays, noiseStd: number, history: number): RslRlActorState {
  const layers = arraysUnder("parameters/student/", arrays);
  const biases = Object.entries(layers).filter(([name]) => /^mlp\.\d+\.bias$/.test(name));
  const actionWidth = biases.at(-1)![1].data.length;
  const std = new Float32Array(actionWidth).fill(noiseStd);
  const statistics = normaliserStateIn(arraysUnder("normalisers/student/", arrays));
  const normaliser = statistics && repeatColumns(statistics, history);
  return { layers, normaliser, std, stdType: "scalar" };
}

function foreign(where: string): RunError {
  return new RunError(
    "not-our-run",
    `${where} is a distillation checkpoint, but not one of firstsolo's runs: it lacks the state to resume from (format ${format})`,
    "Use it as a teacher (--checkpoint), or resume a run of firstsolo.",
  );
}

function bytesIn(value: TorchValue | undefined): Uint8Array | undefined {
  if (!isTensor(value) || value.dtype !== "uint8") return undefined;
  return Uint8Array.from(value.data as Uint8Array);
}

function bytesTensor(bytes: Uint8Array): TorchValue {
  return { shape: [bytes.length], dtype: "uint8", data: bytes };
}
