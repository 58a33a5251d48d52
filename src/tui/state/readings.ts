/** What can be read off the state of a run: the figures the views show. Times in seconds. */
import { judge, type Verdict } from "./verdict.ts";
import type { Recent, ScreenState } from "./view-model.ts";

/** Iterations that rates and times are averaged over. */
const smoothing = 30;

export interface Progress {
  /** Whole iterations. */
  readonly done: number;
  readonly total: number | undefined;
  /** Of all iterations, 0 to 1. */
  readonly share: number | undefined;
  /** Where on the bar the controls change hands; undefined where they don't. */
  readonly handOver: number | undefined;
  readonly remaining: number | undefined;
}

export function progressOf(state: ScreenState): Progress {
  const { maxIterations: total } = state.run;
  const done = state.iteration === undefined ? 0 : state.iteration + 1;
  const pace = secondsPerIteration(state);
  const switched = switchAt(state);
  const left = total === undefined ? undefined : Math.max(0, total - done);
  return {
    done,
    total,
    share: total === undefined ? undefined : Math.min(1, done / total),
    handOver: total && switched !== undefined ? Math.min(1, switched / total) : undefined,
    remaining: left !== undefined && pace !== undefined ? left * pace : undefined,
  };
}

/** The first iteration of phase 2: as it happened, else as the flight or its settings plan it. */
export function switchAt(state: ScreenState): number | undefined {
  const { run, marks, phase, latest, iteration } = state;
  if (phase === 2)
    return marks.findLast(({ sign }) => sign === "▲")?.iteration ?? plannedSwitch(run);
  const flown = latest["Distillation/phase_iteration"];
  const length = latest["Distillation/phase_length"];
  if (!run.twoStages || iteration === undefined || !(Number(length) > 0)) return plannedSwitch(run);
  // A guard that took the controls back gives phase 1 another length.
  return iteration - Number(flown ?? 0) + Number(length);
}

function plannedSwitch({ twoStages, phase1Iterations }: ScreenState["run"]): number | undefined {
  return twoStages && phase1Iterations ? phase1Iterations : undefined;
}

/** Share of the episodes that the teacher flies, where a schedule says so; undefined in a run of phases. */
export function mixtureOf({ latest, run }: ScreenState): number | undefined {
  const share = latest["Distillation/teacher_share"];
  if (share === undefined) return undefined;
  return run.mixed || (share > 0 && share < 1) ? share : undefined;
}

export function secondsPerIteration({ recent }: ScreenState): number | undefined {
  const latest = recent.slice(-smoothing);
  if (latest.length === 0) return undefined;
  return mean(latest.map(({ collection, learning }) => collection + learning));
}

export interface Gate {
  /** Iterations until the plan hands over; undefined where it has, or has no date. */
  readonly iterations: number | undefined;
  readonly seconds: number | undefined;
  /** Share of the teacher's return asked for, and reached. */
  readonly wanted: number | undefined;
  readonly reached: number | undefined;
}

/** What stands between here and phase 2; undefined in phase 2. */
export function gateOf(state: ScreenState): Gate | undefined {
  if (state.phase === 2 || !state.run.twoStages) return undefined;
  const at = switchAt(state);
  const left = at === undefined ? undefined : Math.max(0, at - progressOf(state).done);
  const pace = secondsPerIteration(state);
  return {
    iterations: left,
    seconds: left !== undefined && pace !== undefined ? left * pace : undefined,
    wanted: state.run.gate,
    reached: studentOf(state).ratio,
  };
}

export interface StudentReading {
  readonly student: number | undefined;
  readonly teacher: number | undefined;
  /** Of the teacher's return; undefined where that is not above zero, as a share then says nothing. */
  readonly ratio: number | undefined;
  readonly loss: number | undefined;
  readonly verdict: Verdict;
}

export function studentOf({ latest, recent }: ScreenState): StudentReading {
  const student = latest["Eval/student_return"];
  const teacher = latest["Eval/teacher_return"];
  const comparable = student !== undefined && teacher !== undefined && teacher > 0;
  const ratio = comparable ? student / teacher : undefined;
  return { student, teacher, ratio, loss: latest["Loss/behavior"], verdict: judge(recent) };
}

export interface TimeShare {
  readonly name: "simulator" | "wire" | "inference" | "learning" | "other";
  readonly seconds: number;
  /** Of the iteration, 0 to 1. */
  readonly share: number;
}

/** Where the time of an iteration goes, averaged over the latest ones; empty before the first. */
export function timeSplit({ recent }: ScreenState): readonly TimeShare[] {
  const latest = recent.slice(-smoothing);
  const of = (pick: (one: Recent) => number) => (latest.length > 0 ? mean(latest.map(pick)) : 0);
  const collection = of((one) => one.collection);
  const simulator = of((one) => one.simulation);
  const wire = of((one) => one.wire);
  const inference = of((one) => one.inference);
  const learning = of((one) => one.learning);
  const total = collection + learning;
  if (!(total > 0)) return [];
  const other = Math.max(0, collection - simulator - wire - inference);
  const parts = { simulator, wire, inference, learning, other };
  return Object.entries(parts).map(([name, seconds]) => ({
    name: name as TimeShare["name"],
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
}

export function healthOf(state: ScreenState): Health {
  const { numEnvs, stepsPerEnv, controlPeriod } = state.run;
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
  };
}

/** The smallest value that so many of the sorted ones don't exceed. */
function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
