import type { RunEvent } from "../../metrics/metric-sink.ts";

/** What the `start` event says about a run; undefined where it doesn't. */
export interface RunFacts {
  /** Path of the run folder. */
  readonly path: string | undefined;
  readonly task: string | undefined;
  readonly numEnvs: number | undefined;
  /** Control steps of each environment in an iteration. */
  readonly stepsPerEnv: number | undefined;
  readonly maxIterations: number | undefined;
  readonly phase1Iterations: number | undefined;
  readonly twoStages: boolean;
  /** Both fly, by a schedule of the teacher's share of the episodes. */
  readonly mixed: boolean;
  readonly seed: number | undefined;
  readonly simulator: string | undefined;
  readonly engine: string | undefined;
  readonly teacher: string | undefined;
  /** Seconds of simulated time in a control step. */
  readonly controlPeriod: number | undefined;
  /** Share of the teacher's return the student must reach before phase 2. */
  readonly gate: number | undefined;
}

export const noRun: RunFacts = {
  path: undefined,
  task: undefined,
  numEnvs: undefined,
  stepsPerEnv: undefined,
  maxIterations: undefined,
  phase1Iterations: undefined,
  twoStages: true,
  mixed: false,
  seed: undefined,
  simulator: undefined,
  engine: undefined,
  teacher: undefined,
  controlPeriod: undefined,
  gate: undefined,
};

/** A resumed run starts again and may say less than the first time. */
export function mergeRun(known: RunFacts, event: RunEvent): RunFacts {
  const twoStages = flag(event.use_two_stage_training);
  const schedule = text(event.teacher_share_schedule) ?? "two_stage";
  return {
    path: text(event.run) ?? known.path,
    task: text(event.task) ?? known.task,
    numEnvs: positive(event.num_envs) ?? known.numEnvs,
    stepsPerEnv: positive(event.num_steps_per_env) ?? known.stepsPerEnv,
    maxIterations: positive(event.max_iterations) ?? known.maxIterations,
    phase1Iterations: natural(event.phase1_iterations) ?? known.phase1Iterations,
    twoStages: twoStages === undefined ? known.twoStages : twoStages && schedule === "two_stage",
    mixed: twoStages === undefined ? known.mixed : twoStages && schedule !== "two_stage",
    seed: natural(event.seed) ?? known.seed,
    simulator: text(event.simulator) ?? known.simulator,
    engine: text(event.engine) ?? known.engine,
    teacher: text(event.teacher) ?? known.teacher,
    controlPeriod: positive(event.control_period) ?? known.controlPeriod,
    gate: gateOf(event.gate ?? event.gate_threshold) ?? known.gate,
  };
}

/** A number, or an object that names the figure it is about. */
function gateOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return positive(value);
  const { student_vs_teacher, threshold } = value as Record<string, unknown>;
  return positive(student_vs_teacher) ?? positive(threshold);
}

function text(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return value.slice(0, 1000).replace(/\p{Cc}+/gu, " ") || undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;
}

function natural(value: unknown): number | undefined {
  return value === 0 ? 0 : positive(value);
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}
