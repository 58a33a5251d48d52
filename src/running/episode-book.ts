import type { StepResult } from "../../protocol/frame.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import { relativeReturn } from "./compare.ts";
import { type EnvSplit, inside, type Rows } from "./env-split.ts";
import { otherFleet } from "./running-error.ts";

/** Figures of a group of rows, over the last episodes that ended in them. */
export interface EpisodeFigures {
  readonly episodes: number;
  /** Sum of rewards, and control steps, of an episode; NaN before the first has ended. */
  readonly meanReturn: number;
  readonly meanLength: number;
}

/** Of one ended episode: sum of rewards, control steps. */
export type Ended = readonly [reward: number, steps: number];

export interface EpisodeState {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly whole: readonly number[];
  /** By group: `training`, and those of the evaluation rows. */
  readonly ended: Readonly<Record<string, readonly Ended[]>>;
}

/** rsl_rl's window for `Train/mean_reward`. */
const trainingWindow = 100;

interface Group {
  readonly name: string;
  readonly rows: Rows;
  /** Latest episodes that its figures are about. */
  readonly window: number;
  /** An episode that was under way when we came counts too. */
  readonly partial: boolean;
  ended: Ended[];
}

/** Keeps the book of episodes: running sums per environment, the last ended ones per group. */
export class EpisodeBook {
  readonly #groups: readonly Group[];
  #returns: Float64Array;
  #lengths: Int32Array;
  /** 0 for an episode that was under way when we came: its return is no figure of merit. */
  #whole: Uint8Array;

  /** @param evaluationWindow latest episodes that a measured return averages */
  constructor(split: EnvSplit, evaluationWindow: number) {
    const training = { name: "training", rows: split.training, window: trainingWindow };
    const measured = Object.entries(split.evaluation).map(([name, rows]) => ({ name, rows }));
    this.#groups = [
      { ...training, partial: true, ended: [] },
      ...measured.map((m) => ({ ...m, window: evaluationWindow, partial: false, ended: [] })),
    ];
    this.#returns = new Float64Array(split.numEnvs);
    this.#lengths = new Int32Array(split.numEnvs);
    this.#whole = new Uint8Array(split.numEnvs);
  }

  record({ rewards, terminated, truncated }: StepResult): void {
    for (let row = 0; row < rewards.length; row += 1) {
      this.#returns[row]! += rewards[row]!;
      this.#lengths[row]! += 1;
      if (terminated[row] || truncated[row]) this.#end(row);
    }
  }

  /** All environments were reset: running sums start again, and what runs next may be a partial episode. */
  restart(): void {
    this.#returns.fill(0);
    this.#lengths.fill(0);
    this.#whole.fill(0);
  }

  #end(row: number): void {
    const group = this.#groups.find(({ rows }) => inside(row, rows));
    if (group && (group.partial || this.#whole[row])) {
      group.ended.push([this.#returns[row]!, this.#lengths[row]!]);
      if (group.ended.length > group.window) group.ended.shift();
    }
    this.#returns[row] = 0;
    this.#lengths[row] = 0;
    this.#whole[row] = 1;
  }

  /** @param name `training`, or of evaluation rows; without episodes where there are no such rows */
  figures(name: string): EpisodeFigures {
    const ended = this.#groups.find((group) => group.name === name)?.ended ?? [];
    const mean = (pick: (e: Ended) => number) =>
      ended.reduce((sum, e) => sum + pick(e), 0) / ended.length;
    return { episodes: ended.length, meanReturn: mean((e) => e[0]), meanLength: mean((e) => e[1]) };
  }

  /** Under rsl_rl's names; figures only of groups in which an episode has ended. */
  metrics(): Metrics {
    const metrics: Record<string, number> = {};
    for (const { name } of this.#groups) {
      const { episodes, meanReturn, meanLength } = this.figures(name);
      if (episodes === 0) continue;
      if (name !== "training") metrics[`Eval/${name}_return`] = meanReturn;
      else {
        metrics["Train/mean_reward"] = meanReturn;
        metrics["Train/mean_episode_length"] = meanLength;
      }
    }
    const { "Eval/student_return": student, "Eval/teacher_return": teacher } = metrics;
    if (student === undefined || teacher === undefined) return metrics;
    return { ...metrics, "Eval/student_vs_teacher": relativeReturn(student, teacher) };
  }

  save(): EpisodeState {
    return {
      returns: [...this.#returns],
      lengths: [...this.#lengths],
      whole: [...this.#whole],
      ended: Object.fromEntries(this.#groups.map(({ name, ended }) => [name, [...ended]])),
    };
  }

  /** @throws RunningError `other-fleet` when it was saved of another number of environments */
  load(state: EpisodeState): void {
    for (const saved of [state.returns, state.lengths, state.whole]) {
      if (saved.length !== this.#returns.length) {
        throw otherFleet("episodes", saved.length, this.#returns.length);
      }
    }
    this.#returns = Float64Array.from(state.returns);
    this.#lengths = Int32Array.from(state.lengths);
    this.#whole = Uint8Array.from(state.whole);
    for (const group of this.#groups) group.ended = [...(state.ended[group.name] ?? [])];
  }
}
