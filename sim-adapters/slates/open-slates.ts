import type { EnvSpec } from "../../protocol/spec.ts";
import { checkNumEnvs, taskNamed } from "../inside/env-options.ts";
import { readSettings } from "../inside/setting-rules.ts";
import { SimulationEnv } from "../inside/simulation-env.ts";
import { SlatesSimulation } from "./slates-simulation.ts";
import { slatesAliases, slatesRules, slatesTasks, specOf } from "./tasks.ts";

export interface SlatesOptions {
  readonly task: string;
  /** 1 to 16384. */
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * The simulator of users who are recommended slates, in this process.
 *
 * @throws SimError for a task or a size that isn't there, ProtocolError (`unknown-setting`,
 * `bad-setting`) for settings.
 */
export async function openSlates(options: SlatesOptions): Promise<SimulationEnv> {
  const { task, all } = check(options);
  return new SimulationEnv(new SlatesSimulation(task, options.numEnvs, all));
}

/** What `openSlates` would give. @throws as `openSlates` */
export async function foreseeSlates(options: SlatesOptions): Promise<EnvSpec> {
  const { task, all } = check(options);
  return specOf(task, options.numEnvs, all["sim.catalogue_seed"] as number);
}

function check({ task: name, numEnvs, settings = {} }: SlatesOptions) {
  const task = taskNamed(name, { tasks: slatesTasks, aliases: slatesAliases });
  checkNumEnvs(numEnvs);
  return { task, all: readSettings(settings, slatesRules) };
}
