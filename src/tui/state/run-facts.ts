import type { RunEvent } from "../../metrics/metric-sink.ts";
import { printable } from "../../metrics/printable.ts";
import { descriptionIn, distillationRun } from "../../metrics/read-description.ts";
import type { RunDescription } from "../../metrics/run-description.ts";

/** `stages`: one after the other; `mixture`: a schedule lets both pilots fly at once; `single`: nothing changes. */
export type Course = "stages" | "mixture" | "single";

/** What the `start` event says about a run; undefined where it doesn't. */
export interface RunFacts {
  readonly description: RunDescription;
  readonly course: Course;
  /** Stages are about who has the controls: a teacher flies in one, the student in another. */
  readonly handsOver: boolean;
  /** Path of the run folder. */
  readonly path: string | undefined;
  readonly task: string | undefined;
  readonly numEnvs: number | undefined;
  /** Control steps of each environment in an iteration. */
  readonly stepsPerEnv: number | undefined;
  readonly maxIterations: number | undefined;
  readonly phase1Iterations: number | undefined;
  readonly seed: number | undefined;
  readonly simulator: string | undefined;
  readonly engine: string | undefined;
  readonly teacher: string | undefined;
  /** Seconds of simulated time in a control step. */
  readonly controlPeriod: number | undefined;
  /** Share of the teacher's return the student must reach before phase 2. */
  readonly gate: number | undefined;
  /** Recorded flights that are learned from: `flights.hdf5, 400 episodes, 160 k steps`. */
  readonly dataset: string | undefined;
  /** Optimiser steps of an iteration. */
  readonly updatesPerIteration: number | undefined;
  /** Episodes that the students fly for the record when the plan has ended. */
  readonly finalEpisodes: number | undefined;
}

export const noRun: RunFacts = {
  description: distillationRun,
  course: "stages",
  handsOver: true,
  path: undefined,
  task: undefined,
  numEnvs: undefined,
  stepsPerEnv: undefined,
  maxIterations: undefined,
  phase1Iterations: undefined,
  seed: undefined,
  simulator: undefined,
  engine: undefined,
  teacher: undefined,
  controlPeriod: undefined,
  gate: undefined,
  dataset: undefined,
  updatesPerIteration: undefined,
  finalEpisodes: undefined,
};

/** A resumed run starts again and may say less than the first time. */
export function mergeRun(known: RunFacts, event: RunEvent): RunFacts {
  const described = descriptionIn(event);
  const teacher = text(event.teacher) ?? known.teacher;
  const dataset = text(event.dataset) ?? known.dataset;
  return {
    description: described ?? known.description,
    course: courseOf(event, described) ?? known.course,
    handsOver:
      described === undefined ? known.handsOver : teacher !== undefined && dataset === undefined,
    path: text(event.run) ?? known.path,
    task: text(event.task) ?? known.task,
    numEnvs: positive(event.num_envs) ?? known.numEnvs,
    stepsPerEnv: positive(event.num_steps_per_env) ?? known.stepsPerEnv,
    maxIterations: positive(event.max_iterations) ?? known.maxIterations,
    phase1Iterations: natural(event.phase1_iterations) ?? known.phase1Iterations,
    seed: natural(event.seed) ?? known.seed,
    simulator: text(event.simulator) ?? known.simulator,
    engine: text(event.engine) ?? known.engine,
    teacher,
    controlPeriod: positive(event.control_period) ?? known.controlPeriod,
    gate: positive(event.gate) ?? known.gate,
    dataset,
    updatesPerIteration: positive(event.updates_per_iteration) ?? known.updatesPerIteration,
    finalEpisodes: natural(event.final_episodes) ?? known.finalEpisodes,
  };
}

/** Distillation says by two settings what others say by their stages. */
function courseOf(event: RunEvent, described: RunDescription | undefined): Course | undefined {
  const { use_two_stage_training: twoStages, teacher_share_schedule: schedule } = event;
  if (twoStages === false) return "single";
  if (twoStages === true) {
    return (text(schedule) ?? "two_stage") === "two_stage" ? "stages" : "mixture";
  }
  if (described === undefined) return undefined;
  return described.stages.length > 1 ? "stages" : "single";
}

function text(value: unknown): string | undefined {
  return printable(value, 1000) || undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;
}

function natural(value: unknown): number | undefined {
  return value === 0 ? 0 : positive(value);
}
