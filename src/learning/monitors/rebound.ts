import type { Moment, Monitor, MonitorEvent } from "./monitor.ts";

export interface ReboundOptions {
  /** An evaluated figure; observations without it are passed over. */
  readonly metric: string;
  /** Which way is worse. Default: higher, as for a loss. */
  readonly worse?: "higher" | "lower";
}

const warning = 0.05;
const alarming = 0.15;
const recovered = 0.02;

interface State {
  stage: string | null;
  /** The last three before now. */
  last: number[];
  rebound: Rebound | null;
}

/** What a change of stage has done so far. */
interface Rebound {
  readonly base: number;
  readonly since: number;
  peak: number;
  /** Evaluations on end above the alarming share. */
  above: number;
  warned: boolean;
  alarmed: boolean;
}

/**
 * A figure that gets worse when the stage changes: against the mean b of the last three evaluations
 * before it, |m/b − 1| beyond 5 % warns, beyond 15 % in two evaluations on end alarms; back within
 * 2 % the peak and the iterations it took are told. (A control run's noise is about 1 %.)
 */
export function watchRebound({ metric, worse = "higher" }: ReboundOptions): Monitor {
  let state: State = { stage: null, last: [], rebound: null };
  const sign = worse === "higher" ? 1 : -1;
  return {
    observe(metrics, at) {
      const entered = state.stage !== null && state.stage !== at.stage;
      const events = entered ? enter(state, metric, at) : [];
      state.stage = at.stage;
      const value = metrics[metric];
      if (value === undefined || !Number.isFinite(value)) return events;
      const { rebound } = state;
      if (rebound) events.push(...follow(rebound, { metric, value, sign, at }));
      if (rebound?.warned && worsening(rebound, value, sign) <= recovered) state.rebound = null;
      state.last = [...state.last, value].slice(-3);
      return events;
    },
    save: () => structuredClone(state),
    load(saved) {
      state = structuredClone(saved) as State;
    },
  };
}

function enter(state: State, metric: string, at: Moment): MonitorEvent[] {
  const { rebound, last } = state;
  const base = last.reduce((sum, value) => sum + value, 0) / last.length;
  state.rebound =
    last.length === 0 || base === 0
      ? null
      : { base, since: at.iteration, peak: 0, above: 0, warned: false, alarmed: false };
  if (!rebound?.warned) return [];
  const values = { base: rebound.base, peak: rebound.peak };
  const message = `${metric} had not come back to ${figure(rebound.base)} when the next stage began; at worst it was ${percent(rebound.peak)} off`;
  const next = "Make the stage longer.";
  return [
    { monitor: "rebound", rule: "not-recovered", level: "warn", metric, values, message, next },
  ];
}

function worsening({ base }: Rebound, value: number, sign: number): number {
  return (sign * (value - base)) / Math.abs(base);
}

interface Seen {
  readonly metric: string;
  readonly value: number;
  readonly sign: number;
  readonly at: Moment;
}

function follow(rebound: Rebound, { metric, value, sign, at }: Seen): MonitorEvent[] {
  const share = worsening(rebound, value, sign);
  rebound.peak = Math.max(rebound.peak, share);
  rebound.above = share > alarming ? rebound.above + 1 : 0;
  const iterations = at.iteration - rebound.since;
  const values = { base: rebound.base, value, peak: rebound.peak, iterations };
  const event = (rule: string, level: MonitorEvent["level"], message: string, next: string) => [
    { monitor: "rebound", rule, level, metric, values, message, next } as const,
  ];
  const where = `${metric} is ${figure(value)} in the stage ${at.stage}, ${percent(share)} worse than ${figure(rebound.base)} before it`;
  if (rebound.above >= 2 && !rebound.alarmed) {
    rebound.warned = true;
    rebound.alarmed = true;
    return event(
      "alarm",
      "alarm",
      `${where}, for two evaluations`,
      "Lower the learning rate of the owners that begin here, or bring the stage in gradually.",
    );
  }
  if (share > warning && !rebound.warned) {
    rebound.warned = true;
    return event("warning", "warn", where, "Wait: it should come back within this stage.");
  }
  if (!rebound.warned || share > recovered) return [];
  const message = `${metric} is back at ${figure(value)} after ${iterations} iterations; at worst it was ${percent(rebound.peak)} off`;
  return event("recovered", "note", message, "");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function figure(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}
