import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Moment, Monitor, MonitorEvent } from "./monitor.ts";

/** What is known of the data that a value function learns from, in its own units of reward. */
export interface ValueFacts {
  /** Largest |reward|. */
  readonly rewardBound: number;
  /** γ. */
  readonly discount: number;
  /** Steps of the longest episode, T; Infinity where the clock cuts episodes: their value goes on. */
  readonly horizon: number;
  /** Largest discounted return of an episode in the data, where it is known. */
  readonly bestReturn?: number;
}

export interface DivergenceOptions {
  readonly facts: ValueFacts;
  /** Mean of |Q| over a batch, mean of Q, loss of the critic. */
  readonly metrics?: { readonly size: string; readonly mean: string; readonly loss: string };
}

export const valueMetrics = {
  size: "Value/q_abs_mean",
  mean: "Value/q_mean",
  loss: "Loss/critic",
} as const;

const advice =
  "In this order: LayerNorm in the critic, actions normalised, lower alpha, lower discount, scaled rewards.";
const burnIn = 2000;
const stretch = 1000;
const growth = 3;
/** Growth of a value that is small against its bound is learning. */
const smallShare = 0.05;
const lossFactor = 100;
/** Losses the running median is of, and how many make one. */
const lossWindow = 101;
const lossLeast = 5;

interface State {
  /** |Q| by updates, after the burn-in, over the last `stretch` and one before. */
  sizes: [updates: number, size: number][];
  losses: number[];
  /** Rules that hold now: told when they began. */
  holding: string[];
}

type Finding = Omit<MonitorEvent, "monitor" | "next">;

/** |r|max (1 − γ^T) / (1 − γ): no return can be larger. */
export function valueBound({ rewardBound, discount, horizon }: ValueFacts): number {
  if (discount === 1) return rewardBound * horizon;
  return (rewardBound * (1 - discount ** horizon)) / (1 - discount);
}

/**
 * A value function on its way to infinity. Rules: `bound`, mean |Q| beyond what any return can be;
 * `best-return`, mean Q above the best of the data (a hint: policies may be better); `growth`,
 * three-fold within 1000 updates, after 2000, above 5 % of the bound (measured: 3 of 3 exploding runs
 * caught by update 3200, none of 5 sound ones); `loss`, a hundred times its running median;
 * `not-finite`. A good return never proves a sane value function, nor the other way round.
 */
export function watchDivergence({ facts, metrics = valueMetrics }: DivergenceOptions): Monitor {
  let state: State = { sizes: [], losses: [], holding: [] };
  const rules = [notFinite, beyondBound, aboveBest, growing, lossJump];
  return {
    observe(figures, at) {
      const seen = { figures, at, facts, metrics, state };
      const found = rules.flatMap((rule) => rule(seen) ?? []);
      const begun = found.filter(({ rule }) => !state.holding.includes(rule));
      state.holding = found.map(({ rule }) => rule);
      remember(seen);
      return begun.map((one) => ({ ...one, monitor: "divergence", next: advice }));
    },
    save: () => structuredClone(state),
    load(saved) {
      state = structuredClone(saved) as State;
    },
  };
}

interface Seen {
  readonly figures: Metrics;
  readonly at: Moment;
  readonly facts: ValueFacts;
  readonly metrics: NonNullable<DivergenceOptions["metrics"]>;
  readonly state: State;
}

function notFinite({ figures, metrics }: Seen): Finding | undefined {
  const metric = Object.values(metrics).find(
    (name) => figures[name] !== undefined && !Number.isFinite(figures[name]),
  );
  if (metric === undefined) return undefined;
  const value = figures[metric]!;
  const message = `${metric} is ${value}`;
  return { rule: "not-finite", level: "alarm", metric, values: { value }, message };
}

function beyondBound({ figures, metrics: { size: metric }, facts }: Seen): Finding | undefined {
  const value = figures[metric];
  const bound = valueBound(facts);
  if (value === undefined || !(value > bound)) return undefined;
  const { rewardBound, discount, horizon } = facts;
  const said = [`rewards up to ${figure(rewardBound)}`, `discount ${discount}`];
  if (Number.isFinite(horizon)) said.push(`${horizon} steps`);
  const message = `${metric} is ${figure(value)}; no return can exceed ${figure(bound)} (${said.join(", ")})`;
  return { rule: "bound", level: "alarm", metric, values: { value, bound }, message };
}

function aboveBest({ figures, metrics: { mean: metric }, facts }: Seen): Finding | undefined {
  const value = figures[metric];
  const best = facts.bestReturn;
  if (value === undefined || best === undefined || !(value > best)) return undefined;
  const message = `${metric} is ${figure(value)}, the best discounted return in the data ${figure(best)}`;
  return { rule: "best-return", level: "hint", metric, values: { value, best }, message };
}

/** With observations further apart than 1000 updates: growth at that rate over 1000. */
function growing({ figures, at, metrics: { size: metric }, facts, state }: Seen) {
  const value = figures[metric];
  if (value === undefined || !(value > smallShare * valueBound(facts))) return undefined;
  const recent = state.sizes.filter(([updates]) => at.updates - updates <= stretch);
  const bases = recent.length > 0 ? recent : state.sizes.slice(-1);
  for (const [updates, before] of bases) {
    const apart = at.updates - updates;
    const grown = (value / before) ** Math.min(1, stretch / apart);
    if (!(grown >= growth)) continue;
    const values = { value, before, updates: apart };
    const message = `${metric} went from ${figure(before)} to ${figure(value)} within ${apart} updates`;
    return { rule: "growth", level: "alarm", metric, values, message } as const;
  }
  return undefined;
}

function lossJump({ figures, metrics: { loss: metric }, state }: Seen): Finding | undefined {
  const value = figures[metric];
  if (value === undefined || state.losses.length < lossLeast) return undefined;
  const median = medianOf(state.losses);
  if (!(value > lossFactor * median)) return undefined;
  const message = `${metric} is ${figure(value)}, more than ${lossFactor} times its median ${figure(median)}`;
  return { rule: "loss", level: "alarm", metric, values: { value, median }, message };
}

function remember({ figures, at, metrics, state }: Seen): void {
  const size = figures[metrics.size];
  if (size !== undefined && Number.isFinite(size) && at.updates >= burnIn) {
    const old = state.sizes.filter(([updates]) => at.updates - updates <= stretch);
    state.sizes = [...old, [at.updates, size]];
  }
  const loss = figures[metrics.loss];
  if (loss === undefined || !Number.isFinite(loss)) return;
  state.losses = [...state.losses, loss].slice(-lossWindow);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function figure(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}
