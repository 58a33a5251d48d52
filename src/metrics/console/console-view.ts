import type { Metrics } from "../metric-sink.ts";

/** What the console says about one iteration. Times in seconds. */
export interface ConsoleView {
  readonly iteration: number;
  readonly maxIterations: number;
  /** Environment steps per second. */
  readonly stepsPerSecond: number;
  readonly collectionTime: number;
  readonly learningTime: number;
  readonly noiseStd: number;
  /** Losses by name, without `Loss/`. */
  readonly losses: readonly (readonly [name: string, value: number])[];
  /** Absent until an episode has ended. */
  readonly meanReward?: number;
  readonly meanEpisodeLength?: number;
  /** What the simulator and the evaluation report, under the labels rsl_rl gives them. */
  readonly extras: readonly (readonly [label: string, value: number])[];
  readonly phase: {
    readonly number: number;
    readonly label: string;
    readonly iteration: number;
    readonly length: number;
  };
  readonly totalSteps: number;
  readonly elapsed: number;
  readonly remaining: number;
}

/** What a view needs beyond the figures of its iteration. */
export interface ConsolePlan {
  readonly maxIterations: number;
  /** First iteration of phase 2. */
  readonly switchAt: number;
  /** Where this session began: the next iteration to fly then, and the seconds flown before. */
  readonly start: { readonly iteration: number; readonly seconds: number };
}

const phaseLabels = ["Phase 1 (teacher actions)", "Phase 2 (student actions)"] as const;

/** Rooms of metrics that have lines of their own. */
const ownLines = /^(Loss|Policy|Perf|Train|Distillation)\//;

export function consoleView(iteration: number, metrics: Metrics, plan: ConsolePlan): ConsoleView {
  const figure = (name: string) => metrics[name] ?? Number.NaN;
  const reward = metrics["Train/mean_reward"];
  const length = metrics["Train/mean_episode_length"];
  const seconds = figure("Distillation/seconds");
  return {
    iteration,
    maxIterations: plan.maxIterations,
    stepsPerSecond: figure("Perf/total_fps"),
    collectionTime: figure("Perf/collection_time"),
    learningTime: figure("Perf/learning_time"),
    noiseStd: figure("Policy/mean_std"),
    losses: Object.entries(metrics).flatMap(([name, value]) =>
      name.startsWith("Loss/") && name !== "Loss/learning_rate" ? [[name.slice(5), value]] : [],
    ),
    ...(reward === undefined ? {} : { meanReward: reward }),
    ...(length === undefined ? {} : { meanEpisodeLength: length }),
    extras: Object.entries(metrics).flatMap(([name, value]) =>
      ownLines.test(name) ? [] : [[extraLabel(name), value]],
    ),
    phase: phaseAt(iteration, metrics, plan),
    totalSteps: figure("Distillation/environment_steps"),
    elapsed: seconds,
    remaining: remaining(iteration, seconds, plan),
  };
}

function extraLabel(name: string): string {
  return name.startsWith("Episode/") ? `Mean episode ${name.slice("Episode/".length)}` : name;
}

function phaseAt(iteration: number, metrics: Metrics, plan: ConsolePlan) {
  const phase = metrics["Distillation/training_phase"];
  const second = phase === undefined ? iteration >= plan.switchAt : phase === 2;
  const from = second ? plan.switchAt : 0;
  const to = second ? plan.maxIterations : plan.switchAt;
  return {
    number: second ? 2 : 1,
    label: phaseLabel(second, metrics["Distillation/teacher_share"] ?? 0),
    iteration: metrics["Distillation/phase_iteration"] ?? iteration - from,
    length: metrics["Distillation/phase_length"] ?? to - from,
  };
}

/** A teacher that flies in phase 2 does so by a schedule, in some of the episodes. */
function phaseLabel(second: boolean, teacherShare: number): string {
  if (!second || teacherShare === 0) return phaseLabels[second ? 1 : 0];
  return `Phase 2 (teacher actions in ${(100 * teacherShare).toFixed(0)} % of the episodes)`;
}

/** rsl_rl's estimate: as long for each iteration to come as for those of this session, the current one counted again. */
function remaining(iteration: number, seconds: number, { maxIterations, start }: ConsolePlan) {
  const flown = iteration - start.iteration + 1;
  return ((seconds - start.seconds) / flown) * (maxIterations - iteration);
}
