import { stringify } from "yaml";
import { toWireSpec } from "../../protocol/env-spec.ts";
import {
  type CheckpointKind,
  type FlightState,
  fly,
  type Progress,
} from "../running/train-loop.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { checkWindow } from "./assemble.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { land } from "./final-evaluation.ts";
import { type Conducted, report } from "./run-context.ts";
import { saveCheckpoint } from "./save-checkpoint.ts";

/** Flies the run from take-off to its summary; gives the exit code. Sinks are closed whatever happens. */
export async function conduct(flight: Conducted): Promise<number> {
  let exitCode: number = exitCodes.internal;
  try {
    await recordStart(flight);
    const { progress, unsaved } = await flyRun(flight);
    await land(flight, progress);
    if (unsaved !== undefined) throw unsaved;
    exitCode = flight.signals.interrupted ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    exitCode = exitCodeOf(error);
    const { message } = error as Error;
    report(flight, exitCode === exitCodes.simulator ? "simulator-lost" : "failed", message);
    throw exitCode === exitCodes.simulator ? lostInFlight(error, flight.run) : error;
  } finally {
    await flight.sinks.land(exitCode);
  }
  return exitCode;
}

/** What the simulator's error says, and how the run goes on. */
function lostInFlight(cause: unknown, { path }: RunFolder): RunError {
  const { message, hint = "" } = cause as { message: string; hint?: string };
  const next = `${hint} The run goes on with: firstsolo train --resume ${path}`.trim();
  return new RunError("simulator-lost", message, next, { cause });
}

async function recordStart({ config, deck, run, simulator, engine, sinks }: Conducted) {
  const { spec, start, teacher } = deck;
  const { welcome } = simulator.env.current;
  await run.saveParams(
    "env",
    stringify({ ...toWireSpec(spec), settings: welcome.settings, server: welcome.server }),
  );
  const { phase1_iterations, use_two_stage_training, teacher_share_schedule, gate_threshold } =
    config.algorithm;
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
    teacher_share_schedule,
    seed: config.seed,
    simulator: simulator.description,
    engine: engine.description,
    teacher: teacher.description,
    control_period: spec.controlPeriod,
    ...(gate_threshold === null ? {} : { gate: gate_threshold }),
    ...(deck.resumedFrom ? { resumed: start.iteration } : {}),
  });
}

interface Flown {
  readonly progress: Progress;
  /** Why the last checkpoint is not on disk: what was learned since the one before is lost. */
  readonly unsaved: RunError | undefined;
}

async function flyRun(flight: Conducted): Promise<Flown> {
  const { config, deck, sinks } = flight;
  const { max_iterations, num_steps_per_env, save_interval } = config;
  const settings = {
    max_iterations,
    num_steps_per_env,
    save_interval,
    checkWindow: checkWindow(config, deck.seats),
  };
  let unsaved: RunError | undefined;
  const save = async (kind: CheckpointKind, state: FlightState) => {
    unsaved = await saveCheckpoint(flight, kind, state);
    return unsaved === undefined ? "done" : `failed: ${unsaved.message}. ${unsaved.hint}`;
  };
  const progress = await fly({ ...deck, sink: sinks, save, settings }, deck.frame, deck.start);
  return { progress, unsaved };
}
