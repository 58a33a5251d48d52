/** Reads what a run says of itself from events, which may be old, cut, or somebody else's: nothing here throws. */
import { printable } from "./printable.ts";
import type { Headline, RunDescription, StageLabel } from "./run-description.ts";

/** A distillation. Runs of version 0.1 say nothing of themselves: they are read as this. */
export const distillationRun: RunDescription = {
  algorithm: "distillation",
  room: "Distillation",
  headline: [
    { metric: "Loss/behavior", label: "Loss", scale: "log" },
    {
      metric: "Eval/student_return",
      label: "Return",
      scale: "linear",
      against: "Eval/teacher_return",
    },
  ],
  stages: [
    { name: "teacher-drives", label: "teacher flies" },
    { name: "student-drives", label: "student flies" },
  ],
};

const mostCharts = 2;
const mostStages = 32;

/** What a `start` event says of its run; undefined where it says nothing. */
export function descriptionIn(
  event: Readonly<Record<string, unknown>>,
): RunDescription | undefined {
  const [algorithm, room] = [printable(event.algorithm), printable(event.room)];
  if (algorithm === "" || room === "") return undefined;
  const stages = listed(event.stages).flatMap(stageLabel).slice(0, mostStages);
  return {
    algorithm,
    room,
    headline: listed(event.headline).flatMap(headline).slice(0, mostCharts),
    stages: stages.length > 0 ? stages : [{ name: algorithm, label: algorithm }],
    ...(event.exports === false && { exports: false }),
  };
}

function headline(value: unknown): readonly Headline[] {
  const { metric, label, scale, against } = fieldsOf(value);
  if (typeof metric !== "string" || metric === "") return [];
  const found = { metric, label: printable(label) || printable(metric) };
  const drawn = { ...found, scale: scale === "log" ? ("log" as const) : ("linear" as const) };
  return [typeof against === "string" && against !== "" ? { ...drawn, against } : drawn];
}

function stageLabel(value: unknown): readonly StageLabel[] {
  const { name, label } = fieldsOf(value);
  const known = printable(name);
  return known === "" ? [] : [{ name: known, label: printable(label) || known }];
}

/** Where in its plan a run is. */
export interface StagePlace {
  /** From 0. */
  readonly index: number;
  /** Undefined where only its number is known. */
  readonly name: string | undefined;
  /** Iterations of it that are over, and how many it lasts by plan; undefined where nobody says. */
  readonly iteration: number | undefined;
  readonly length: number | undefined;
}

/** The stage that an event enters; undefined where it enters none. */
export function stageIn(event: Readonly<Record<string, unknown>>): StagePlace | undefined {
  const { name, index, iteration, length } = fieldsOf(event.stage);
  if (isCount(index)) {
    return {
      index: Math.min(index, mostStages - 1),
      name: printable(name) || undefined,
      iteration: isCount(iteration) ? iteration : undefined,
      length: isCount(length) ? length : undefined,
    };
  }
  const place = { name: undefined, iteration: undefined, length: undefined };
  if (event.type === "phase-switch") return { index: 1, ...place };
  return event.type === "phase-resumed" ? { index: 0, ...place } : undefined;
}

/** The stage that a row was flown in, from its counters; undefined where it has none. */
export function stageOfRow(
  metrics: Readonly<Record<string, number>>,
  room: string,
): StagePlace | undefined {
  const counter = (name: string) => metrics[`${room}/${name}`];
  const phase = counter("training_phase");
  const index = counter("stage_index") ?? (phase === undefined ? undefined : phase - 1);
  if (!isCount(index) || index >= mostStages) return undefined;
  return {
    index,
    name: undefined,
    iteration: counter("stage_iteration") ?? counter("phase_iteration"),
    length: counter("stage_length") ?? counter("phase_length"),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
