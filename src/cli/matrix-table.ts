import { meanWithInterval } from "../running/tally.ts";

/** One seed of an agent with a ranker, or of a pilot, which has none. */
export interface Cell {
  readonly env: string;
  readonly agent: string;
  readonly ranker: string | null;
  readonly seed: number;
  /** Mean over the episodes of its evaluation. */
  readonly meanReturn: number;
  readonly ci95: number;
  readonly episodes: number;
  /** Largest mean |Q| of a row of its figures; null: it values nothing. */
  readonly largestValue: number | null;
  /** Whether a monitor raised an alarm. */
  readonly alarm: boolean;
  readonly run: string | null;
}

const columns = [
  ...["env", "agent", "ranker", "seed", "mean_return", "ci95", "episodes"],
  ...["largest_abs_q", "alarm", "run"],
];

export function csvOf(cells: readonly Cell[]): string {
  const rows = cells.map((cell) => {
    const { env, agent, ranker, seed, meanReturn, ci95, episodes, largestValue, alarm, run } = cell;
    const values = [env, agent, ranker, seed, meanReturn, ci95, episodes, largestValue, alarm, run];
    return values.map((value) => quoted(value ?? "")).join(",");
  });
  return `${[columns.join(","), ...rows].join("\n")}\n`;
}

function quoted(value: string | number | boolean): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A table for each environment: agents down, rankers across, the mean over the seeds ± half of its 95 % interval
 * (over the episodes, where there is one seed). Pilots stand below, in the column of no ranker.
 */
export function markdownOf(cells: readonly Cell[]): string {
  const tables = distinct(cells.map(({ env }) => env)).map((env) => tableOf(env, cells));
  return `${tables.join("\n\n")}\n`;
}

function tableOf(env: string, all: readonly Cell[]): string {
  const cells = all.filter((cell) => cell.env === env);
  const rankers = distinct(cells.map(({ ranker }) => ranker ?? "–"));
  const agents = distinct(cells.map(({ agent }) => agent));
  const line = (words: readonly string[]) => `| ${words.join(" | ")} |`;
  const rows = agents.map((agent) => {
    const found = rankers.map((ranker) => {
      return cells.filter((cell) => cell.agent === agent && (cell.ranker ?? "–") === ranker);
    });
    return line([agent, ...found.map(summaryOf)]);
  });
  const head = [line([env, ...rankers]), line([env, ...rankers].map(() => "---"))];
  return [...head, ...rows].join("\n");
}

function summaryOf(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return "";
  const { mean, ci95 } =
    cells.length === 1
      ? { mean: first.meanReturn, ci95: first.ci95 }
      : meanWithInterval(cells.map(({ meanReturn }) => meanReturn));
  const alarms = cells.filter(({ alarm }) => alarm).length;
  const seeds = cells.length === 1 ? "" : ` (${cells.length})`;
  return `${mean.toFixed(1)} ± ${ci95.toFixed(1)}${seeds}${alarms > 0 ? `, ${alarms} alarmed` : ""}`;
}

function distinct(words: readonly string[]): readonly string[] {
  return [...new Set(words)];
}
