import { join, resolve } from "node:path";
import type { Command } from "commander";
import { textTable } from "../learning/text-table.ts";
import { type ListedRun, listRuns, shortPath } from "../runs/run-list.ts";

export function registerRuns(program: Command): void {
  program
    .command("runs")
    .description("list runs: task, algorithm, state, and what their students returned")
    .argument("[folder]", "of all experiments, or of one", join("logs", "rsl_rl"))
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nbest and last are figures in flight; summary.json in the run's folder has the final ones." +
        "\nfirstsolo watch RUN shows one, firstsolo eval RUN flies its student.",
    )
    .action(async (folder: string, { json }: { readonly json?: boolean }) => {
      const runs = await listRuns(resolve(folder));
      console.log(json ? JSON.stringify(runs) : asText(runs, process.cwd()));
    });
}

function asText(runs: readonly ListedRun[], cwd: string): string {
  const figure = (value: number | null) => (value === null ? "–" : `${+value.toPrecision(4)}`);
  const rows = runs.map(({ task, algorithm, state, metric, path, ...run }) => [
    task,
    algorithm,
    state,
    `${run.iterations}${run.of === null ? "" : `/${run.of}`}`,
    figure(run.best),
    figure(run.last),
    metric,
    shortPath(path, cwd),
  ]);
  const header = ["task", "algorithm", "state", "iterations", "best", "last", "of", "run"];
  return textTable(header, rows);
}
