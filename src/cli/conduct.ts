import { stringify } from "yaml";
import { recordExample } from "../../policies/flight-example.ts";
import type { Config } from "../config/schema.ts";
import type { Engine } from "../engine/engine.ts";
import type { Evaluation } from "../running/evaluate.ts";
import { type CheckpointKind, type FlightState, fly, type Progress } from "../running/flight.ts";
import { type RunCheckpoint, writeRunCheckpoint } from "../runs/checkpoint.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { evaluateRun } from "./evaluate-run.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { checkWindow, type FlightDeck } from "./flight-deck.ts";
import type { SignalWatch } from "./signals.ts";
import type { Simulator } from "./simulator.ts";
import type { Sinks } from "./sinks.ts";

export interface Conducted {
  readonly config: Config;
  readonly deck: FlightDeck;
  readonly run: RunFolder;
  readonly sinks: Sinks;
  readonly simulator: Simulator;
  readonly engine: Engine;
  readonly signals: SignalWatch;
}

/** Flies the run from take-off to its summary; gives the exit code. Sinks are closed whatever happens. */
export async function conduct(flight: Conducted): Promise<number> {
  let exitCode: number = exitCodes.internal;
  try {
    await recordStart(flight);
    const progress = await flyRun(flight);
    await land(flight, progress);
    exitCode = flight.signals.interrupted ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    exitCode = exitCodeOf(error);
    const { message } = error as Error;
    report(flight, exitCode === exitCodes.simulator ? "simulator-lost" : "failed", message);
    throw error;
  } finally {
    await flight.sinks.land(exitCode);
  }
  return exitCode;
}

async function recordStart({ config, deck, run, simulator, engine, sinks }: Conducted) {
  const { spec, start, teacher } = deck;
  const { welcome } = simulator.env;
  await run.saveParams(
    "env",
    stringify({ ...spec, settings: welcome.settings, server: welcome.server }),
  );
  const { use_two_stage_training, phase1_iterations } = config.algorithm;
  sinks.event({
    type: "start",
    iteration: start.iteration,
    time: Date.now() / 1000,
    message: `${deck.resumedFrom ? `resuming from ${deck.resumedFrom}; ` : ""}run ${run.path}`,
    run: run.path,
    task: spec.task,
    num_envs: spec.numEnvs,
    num_steps_per_env: config.num_steps_per_env,
    max_iterations: config.max_iterations,
    phase1_iterations,
    use_two_stage_training,
    seed: config.seed,
    simulator: simulator.description,
    engine: engine.description,
    teacher: teacher.description,
    control_period: spec.controlPeriod,
    ...(deck.resumedFrom ? { resumed: start.iteration } : {}),
  });
}

function flyRun(flight: Conducted): Promise<Progress> {
  const { config, deck, sinks } = flight;
  const { max_iterations, num_steps_per_env, save_interval } = config;
  const settings = {
    max_iterations,
    num_steps_per_env,
    save_interval,
    checkWindow: checkWindow(config, deck.seats),
  };
  const save = (kind: CheckpointKind, state: FlightState) => saveCheckpoint(flight, kind, state);
  return fly({ ...deck, sink: sinks, save, settings }, deck.frame, deck.start);
}

/** A disk that takes nothing doesn't end the flight: the next checkpoint may find room. */
async function saveCheckpoint(
  flight: Conducted,
  kind: CheckpointKind,
  state: FlightState,
): Promise<string> {
  const { deck, run, config, sinks } = flight;
  const { learner, teacher, env } = deck;
  const simulator = kind === "rescue" ? undefined : await env.snapshot?.();
  const content: RunCheckpoint = {
    learner: await learner.save(),
    noiseStd: config.policy.init_noise_std,
    student: {
      kind: "network",
      activation: config.policy.activation,
      reads: learner.policy.reads,
      history: config.policy.history_length,
    },
    teacher: teacher.facts,
    teacherActor: teacher.actor,
    flight: state,
    simulator,
  };
  const examples = { student: await recordExample(learner.policy), teacher: teacher.example };
  const bytes = writeRunCheckpoint(content, config.checkpoint_version, examples);
  const iteration = Math.max(0, state.progress.iteration - 1);
  const name = kind === "best" ? "best_model.pt" : (`model_${iteration}.pt` as const);
  try {
    const path = await run.saveCheckpoint(name, bytes);
    report(flight, "checkpoint", `${kind}: ${path}`, { path, kind }, iteration);
    sinks.file(path);
    return "done";
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const why = `${error.message}. ${error.hint}`;
    report(flight, "checkpoint-failed", `${kind}: ${why}`, { kind }, iteration);
    return `failed: ${why}`;
  }
}

/** A whole flight is judged by its best student; one that was stopped tells how far it came. */
async function land(flight: Conducted, progress: Progress): Promise<void> {
  const { config, deck, run, signals } = flight;
  const whole = progress.iteration >= config.max_iterations && !signals.interrupted;
  const { final_episodes } = config.evaluation;
  const counters = {
    iterations: progress.iteration,
    environment_steps: progress.environmentSteps,
    seconds: progress.seconds,
    best_student_vs_teacher_in_flight: progress.best,
    phase: deck.cockpit.trainingPhaseInfo(progress.iteration).phase,
    finished: whole,
  };
  const evaluation: Verdict =
    whole && final_episodes > 0
      ? await evaluateRun({ run, env: deck.env, episodes: final_episodes, seed: config.seed })
      : inFlight(deck);
  await run.saveSummary({ ...evaluation, ...counters });
  report(
    flight,
    "landed",
    landingText(run, evaluation, whole),
    { ...evaluation, ...counters },
    progress.iteration,
  );
}

/** What a summary says of both pilots; null for what is not known. */
type Verdict = { readonly [K in keyof Evaluation]: number | null };

/** The figures of the check rows: all there is of a flight that was stopped. */
function inFlight({ episodes }: FlightDeck): Verdict {
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  const student = known(episodes.student.meanReturn);
  const teacher = known(episodes.teacher.meanReturn);
  return {
    student_return: student,
    teacher_return: teacher,
    student_vs_teacher: student === null || teacher === null ? null : student / teacher,
    deaths: null,
    final_distance: null,
    episodes: episodes.student.episodes,
  };
}

function landingText(
  run: RunFolder,
  { student_return, teacher_return, student_vs_teacher, episodes }: Verdict,
  whole: boolean,
): string {
  const figure = (value: number | null) => (value === null ? "unknown" : value.toFixed(2));
  const percent =
    student_vs_teacher === null ? "unknown" : `${(100 * student_vs_teacher).toFixed(2)} %`;
  const returns = `student ${figure(student_return)}, teacher ${figure(teacher_return)}: ${percent} over ${episodes} episodes`;
  return whole
    ? `${returns}; ${run.path}`
    : `stopped before the end; ${returns}; go on with: firstsolo train --resume ${run.path}`;
}

function report(
  { sinks, deck }: Conducted,
  type: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  iteration = deck.start.iteration,
): void {
  sinks.event({ ...details, type, iteration, time: Date.now() / 1000, message });
}
