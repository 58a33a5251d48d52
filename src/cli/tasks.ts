import type { Command } from "commander";
import { isPicture } from "../../protocol/env-spec.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { builtInFor, builtInTasks } from "../../sim-adapters/built-in.ts";
import { textTable } from "../learning/text-table.ts";

interface TaskFacts {
  readonly task: string;
  readonly simulator: string;
  /** Who teaches where nobody is named. */
  readonly pilot: string;
  /** Shape of one environment's observations, by group. */
  readonly observations: Readonly<Record<string, readonly number[]>>;
  readonly pictures: readonly string[];
  readonly actions: readonly number[];
  /** Seconds. */
  readonly control_period: number;
  readonly episode_steps: number;
  readonly notice?: string;
}

export function registerTasks(program: Command): void {
  program
    .command("tasks")
    .description("list the tasks of the simulators inside: train --task NAME")
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nA simulator of your own has its own task: firstsolo train --sim ENDPOINT",
    )
    .action(async ({ json }: { readonly json?: boolean }) => {
      const facts = await Promise.all(builtInTasks().map(factsOf));
      console.log(json ? JSON.stringify(facts) : asText(facts));
    });
}

async function factsOf(task: string): Promise<TaskFacts> {
  const { title, pilot, notice, foresee } = builtInFor(task);
  const spec = await foresee({ task, numEnvs: 1 });
  const groups = Object.entries(spec.observations);
  return {
    task,
    simulator: title,
    pilot,
    observations: Object.fromEntries(groups.map(([name, { shape }]) => [name, shape])),
    pictures: groups.flatMap(([name, tensor]) => (isPicture(tensor) ? [name] : [])),
    actions: spec.action.shape,
    ...timesOf(spec),
    ...(notice === undefined ? {} : { notice }),
  };
}

function timesOf({ controlPeriod, maxEpisodeSteps }: EnvSpec) {
  return { control_period: controlPeriod, episode_steps: maxEpisodeSteps };
}

function asText(facts: readonly TaskFacts[]): string {
  const rows = facts.map(({ task, simulator, pilot, observations, ...more }) => [
    task,
    simulator,
    Object.entries(observations)
      .map(([name, shape]) => `${name} ${shape.join("×")}`)
      .join(", "),
    more.actions.join("×"),
    `${more.control_period} s`,
    `${more.episode_steps}`,
    pilot,
  ]);
  const header = ["task", "simulator", "observations", "actions", "period", "steps", "pilot"];
  const notices = new Set(facts.flatMap(({ notice }) => notice ?? []));
  return [textTable(header, rows), ...[...notices].map((notice) => `note: ${notice}`)].join("\n");
}
