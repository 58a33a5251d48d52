import { existsSync } from "node:fs";
import { join } from "node:path";
import { recordExample } from "../../policies/flight-example.ts";
import type { LearnerState } from "../learning/learner.ts";
import { LearningError } from "../learning/learning-error.ts";
import type { CheckpointKind, FlightState } from "../running/flight.ts";
import { type RunCheckpoint, writeRunCheckpoint } from "../runs/checkpoint.ts";
import { RunError } from "../runs/run-error.ts";
import type { CheckpointName } from "../runs/run-store.ts";
import { type Conducted, report } from "./conducted.ts";
import type { FlightDeck } from "./flight-deck.ts";

/** Puts learner, simulator and `state` on disk; says `done`, or why it couldn't. @throws LearningError, RemoteError */
export async function saveCheckpoint(
  flight: Conducted,
  kind: CheckpointKind,
  state: FlightState,
): Promise<string> {
  const { run } = flight;
  const iteration = Math.max(0, state.progress.iteration - 1);
  const name = kind === "best" ? "best_model.pt" : (`model_${iteration}.pt` as const);
  // The one of the same iteration knows where the fleet was, a rescue doesn't.
  if (kind === "rescue" && existsSync(join(run.path, name))) return "done";
  const learned = await flight.deck.learner.save();
  refuseDiverged(learned);
  const { simulator, lost } = kind === "rescue" ? nothing : await snapshotOf(flight.deck.env);
  const bytes = await bytesOf(flight, { learner: learned, flight: state, simulator });
  const outcome = await put(flight, { name, bytes, kind, iteration });
  if (lost !== undefined) throw lost;
  return outcome;
}

type Moving = Pick<RunCheckpoint, "learner" | "flight" | "simulator">;

/** @param moving what changes from checkpoint to checkpoint */
async function bytesOf({ deck, config }: Conducted, moving: Moving): Promise<Uint8Array> {
  const { learner, teacher } = deck;
  const { init_noise_std, activation, history_length } = config.policy;
  const { reads } = learner.policy;
  const content: RunCheckpoint = {
    ...moving,
    noiseStd: init_noise_std,
    student: { kind: "network", activation, reads, history: history_length },
    teacher: teacher.facts,
    teacherActor: teacher.actor,
    teacherModel: teacher.model,
  };
  const examples = { student: await recordExample(learner.policy), teacher: teacher.example };
  return writeRunCheckpoint(content, config.checkpoint_version, examples);
}

interface Parcel {
  readonly name: CheckpointName;
  readonly bytes: Uint8Array;
  readonly kind: CheckpointKind;
  readonly iteration: number;
}

/** A disk that takes nothing doesn't end the flight: the next checkpoint may find room. */
async function put(flight: Conducted, { name, bytes, kind, iteration }: Parcel): Promise<string> {
  try {
    const path = await flight.run.saveCheckpoint(name, bytes);
    report(flight, "checkpoint", `${kind}: ${path}`, { path, kind }, iteration);
    flight.sinks.file(path);
    return "done";
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const why = `${error.message}. ${error.hint}`;
    report(flight, "checkpoint-failed", `${kind}: ${why}`, { kind }, iteration);
    return `failed: ${why}`;
  }
}

/** Weights that are no numbers must not take the place of good ones. @throws LearningError `diverged` */
function refuseDiverged({ student }: LearnerState): void {
  for (const [name, { data }] of Object.entries(student)) {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad === undefined) continue;
    throw new LearningError(
      "diverged",
      `The student's ${name} holds ${bad}: its weights have diverged.`,
      "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
    );
  }
}

interface Snapshot {
  readonly simulator?: Uint8Array | undefined;
  /** Why there is none. */
  readonly lost?: unknown;
}

const nothing: Snapshot = {};

/** A simulator that dies when it is asked ends the run, but not before the student is on disk. */
async function snapshotOf(env: FlightDeck["env"]): Promise<Snapshot> {
  try {
    return { simulator: await env.snapshot?.() };
  } catch (lost) {
    return { lost };
  }
}
