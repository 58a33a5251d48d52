import { existsSync } from "node:fs";
import { join } from "node:path";
import { sealed } from "../../policies/checkpoint/seal.ts";
import type { LearnerState } from "../learning/learner.ts";
import { LearningError } from "../learning/learning-error.ts";
import { pastPrefix, without } from "../learning/parameters.ts";
import type { CheckpointKind } from "../running/loop.ts";
import type { RunState } from "../running/run-state.ts";
import { RunError } from "../runs/run-error.ts";
import type { CheckpointName } from "../runs/run-folder.ts";
import { type RunContext, report } from "./run-context.ts";

/** A checkpoint that the disk didn't take. */
export interface Unsaved {
  readonly error: RunError;
  readonly name: CheckpointName;
  readonly bytes: Uint8Array;
}

/**
 * Puts a state on disk behind the rows that led there, under a name for each of `kinds`. A disk that takes
 * nothing doesn't end the run, as the next checkpoint may find room: what it didn't take is given back.
 *
 * @throws LearningError, RemoteError; RunError `taken-over`
 */
export async function saveCheckpoint(
  context: RunContext,
  kinds: readonly CheckpointKind[],
  state: RunState,
): Promise<Unsaved | undefined> {
  const { run, assembled, sinks } = context;
  const iteration = Math.max(0, state.progress.iteration - 1);
  const names = kinds.map((kind) => [kind, nameOf(kind, iteration)] as const);
  // The one of the same iteration knows where the simulator was, a rescue doesn't.
  const wanted = names.filter(([kind, name]) => {
    return kind !== "rescue" || !existsSync(join(run.path, name));
  });
  if (wanted.length === 0) return undefined;
  refuseDiverged(state.learner);
  await sinks.flush();
  const light = withoutPast(state);
  const stateFor = (kind: CheckpointKind) => (kind === "best" ? light : state);
  const written = new Map<RunState, Uint8Array>();
  for (const one of new Set(wanted.map(([kind]) => stateFor(kind)))) {
    written.set(one, sealed(await assembled.write(one)));
  }
  let unsaved: Unsaved | undefined;
  for (const [kind, name] of wanted) {
    const bytes = written.get(stateFor(kind))!;
    const error = await put(context, { name, bytes, kind, iteration });
    if (error) unsaved = { error, name, bytes };
  }
  if (!unsaved) await dropOld(context);
  // A simulator that dies when it is asked ends the run, but not before the student is on disk.
  if (state.source.lost !== undefined) throw state.source.lost;
  return unsaved;
}

function nameOf(kind: CheckpointKind, iteration: number): CheckpointName {
  return kind === "best" ? "best_model.pt" : `model_${iteration}.pt`;
}

/**
 * The best student is for flying: what only a run that goes on needs of the past stays out of its file. The state itself
 * where there is nothing of that kind.
 */
export function withoutPast(state: RunState): RunState {
  const { learner, source } = state;
  const names = [learner.arrays, source.bytes].flatMap((named) => Object.keys(named));
  if (!names.some((name) => name.startsWith(pastPrefix))) return state;
  const arrays = without(pastPrefix, learner.arrays);
  const bytes = without(pastPrefix, source.bytes);
  return { ...state, learner: { ...learner, arrays }, source: { ...source, bytes } };
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
    if (!(error instanceof RunError) || error.code === "taken-over") throw error;
    const why = `${kind}: ${error.message}. ${error.hint}`;
    report(context, "checkpoint-failed", why, { kind }, iteration);
    return error;
  }
}

/** One that can't be removed is in nobody's way. */
async function dropOld({ config, run }: RunContext): Promise<void> {
  const { keep_checkpoints: count, checkpoint_budget: megabytes } = config;
  const limits = {
    ...(count === null ? {} : { count }),
    ...(megabytes === null ? {} : { bytes: megabytes * 2 ** 20 }),
  };
  await run.dropOldCheckpoints(limits).catch(() => undefined);
}

/** Weights that are no numbers must not take the place of good ones. @throws LearningError `diverged` */
function refuseDiverged({ arrays }: LearnerState): void {
  for (const [name, { data }] of Object.entries(arrays)) {
    const bad = name.startsWith(pastPrefix) ? undefined : data.find((v) => !Number.isFinite(v));
    if (bad === undefined) continue;
    throw new LearningError(
      "diverged",
      `${name} holds ${bad}: the weights have diverged.`,
      "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
    );
  }
}
