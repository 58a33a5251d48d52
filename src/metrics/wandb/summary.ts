import type { Metrics } from "../metric-sink.ts";
import { extendedJson } from "./json.ts";

/** Which way a figure should go; W&B marks the best value of those that have a goal. */
export type MetricGoal = "minimise" | "maximise";

/** By the last part of rsl_rl's and our names; figures without a goal keep their last value only. */
export function goalOf(name: string): MetricGoal | undefined {
  if (/^Loss\//.test(name) && !/learning_rate$/.test(name)) return "minimise";
  if (/(final_distance(_to_goal)?|deaths|Episode_Termination\/died)$/.test(name)) return "minimise";
  if (/(_return|_reward|student_vs_teacher|mean_episode_length)$/.test(name)) return "maximise";
  return undefined;
}

interface Figure {
  last: number;
  /** Of finite values only: one NaN must not wipe out the best of a run. */
  min: number;
  max: number;
}

/** The last and best values of a run, in the shape W&B keeps them. */
export class RunSummary {
  readonly #figures = new Map<string, Figure>();
  readonly #facts = new Map<string, unknown>();

  add(metrics: Metrics): void {
    for (const [name, value] of Object.entries(metrics)) {
      const figure = this.#figures.get(name) ?? { last: value, min: Infinity, max: -Infinity };
      figure.last = value;
      if (Number.isFinite(value)) {
        figure.min = Math.min(figure.min, value);
        figure.max = Math.max(figure.max, value);
      }
      this.#figures.set(name, figure);
    }
  }

  /** Something that is no figure, e.g. `_runtime` or the last event. */
  set(name: string, value: unknown): void {
    this.#facts.set(name, value);
  }

  /** Name and JSON of every entry. */
  entries(): [name: string, json: string][] {
    const figures = [...this.#figures].map(([name, figure]): [string, string] => [
      name,
      extendedJson(summaryOf(name, figure)),
    ]);
    const facts = [...this.#facts].map(([name, fact]): [string, string] => [
      name,
      extendedJson(fact),
    ]);
    return [...figures, ...facts];
  }

  /** The content of `wandb-summary.json`. */
  json(): string {
    const members = this.entries().map(([name, json]) => `${JSON.stringify(name)}: ${json}`);
    return `{${members.join(", ")}}\n`;
  }
}

function summaryOf(name: string, figure: Figure): unknown {
  const goal = goalOf(name);
  if (!goal) return figure.last;
  const { last, min, max } = figure;
  if (min > max) return { last };
  return { last, best: goal === "minimise" ? min : max, min, max };
}
