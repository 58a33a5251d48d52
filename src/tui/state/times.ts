/** Where the time goes, read off the latest iterations. Seconds. */

import { mean } from "./numbers.ts";
import type { Recent, ScreenState } from "./screen-state.ts";

/** Iterations that rates and times are averaged over. */
const smoothing = 30;

export type TimePart = "read" | "simulator" | "wire" | "inference" | "learning" | "other";

export interface TimeShare {
  readonly name: TimePart;
  readonly seconds: number;
  /** Of the iteration, 0 to 1. */
  readonly share: number;
}

/** Experience is collected in a simulator, read from recorded flights, or both, which then is part of the collection. */
function gathering({ collection, read }: Recent): number {
  return collection ?? read;
}

export function secondsPerIteration({ recent }: ScreenState): number | undefined {
  const latest = recent.slice(-smoothing);
  if (latest.length === 0) return undefined;
  return mean(latest.map((one) => gathering(one) + one.learning));
}

/** Of a control step of the fleet with all that belongs to it. */
export function stepSeconds({ recent, run }: ScreenState): number | undefined {
  const times = recent.slice(-smoothing).flatMap(({ collection }) => collection ?? []);
  return times.length > 0 && run.stepsPerEnv ? mean(times) / run.stepsPerEnv : undefined;
}

/** Whether the run flies in a simulator, by what its rows say, else by what it learns from. */
export function hasSimulator({ recent, run }: ScreenState): boolean {
  const last = recent.at(-1);
  return run.dataset === undefined || (last !== undefined && last.simulation > 0);
}

/** Where the time of an iteration goes, averaged over the latest ones; empty before the first. */
export function timeSplit(state: ScreenState): readonly TimeShare[] {
  const latest = state.recent.slice(-smoothing);
  const total = secondsPerIteration(state) ?? 0;
  if (!(total > 0)) return [];
  const of = (pick: (one: Recent) => number) => mean(latest.map(pick));
  const [simulator, wire] = [of((one) => one.simulation), of((one) => one.wire)];
  const [inference, read] = [of((one) => one.inference), of((one) => one.read)];
  const learning = of((one) => one.learning);
  const other = Math.max(0, of(gathering) - simulator - wire - inference - read);
  const flown = hasSimulator(state) ? ({ simulator, wire, inference } as const) : {};
  const rest = hasSimulator(state) || other > total / 200 ? { other } : {};
  const parts = { ...(read > 0 ? { read } : {}), ...flown, learning, ...rest };
  return Object.entries(parts).map(([name, seconds]) => ({
    name: name as TimePart,
    seconds,
    share: Math.min(1, seconds / total),
  }));
}

export interface Health {
  /** Simulated seconds per second, over all environments. */
  readonly realTimeFactor: number | undefined;
  /** Environment steps per second. */
  readonly stepsPerSecond: number | undefined;
  /** Of a control step of the fleet, simulator and wire: percentiles of the means of the latest iterations. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Since the last row, which follows the last reply by one update. */
  readonly silence: number | undefined;
  /** Optimiser steps per second. */
  readonly updatesPerSecond: number | undefined;
}

export function healthOf(state: ScreenState): Health {
  const { numEnvs, stepsPerEnv, controlPeriod, updatesPerIteration } = state.run;
  const pace = secondsPerIteration(state);
  const steps = numEnvs && stepsPerEnv ? numEnvs * stepsPerEnv : undefined;
  const rate = steps && pace ? steps / pace : state.latest["Perf/total_fps"];
  const times = state.recent.flatMap(({ simulation, wire }) =>
    stepsPerEnv && simulation + wire > 0 ? [(simulation + wire) / stepsPerEnv] : [],
  );
  times.sort((a, b) => a - b);
  return {
    realTimeFactor: rate !== undefined && controlPeriod ? rate * controlPeriod : undefined,
    stepsPerSecond: rate,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    silence: state.lastRow === undefined ? undefined : Math.max(0, state.now - state.lastRow),
    updatesPerSecond: updatesPerIteration && pace ? updatesPerIteration / pace : undefined,
  };
}

/** The smallest value that so many of the sorted ones don't exceed. */
function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
