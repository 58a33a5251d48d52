import { existsSync } from "node:fs";
import { join } from "node:path";
import { recordExample } from "../../policies/flight-example.ts";
import type { LearnerState } from "../learning/old-learner.ts";
import { LearningError } from "../learning/learning-error.ts";
import type { CheckpointKind, FlightState } from "../running/flight.ts";
import { type RunCheckpoint, writeRunCheckpoint } from "../runs/checkpoint.ts";
import { RunError } from "../runs/run-error.ts";
import type { CheckpointName } from "../runs/run-store.ts";
import { type Conducted, report } from "./conducted.ts";
import type { FlightDeck } from "./flight-deck.ts";

/**
 * Puts learner, simulator and `state` on disk. A disk that takes nothing doesn't end the flight, as the
 * next checkpoint may find room: its error is given back. @throws LearningError, RemoteError
 */
export async function saveCheckpoint(
  flight: Conducted,
  kind: CheckpointKind,
  state: FlightState,
): Promise<RunError | undefined> {
  const { run } = flight;
  const iteration = Math.max(0, state.progress.iteration - 1);
  const name = kind === "best" ? "best_model.pt" : (`model_${iteration}.pt` as const);
  // The one of the same iteration knows where the fleet was, a rescue doesn't.
  if (kind === "rescue" && existsSync(join(run.path, name))) return undefined;
  const learned = await flight.deck.learner.save();
  refuseDiverged(learned);
  const { simulator, lost } = kind === "rescue" ? nothing : await snapshotOf(flight.deck.env);
  const bytes = await bytesOf(flight, { learner: learned, flight: state, simulator });
  const failure = await put(flight, { name, bytes, kind, iteration });
  if (lost !== undefined) throw lost;
  return failure;
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

async function put(flight: Conducted, parcel: Parcel): Promise<RunError | undefined> {
  const { name, bytes, kind, iteration } = parcel;
  try {
    const path = await flight.run.saveCheckpoint(name, bytes);
    report(flight, "checkpoint", `${kind}: ${path}`, { path, kind }, iteration);
    flight.sinks.file(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const why = `${kind}: ${error.message}. ${error.hint}`;
    report(flight, "checkpoint-failed", why, { kind }, iteration);
    return error;
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
