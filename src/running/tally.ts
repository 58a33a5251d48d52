import { elementsOf } from "../../policies/named-array.ts";
import type { StepResult } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { EpisodeReport } from "../../sim-adapters/episode-report.ts";
import { type EnvSplit, inside, rowCount } from "./env-split.ts";

/** Of one policy over whole episodes. */
export interface PolicyFigures {
  readonly episodes: number;
  /** Mean sum of rewards of an episode, and its standard deviation from episode to episode. */
  readonly meanReturn: number;
  readonly stdReturn: number;
  /** Episodes that ended in a terminal state. */
  readonly deaths: number;
  /** Mean sum of rewards, each weighed by γ to the number of steps before it; only where γ was given. */
  readonly discountedReturn?: number;
  /** Mean distance to the goal at the end of an episode, m; null where the simulator doesn't show it. */
  readonly finalDistance: number | null;
  /** Means of what the task's report tells of episodes, with the half width of their 95 % interval; empty: nothing. */
  readonly task: Readonly<Record<string, TaskFigure>>;
}

export interface TaskFigure {
  readonly mean: number;
  readonly ci95: number;
}

class Sums {
  return = 0;
  discounted = 0;
  squares = 0;
  deaths = 0;
  distance = 0;
  distances = 0;
  readonly task = new Map<string, number[]>();
}

export interface TallyOptions {
  /** Whole episodes of each policy, at least. */
  readonly episodes: number;
  /** γ; absent: nothing is discounted. */
  readonly discount?: number | undefined;
  readonly report?: EpisodeReport | undefined;
}

/** Counts the same number of whole episodes of every row. */
export class Tally {
  readonly #split: EnvSplit;
  /** Whole episodes wanted from each row, by policy. */
  readonly #quotas: Readonly<Record<string, number>>;
  readonly #goal: Goal | undefined;
  readonly #report: EpisodeReport | undefined;
  /** Whole episodes seen per row; -1 while the first, possibly partial one runs. */
  readonly #counts: Int32Array;
  readonly #returns: Float64Array;
  readonly #discount: number | undefined;
  readonly #discounted: Float64Array;
  readonly #weights: Float64Array;
  readonly #sums: Readonly<Record<string, Sums>>;
  #waiting: number;

  constructor(spec: EnvSpec, split: EnvSplit, { episodes, discount, report }: TallyOptions) {
    this.#report = report;
    this.#discount = discount;
    this.#discounted = new Float64Array(split.numEnvs);
    this.#weights = new Float64Array(split.numEnvs).fill(1);
    const groups = Object.entries(split.evaluation);
    // The smallest share decides: all rows fly the same number of episodes.
    const least = Math.min(...groups.map(([, rows]) => rowCount(rows)));
    const quota = Math.ceil(episodes / least);
    this.#split = split;
    this.#quotas = Object.fromEntries(groups.map(([name]) => [name, quota]));
    this.#goal = findGoal(spec);
    this.#counts = new Int32Array(split.numEnvs).fill(-1);
    this.#returns = new Float64Array(split.numEnvs);
    this.#sums = Object.fromEntries(groups.map(([name]) => [name, new Sums()]));
    this.#waiting = split.numEnvs;
  }

  get complete(): boolean {
    return this.#waiting === 0;
  }

  record(result: StepResult): void {
    this.#report?.note(result);
    for (let row = 0; row < this.#returns.length; row += 1) {
      this.#returns[row]! += result.rewards[row]!;
      this.#discounted[row]! += this.#weights[row]! * result.rewards[row]!;
      this.#weights[row]! *= this.#discount ?? 1;
      if (result.terminated[row] || result.truncated[row]) this.#end(row, result);
    }
  }

  #end(row: number, result: StepResult): void {
    const count = this.#counts[row]!;
    const [name] = Object.entries(this.#split.evaluation).find(([, rows]) => inside(row, rows))!;
    const quota = this.#quotas[name]!;
    const told = this.#report?.end(row) ?? {};
    if (count >= 0 && count < quota) {
      this.#add(this.#sums[name]!, row, result);
      noteTask(this.#sums[name]!, told);
      if (count + 1 === quota) this.#waiting -= 1;
    }
    this.#counts[row] = count + 1;
    this.#returns[row] = 0;
    this.#discounted[row] = 0;
    this.#weights[row] = 1;
  }

  #add(sums: Sums, row: number, { terminated, final }: StepResult): void {
    const value = this.#returns[row]!;
    sums.return += value;
    sums.discounted += this.#discounted[row]!;
    sums.squares += value * value;
    sums.deaths += terminated[row]!;
    if (!this.#goal || !final) return;
    const { group, columns, width } = this.#goal;
    const at = final.rows.indexOf(row) * width;
    sums.distance += Math.hypot(...columns.map((c) => final.observations[group]![at + c]!));
    sums.distances += 1;
  }

  figures(): Record<string, PolicyFigures> {
    const groups = Object.entries(this.#split.evaluation);
    return Object.fromEntries(
      groups.map(([name, rows]) => {
        const episodes = this.#quotas[name]! * rowCount(rows);
        return [name, this.#figuresOf(this.#sums[name]!, episodes)];
      }),
    );
  }

  #figuresOf(sums: Sums, episodes: number): PolicyFigures {
    const meanReturn = sums.return / episodes;
    const variance = Math.max(0, sums.squares / episodes - meanReturn ** 2);
    return {
      episodes,
      meanReturn,
      stdReturn: Math.sqrt(variance * (episodes / Math.max(1, episodes - 1))),
      deaths: sums.deaths,
      ...(this.#discount === undefined ? {} : { discountedReturn: sums.discounted / episodes }),
      finalDistance: sums.distances === 0 ? null : sums.distance / sums.distances,
      task: Object.fromEntries(
        [...sums.task].map(([name, values]) => [name, meanWithInterval(values)]),
      ),
    };
  }
}

/** What an episode has no figure for (a level never reached) counts in none. */
function noteTask({ task }: Sums, told: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(told)) {
    if (value === undefined) continue;
    const values = task.get(name) ?? [];
    values.push(value);
    task.set(name, values);
  }
}

/** Half the width of a mean's 95 % interval. @param std of one value from the next */
export function halfWidth(std: number, count: number): number {
  return (1.96 * std) / Math.sqrt(count);
}

/** Of one value for each episode. */
export function meanWithInterval(values: readonly number[]): TaskFigure {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, ci95: halfWidth(Math.sqrt(squares / Math.max(1, count - 1)), count) };
}

interface Goal {
  readonly group: string;
  readonly columns: readonly number[];
  readonly width: number;
}

/** Where a group shows the vector to the goal; the teacher's is the least noisy one by convention. */
function findGoal(spec: EnvSpec): Goal | undefined {
  const found = Object.entries(spec.observations).flatMap(([group, { names, shape }]) => {
    const columns = (names ?? []).flatMap((name, i) =>
      /^(goal|desired)_pos/.test(name) ? [i] : [],
    );
    return columns.length === 3 ? [{ group, columns, width: elementsOf(shape) }] : [];
  });
  return found.find(({ group }) => group === "teacher") ?? found[0];
}
