import { readFile } from "node:fs/promises";
import { sealed } from "../../policies/checkpoint/seal.ts";
import type { SavedRun } from "../algorithms/algorithm.ts";
import { howToCall } from "../disk/how-to-call.ts";
import type { Stage } from "../learning/stage.ts";
import type { Progress } from "../running/run-state.ts";
import { compareStudents, type EvaluateRunOptions, evaluateRun } from "./evaluate-run.ts";
import { type RunContext, report } from "./run-context.ts";
import { withoutPast } from "./save-checkpoint.ts";
import { type Verdict, verdictInFlight, verdictOf, verdictText } from "./verdict.ts";

/** Episodes in which the best student in flight and the last one are compared. */
const selectionEpisodes = 100;

/** A whole run is judged by its best student; one that was stopped tells how far it came. */
export async function finish(context: RunContext, progress: Progress, stage: Stage): Promise<void> {
  const { run, sinks } = context;
  // Whatever befalls the simulator now, what was learned is learned, and the summary says how far it came.
  let failure: unknown;
  const judged = await judge(context, progress).catch((error: unknown) => {
    failure = error;
    return undefined;
  });
  const whole = judged !== undefined;
  const verdict = judged ?? verdictInFlight(sinks.latest());
  const counters = {
    iterations: progress.iteration,
    environment_steps: progress.environmentSteps,
    seconds: progress.seconds,
    ...(verdict.teacher_return === null
      ? { best_return_in_flight: progress.best }
      : { best_student_vs_teacher_in_flight: progress.best }),
    phase: stage.index + 1,
    finished: whole,
  };
  await run.saveSummary({ ...verdict, ...counters });
  if (failure !== undefined) throw failure;
  const message = whole
    ? `${verdictText(verdict)}; ${run.path}`
    : `stopped before the end; ${verdictText(verdict)}; go on with: ${howToCall("train", "--resume", run.path)}`;
  report(context, "landed", message, { ...verdict, ...counters });
}

/** Absent where the run was stopped before its end, the evaluation being part of it. */
async function judge(context: RunContext, progress: Progress): Promise<Verdict | undefined> {
  const { config, simulator, sinks, run, signals } = context;
  if (progress.iteration < config.max_iterations || signals.interrupted) return undefined;
  const { final_episodes: episodes } = config.evaluation;
  const [best, last] = [await run.bestCheckpoint(), await run.latestCheckpoint()];
  const checkpoint = best ?? last;
  if (episodes === 0 || checkpoint === undefined || !simulator) {
    return verdictInFlight(sinks.latest());
  }
  try {
    if (best !== undefined && last !== undefined) {
      await chooseBest(context, { best, last, progress });
    }
    const beside = context.assembled.facts.teacher === undefined ? "" : " and its teacher";
    const who = `the ${checkpoint === best ? "best" : "last"} student${beside}`;
    announce(context, who, { episodes, progress });
    return verdictOf(await evaluateRun(checkpoint, flightOf(context, episodes)));
  } catch (error) {
    if (signals.interrupted) return undefined;
    throw error;
  }
}

/** Paths of their checkpoints, and how far the run came. */
interface Students {
  readonly best: string;
  readonly last: string;
  readonly progress: Progress;
}

/**
 * Which student is the best is decided in flight by a few evaluation rows, whose mean is late and, being the
 * highest of many, flattering. At the end the last one may challenge it, over episodes of their own.
 */
async function chooseBest(context: RunContext, { best, last, progress }: Students): Promise<void> {
  const { algorithm, config, run, sinks } = context;
  const challenger = await forFlying(context, last);
  if (challenger.bytes.equals(await readFile(best))) return;
  const episodes = Math.min(selectionEpisodes, config.evaluation.final_episodes);
  announce(context, "the best student so far and the last one", { episodes, progress });
  const flight = flightOf(context, episodes);
  const students = [await algorithm.read(best), challenger.saved] as const;
  const [held, challenged] = await compareStudents(students, flight);
  if (!(challenged > held)) return;
  const path = await run.saveCheckpoint("best_model.pt", challenger.bytes);
  const returns = `${challenged.toFixed(2)} against ${held.toFixed(2)} over ${episodes} episodes`;
  const message = `best: ${path}, the last student now: ${returns}`;
  report(context, "checkpoint", message, { path, kind: "best" });
  sinks.file(path);
}

/** So many episodes in the simulator of the run, flown as the run flies. */
function flightOf(
  { config, algorithm, compile, simulator, signals }: RunContext,
  episodes: number,
): EvaluateRunOptions {
  const { env } = simulator!;
  return { algorithm, env, episodes, seed: config.seed, stop: signals.stop, acting: { compile } };
}

/** A checkpoint, read, and the bytes that the best student's file has of it. */
async function forFlying(
  { algorithm, assembled }: RunContext,
  path: string,
): Promise<{ readonly saved: SavedRun; readonly bytes: Buffer }> {
  const whole = await algorithm.read(path);
  const state = withoutPast(whole.state);
  const light = state === whole.state;
  const bytes = light ? await readFile(path) : Buffer.from(sealed(await assembled.write(state)));
  return { saved: { ...whole, state }, bytes };
}

/** Nothing else is heard of a run while it is judged, for as long as its episodes take. */
function announce(context: RunContext, who: string, { episodes, progress }: Judging): void {
  const about_seconds = secondsFor(context, { episodes, progress });
  const details = about_seconds === undefined ? { episodes } : { episodes, about_seconds };
  report(context, "judging", `${who}, over ${episodes} episodes`, details);
}

interface Judging {
  readonly episodes: number;
  readonly progress: Progress;
}

/**
 * Two share the fleet and give so many whole episodes each, after the ones that a reset began, at the pace of the run
 * so far; undefined where no episode was seen.
 */
function secondsFor({ simulator, sinks }: RunContext, { episodes, progress }: Judging) {
  const count = simulator?.env.spec?.numEnvs;
  const length = sinks.latest()["Train/mean_episode_length"];
  const { seconds, environmentSteps } = progress;
  if (count === undefined || length === undefined || environmentSteps === 0) return undefined;
  const rounds = Math.ceil(episodes / Math.max(1, Math.floor(count / 2))) + 1;
  const about = (rounds * length * seconds * count) / environmentSteps;
  return Number.isFinite(about) ? Math.round(about) : undefined;
}
