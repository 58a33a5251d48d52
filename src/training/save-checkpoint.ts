import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LearnerState } from "../learning/learner.ts";
import { LearningError } from "../learning/learning-error.ts";
import type { CheckpointKind } from "../running/loop.ts";
import type { RunState } from "../running/run-state.ts";
import { RunError } from "../runs/run-error.ts";
import type { CheckpointName } from "../runs/run-folder.ts";
import { type RunContext, report } from "./run-context.ts";

/**
 * Puts a state on disk, under a name for each of `kinds`. A disk that takes nothing doesn't end the run, as
 * the next checkpoint may find room: its error is given back. @throws LearningError, RemoteError
 */
export async function saveCheckpoint(
  context: RunContext,
  kinds: readonly CheckpointKind[],
  state: RunState,
): Promise<RunError | undefined> {
  const { run, assembled } = context;
  const iteration = Math.max(0, state.progress.iteration - 1);
  const names = kinds.map((kind) => [kind, nameOf(kind, iteration)] as const);
  // The one of the same iteration knows where the simulator was, a rescue doesn't.
  const wanted = names.filter(([kind, name]) => {
    return kind !== "rescue" || !existsSync(join(run.path, name));
  });
  if (wanted.length === 0) return undefined;
  refuseDiverged(state.learner);
  const bytes = await assembled.write(state);
  let failure: RunError | undefined;
  for (const [kind, name] of wanted) {
    failure = (await put(context, { name, bytes, kind, iteration })) ?? failure;
  }
  // A simulator that dies when it is asked ends the run, but not before the student is on disk.
  if (state.source.lost !== undefined) throw state.source.lost;
  return failure;
}

function nameOf(kind: CheckpointKind, iteration: number): CheckpointName {
  return kind === "best" ? "best_model.pt" : `model_${iteration}.pt`;
}

interface Parcel {
  readonly name: CheckpointName;
  readonly bytes: Uint8Array;
  readonly kind: CheckpointKind;
  readonly iteration: number;
}

async function put(context: RunContext, parcel: Parcel): Promise<RunError | undefined> {
  const { name, bytes, kind, iteration } = parcel;
  try {
    const path = await context.run.saveCheckpoint(name, bytes);
    report(context, "checkpoint", `${kind}: ${path}`, { path, kind }, iteration);
    context.sinks.file(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const why = `${kind}: ${error.message}. ${error.hint}`;
    report(context, "checkpoint-failed", why, { kind }, iteration);
    return error;
  }
}

/** Weights that are no numbers must not take the place of good ones. @throws LearningError `diverged` */
function refuseDiverged({ arrays }: LearnerState): void {
  for (const [name, { data }] of Object.entries(arrays)) {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad === undefined) continue;
    throw new LearningError(
      "diverged",
      `${name} holds ${bad}: the weights have diverged.`,
      "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
    );
  }
}
