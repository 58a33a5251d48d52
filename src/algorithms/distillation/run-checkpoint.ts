import type { Head } from "../../../policies/checkpoint/actor.ts";
import { firstColumns, repeatColumns } from "../../../policies/checkpoint/actor-policy.ts";
import { optimiserOrder, reorderOptimiser } from "../../../policies/checkpoint/optimiser-order.ts";
import { exampleEntries } from "../../../policies/checkpoint/own-facts.ts";
import type { RslRlDistillation } from "../../../policies/checkpoint/rsl-rl.ts";
import type { RslRlActorState } from "../../../policies/checkpoint/rsl-rl-actor.ts";
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
import type { LearnerState, OptimiserState } from "../../learning/old-learner.ts";
import type { FlightState } from "../../running/train-loop.ts";
import { RunError } from "../../runs/run-error.ts";
import { fromTorchOptimiser, toTorchOptimiser } from "./torch-optimiser.ts";

/** Bumped when what is kept in `infos` changes so that an older reader would go wrong. */
const format = 1;

/** What a pilot needs besides its weights. */
export interface PilotFacts {
  readonly kind: "network" | "hover" | "simulator" | "onnx";
  readonly activation: string;
  readonly head?: Head;
  /** Observations it sees at once; absent: one. */
  readonly history?: number;
  readonly reads: readonly string[];
}

/** What the pilots did on given observations when the checkpoint was made, for whoever loads it. */
export interface Examples {
  readonly student?: FlightExample | undefined;
  /** Absent when the teacher is no network of ours. */
  readonly teacher?: FlightExample | undefined;
}

/** All a run needs to go on as if it had never stopped. */
export interface RunCheckpoint {
  readonly learner: LearnerState;
  readonly noiseStd: number;
  readonly student: PilotFacts;
  readonly teacher: PilotFacts;
  /** Absent when the teacher is no network of ours (the hover controller, the simulator's own). */
  readonly teacherActor?: RslRlActorState | undefined;
  /** The ONNX file that the teacher flies by, where it does. */
  readonly teacherModel?: Uint8Array | undefined;
  readonly flight: FlightState;
  /** The simulator's snapshot, where it can give one. */
  readonly simulator?: Uint8Array | undefined;
}

/** Facts that go into `infos` as JSON text, so that any reader of pickles can show them. */
interface Facts {
  readonly format: number;
  readonly optimiser: Pick<OptimiserState, "name" | "step"> & { momentNames: readonly string[] };
  readonly student: PilotFacts;
  readonly teacher: PilotFacts;
  readonly flight: FlightState;
}

/**
 * A distillation checkpoint of rsl_rl, in the layout of a version; what only we need is in
 * `infos["firstsolo"]`.
 */
export function writeRunCheckpoint(
  checkpoint: RunCheckpoint,
  version = 5,
  examples: Examples = {},
): Uint8Array {
  const { learner, teacherActor, flight, simulator, student, teacher } = checkpoint;
  const { name, step, moments } = learner.optimiser;
  const momentNames = Object.keys(moments[0] ?? {});
  const facts: Facts = { format, optimiser: { name, step, momentNames }, student, teacher, flight };
  const entries: Record<string, TorchValue> = { facts: JSON.stringify(facts) };
  if (simulator) entries.simulator = bytesTensor(simulator);
  if (checkpoint.teacherModel) entries.teacher_onnx = bytesTensor(checkpoint.teacherModel);
  if (examples.student) Object.assign(entries, exampleEntries("student", examples.student));
  if (examples.teacher) Object.assign(entries, exampleEntries("teacher", examples.teacher));
  const state = {
    student: actorOf(learner.student, checkpoint.noiseStd, student.history ?? 1),
    teacher: teacherActor ?? { layers: {} },
    optimiser: toTorchOptimiser(learner.optimiser),
    iteration: Math.max(0, flight.progress.iteration - 1),
    infos: torchDict({ firstsolo: torchDict(entries) }),
  };
  return writeRslRlDistillation(state, version);
}

/** @throws RunError when the file is a distillation checkpoint of somebody else, or of a later format. */
export function readRunCheckpoint(file: RslRlDistillation, where: string): RunCheckpoint {
  const own = isDict(file.infos) ? file.infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  if (!isDict(own) || typeof text !== "string") throw foreign(where);
  const facts = parseFacts(text, where);
  const { layers, normaliser, inputWidth, std } = file.student;
  const width = inputWidth / (facts.student.history ?? 1);
  const statistics = normaliser
    ? new Normaliser(width, firstColumns(normaliser, width)).save()
    : {};
  const shapes = Object.values(layers).map((array) => array.shape);
  const [from, to] = [optimiserOrder(file.version, file), optimiserOrder("5", file)];
  const optimiser = reorderOptimiser(file.optimiser, from, to);
  return {
    learner: {
      student: { ...statistics, ...layers },
      optimiser: fromTorchOptimiser(optimiser, facts.optimiser, shapes),
    },
    noiseStd: std?.[0] ?? 0,
    student: facts.student,
    teacher: facts.teacher,
    teacherActor: file.teacher,
    flight: facts.flight,
    simulator: bytesIn(own.get("simulator")),
    teacherModel: bytesIn(own.get("teacher_onnx")),
  };
}

/** To rsl_rl a student with a history is a network that sees several observations side by side. */
function actorOf(arrays: NamedArrays, noiseStd: number, history: number): RslRlActorState {
  const layers = Object.fromEntries(
    Object.entries(arrays).filter(([name]) => !name.startsWith("obs_normalizer.")),
  );
  const biases = Object.entries(layers).filter(([name]) => /^mlp\.\d+\.bias$/.test(name));
  const actionWidth = biases.at(-1)![1].data.length;
  const std = new Float32Array(actionWidth).fill(noiseStd);
  const statistics = normaliserStateIn(arrays);
  const normaliser = statistics && repeatColumns(statistics, history);
  return { layers, normaliser, std, stdType: "scalar" };
}

function parseFacts(text: string, where: string): Facts {
  let facts: Facts;
  try {
    facts = JSON.parse(text);
  } catch (cause) {
    throw new RunError(
      "bad-checkpoint",
      `${where}: infos["firstsolo"]["facts"] is not JSON`,
      "The file is damaged: resume from another checkpoint of the run.",
      { cause },
    );
  }
  if (facts.format === format) return facts;
  throw new RunError(
    "checkpoint-format",
    `${where} is of format ${facts.format}; this version reads format ${format}`,
    "Use the version of firstsolo that wrote it.",
  );
}

function foreign(where: string): RunError {
  return new RunError(
    "not-our-run",
    `${where} is a distillation checkpoint, but not one of firstsolo's runs: it lacks the state to resume from`,
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
