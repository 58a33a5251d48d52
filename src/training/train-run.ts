import { stringify } from "yaml";
import { toWireSpec } from "../../protocol/env-spec.ts";
import { wordsOf } from "../../protocol/visible.ts";
import { howToCall } from "../disk/how-to-call.ts";
import type { Stage } from "../learning/stage.ts";
import type { CheckpointKind } from "../running/loop.ts";
import type { Progress, RunState } from "../running/run-state.ts";
import { train } from "../running/train-loop.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { finish } from "./final-evaluation.ts";
import { reportGradients } from "./gradient-report.ts";
import { type RunContext, report } from "./run-context.ts";
import { saveCheckpoint, type Unsaved } from "./save-checkpoint.ts";
import { saveElsewhere } from "./save-elsewhere.ts";
import { watchRun } from "./watch-run.ts";

/** From the first step to the summary; gives the exit code. Sinks are closed whatever happens. */
export async function trainRun(context: RunContext): Promise<number> {
  let exitCode: number = exitCodes.internal;
  try {
    await recordStart(context);
    const { progress, stage, unsaved } = await trainAll(context);
    if (unsaved !== undefined) throw await saveElsewhere(context.run, unsaved);
    await finish(context, progress, stage);
    const { uncaught } = context.signals;
    if (uncaught !== undefined) throw landedFor(uncaught.error, context.run);
    exitCode = context.signals.interrupted ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    exitCode = exitCodeOf(error);
    const { message } = error as Error;
    report(context, exitCode === exitCodes.simulator ? "simulator-lost" : "failed", message);
    throw exitCode === exitCodes.simulator ? lostInFlight(error, context.run) : error;
  } finally {
    await context.sinks.land(exitCode);
  }
  return exitCode;
}

/** What the simulator's error says, and how the run goes on. */
function lostInFlight(cause: unknown, { path }: RunFolder): RunError {
  const { message, hint = "" } = cause as { message: string; hint?: string };
  const next = `${hint} The run goes on with: ${howToCall("train", "--resume", path)}`.trim();
  return new RunError("simulator-lost", message, next, { cause });
}

/** The student is saved; what threw is nobody's of ours to mend, or a mistake that has to be found. */
function landedFor(cause: unknown, { path }: RunFolder): RunError {
  const message = `An error that nobody caught ended the run, in a sink of its own perhaps: ${wordsOf(cause)}`;
  const next = howToCall("train", "--resume", path);
  const hint = `The student is saved; FIRSTSOLO_DEBUG=1 shows where it was thrown. The run goes on with: ${next}`;
  return new RunError("uncaught", message, hint, { cause });
}

async function recordStart(context: RunContext): Promise<void> {
  const { config, algorithm, assembled, start, resumedFrom, run, simulator } = context;
  if (simulator) await recordSimulator(context, simulator);
  context.sinks.event({
    type: "start",
    iteration: start.iteration,
    time: Date.now() / 1000,
    message: `${resumedFrom ? `resuming from ${resumedFrom}; ` : ""}run ${run.path}`,
    run: run.path,
    algorithm: algorithm.name,
    ...algorithm.description,
    exports: algorithm.exports?.(config) ?? true,
    ...simulatorFacts(context),
    max_iterations: config.max_iterations,
    ...assembled.facts,
    seed: config.seed,
    final_episodes: config.evaluation.final_episodes,
    engine: context.engine.description,
    ...(resumedFrom ? { resumed: start.iteration } : {}),
  });
}

function recordSimulator({ run }: RunContext, { env }: NonNullable<RunContext["simulator"]>) {
  const { spec } = env;
  const { welcome } = env.current;
  const about = { settings: welcome.settings, server: welcome.server };
  return run.saveParams("env", stringify({ ...toWireSpec(spec), ...about }));
}

function simulatorFacts({ simulator, config }: RunContext) {
  if (!simulator) return {};
  const { task, numEnvs, controlPeriod } = simulator.env.spec;
  return {
    task,
    num_envs: numEnvs,
    ...(config.num_steps_per_env ? { num_steps_per_env: config.num_steps_per_env } : {}),
    simulator: simulator.description,
    control_period: controlPeriod,
  };
}

interface Trained {
  readonly progress: Progress;
  /** Of the last iteration. */
  readonly stage: Stage;
  /** Why the last checkpoint is not on disk: what was learned since the one before is lost. */
  readonly unsaved: Unsaved | undefined;
}

async function trainAll(context: RunContext): Promise<Trained> {
  const { config, algorithm, assembled, sinks, requests, start } = context;
  const { max_iterations, save_interval } = config;
  const { room } = algorithm.description;
  let unsaved: Unsaved | undefined;
  const save = async (kinds: readonly CheckpointKind[], state: RunState) => {
    unsaved = await saveCheckpoint(context, kinds, state);
    if (unsaved === undefined) return "done";
    return `failed: ${unsaved.error.message}. ${unsaved.error.hint}`;
  };
  const gradients = reportGradients(context);
  const watch = watchRun(context);
  watch.load(context.watched);
  const loop = {
    ...assembled,
    requests,
    sink: sinks,
    save,
    meter: gradients.meter,
    learned: gradients.judge,
    watch,
    settings: { room, max_iterations, save_interval },
  };
  const progress = await train(loop, start);
  const stage = watch.stage() ?? assembled.plan.at(progress.iteration).stage;
  return { progress, stage, unsaved };
}
