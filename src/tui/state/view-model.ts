/**
 * A pure reduction of metrics rows and events, so that a run replayed from its files looks as it did in flight.
 * Memory is bounded whatever the length of the run.
 */
import type { Metrics, RunEvent } from "../../metrics/metric-sink.ts";
import { type StagePlace, stageOfRow } from "../../metrics/read-description.ts";
import type { Headline, RunDescription } from "../../metrics/run-description.ts";
import { addEvent } from "./happenings.ts";
import { finite } from "./numbers.ts";
import {
  type HeadlineCurves,
  type Recent,
  rewind,
  rolesOf,
  type ScreenState,
  type Status,
} from "./screen-state.ts";
import { extend, type Series } from "./series.ts";
import { type Progression, verdictWindow } from "./verdict.ts";

export type Action =
  | {
      readonly kind: "row";
      readonly iteration: number;
      readonly metrics: Metrics;
      readonly time: number;
    }
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "tick"; readonly now: number }
  /** Only a watcher can't be sure that somebody flies. */
  | { readonly kind: "presence"; readonly flying: boolean };

export const mostRecent = 200;

/** Never throws, whatever the rows and events hold: files may be old, cut, or somebody else's. */
export function reduce(state: ScreenState, action: Action): ScreenState {
  switch (action.kind) {
    case "row":
      return addRow(state, action);
    case "event":
      return addEvent(state, action.event);
    case "tick":
      return { ...state, now: Math.max(state.now, finite(action.now) ?? 0) };
    case "presence":
      return { ...state, status: statusByPresence(state.status, action.flying) };
  }
}

function addRow(state: ScreenState, row: Action & { kind: "row" }): ScreenState {
  const { iteration, metrics } = row;
  if (!Number.isSafeInteger(iteration) || iteration < 0) return state;
  // An iteration that is flown again: the run was resumed from before it.
  const base = iteration <= (state.iteration ?? -1) ? rewind(state, iteration) : state;
  const time = finite(row.time) ?? state.now;
  const { description } = state.run;
  const progression = progressionOf(iteration, metrics, description);
  return {
    ...base,
    status: base.status === "paused" || base.status === "landed" ? base.status : "flying",
    awaited: undefined,
    iteration,
    ...stageIn(base, iteration, stageOfRow(metrics, description.room)),
    latest: metrics,
    figures: { ...base.figures, ...headlineFigures(metrics, description) },
    curves: base.curves.map((curves, i) => extended(curves, row, description.headline[i])),
    recent: [...base.recent.slice(1 - mostRecent), recentOf(iteration, metrics)],
    evaluated: appended(base.evaluated, progression.result !== undefined && progression),
    losses: appended(base.losses, progression.loss !== undefined && progression),
    lastRow: time,
    now: Math.max(state.now, time),
  };
}

/** Nothing changes in a run of a single stage, whatever number its rows give it. */
function stageIn({ run, stage, stageAt }: ScreenState, at: number, found: StagePlace | undefined) {
  if (found === undefined) return { stage, stageAt };
  const index = run.course === "stages" ? found.index : stage.index;
  return { stage: { ...found, index, name: found.name ?? nameAt(stage, index) }, stageAt: at };
}

function nameAt(stage: StagePlace, index: number): string | undefined {
  return stage.index === index ? stage.name : undefined;
}

function appended(
  known: readonly Progression[],
  next: Progression | false,
): readonly Progression[] {
  return next === false ? known : [...known.slice(1 - verdictWindow), next];
}

function extended(
  { series, against }: HeadlineCurves,
  { iteration, metrics }: Action & { kind: "row" },
  headline: Headline | undefined,
): HeadlineCurves {
  const grown = (curve: Series, name: string | undefined) => {
    const value = name === undefined ? undefined : metrics[name];
    return value === undefined ? curve : extend(curve, iteration, value);
  };
  return { series: grown(series, headline?.metric), against: grown(against, headline?.against) };
}

function progressionOf(
  iteration: number,
  metrics: Metrics,
  description: RunDescription,
): Progression {
  const { result, other } = rolesOf(description);
  const value = (name: string | undefined) => (name === undefined ? undefined : metrics[name]);
  return {
    iteration,
    result: value(result?.metric),
    against: value(result?.against),
    loss: other?.scale === "log" ? value(other.metric) : undefined,
  };
}

function headlineFigures(metrics: Metrics, { headline }: RunDescription): Metrics {
  const names = headline.flatMap(({ metric, against }) => [metric, against ?? metric]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function recentOf(iteration: number, metrics: Metrics): Recent {
  const known = (name: string) => finite(metrics[`Perf/${name}`]);
  const seconds = (name: string) => Math.max(0, known(name) ?? 0);
  return {
    iteration,
    collection: known("collection_time") === undefined ? undefined : seconds("collection_time"),
    learning: seconds("learning_time"),
    inference: seconds("inference_time"),
    simulation: seconds("simulation_time"),
    wire: seconds("wire_time"),
    read: seconds("read_time"),
  };
}

function statusByPresence(status: Status, flying: boolean): Status {
  if (flying) return status === "quiet" ? "flying" : status;
  return status === "landed" || status === "lost" || status === "failed" ? status : "quiet";
}
