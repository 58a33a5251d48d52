import type { Metrics } from "../metric-sink.ts";
import {
  descriptionIn,
  distillationRun,
  type StagePlace,
  stageOfRow,
} from "../read-description.ts";
import type { RunDescription } from "../run-description.ts";
import { type ConsoleRow, ownRows, rslRlRows } from "./console-rows.ts";

/** What the console says about one iteration. Times in seconds. */
export interface ConsoleView {
  readonly iteration: number;
  readonly maxIterations: number;
  /** Environment steps, or where there is no simulator updates, per second. */
  readonly speed: number;
  readonly unit: "steps/s" | "updates/s";
  /** Where experience comes from, and how long that took. */
  readonly gathering: { readonly word: "collection" | "read"; readonly seconds: number };
  readonly learningTime: number;
  /** Between the computation and the phase. */
  readonly rows: readonly ConsoleRow[];
  /** Absent in a run of a single stage. */
  readonly phase: PhaseView | undefined;
  /** Absent where there is no simulator. */
  readonly totalSteps: number | undefined;
  readonly elapsed: number;
  readonly remaining: number;
}

export interface PhaseView {
  readonly number: number;
  readonly label: string;
  readonly iteration: number;
  readonly length: number;
}

/** What a view needs beyond the figures of its iteration. */
export interface ConsolePlan {
  readonly maxIterations: number;
  /** First iteration of phase 2 of a distillation. */
  readonly switchAt: number;
  /** Where this session began: the next iteration to fly then, and the seconds flown before. */
  readonly start: { readonly iteration: number; readonly seconds: number };
  /** Absent: a distillation. */
  readonly description?: RunDescription;
  /** Optimiser steps of an iteration, where the run says so. */
  readonly updatesPerIteration?: number;
  /** Where the latest event of a change of stage put the run. */
  readonly stage?: StagePlace;
}

/** The plan with what a `start` event says. */
export function planned(plan: ConsolePlan, event: Readonly<Record<string, unknown>>): ConsolePlan {
  const description = descriptionIn(event) ?? plan.description;
  const updates = event.updates_per_iteration;
  return {
    ...plan,
    ...(description ? { description } : {}),
    ...(typeof updates === "number" ? { updatesPerIteration: updates } : {}),
  };
}

/** Distillation has the block that rsl_rl's users know, byte for byte; all others one in its manner. */
export function consoleView(iteration: number, metrics: Metrics, plan: ConsolePlan): ConsoleView {
  const { description = distillationRun } = plan;
  const known = description.algorithm === distillationRun.algorithm;
  const figure = (name: string) => metrics[name] ?? Number.NaN;
  const seconds = figure(`${description.room}/seconds`);
  const learningTime = figure("Perf/learning_time");
  const view = {
    iteration,
    maxIterations: plan.maxIterations,
    learningTime,
    elapsed: seconds,
    remaining: remaining(iteration, seconds, plan),
  };
  const collection = figure("Perf/collection_time");
  const steps = metrics[`${description.room}/environment_steps`];
  const flown = {
    ...view,
    speed: figure("Perf/total_fps"),
    unit: "steps/s" as const,
    gathering: { word: "collection" as const, seconds: collection },
    totalSteps: known ? (steps ?? Number.NaN) : steps,
  };
  if (known) {
    return { ...flown, rows: rslRlRows(metrics), phase: phaseAt(iteration, metrics, plan) };
  }
  const own = { rows: ownRows(metrics, description), phase: stageView(metrics, plan, description) };
  // No figure per environment step: nothing is flown to learn from.
  if (metrics["Perf/total_fps"] !== undefined) return { ...flown, ...own };
  const read = metrics["Perf/read_time"] ?? 0;
  const speed = (plan.updatesPerIteration ?? Number.NaN) / (read + learningTime);
  const gathering = { word: "read" as const, seconds: read };
  return { ...flown, ...own, speed, unit: "updates/s", gathering, totalSteps: undefined };
}

function stageView(
  metrics: Metrics,
  { stage }: ConsolePlan,
  { room, stages }: RunDescription,
): PhaseView | undefined {
  const place = stageOfRow(metrics, room) ?? stage;
  if (stages.length < 2 || place === undefined) return undefined;
  const { index, name, iteration = Number.NaN, length = Number.NaN } = place;
  const label = stages[index]?.label ?? name ?? "";
  return { number: index + 1, label: `${index + 1}/${stages.length} ${label}`, iteration, length };
}

const phaseLabels = ["Phase 1 (teacher actions)", "Phase 2 (student actions)"] as const;

function phaseAt(iteration: number, metrics: Metrics, plan: ConsolePlan): PhaseView {
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
