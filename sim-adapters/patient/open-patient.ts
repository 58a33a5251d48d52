import type { EnvSpec } from "../../protocol/spec.ts";
import { checkNumEnvs, taskNamed } from "../inside/env-options.ts";
import { readSettings } from "../inside/setting-rules.ts";
import { SimulationEnv } from "../inside/simulation-env.ts";
import { PatientSimulation } from "./patient-simulation.ts";
import { patientSettings } from "./settings.ts";
import { patientAliases, patientTasks, specOf } from "./tasks.ts";

export interface PatientOptions {
  readonly task: string;
  /** 1 to 16384. */
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * The simulator of patients, in this process.
 *
 * @throws SimError for a task or a size that isn't there, ProtocolError (`unknown-setting`,
 * `bad-setting`) for settings.
 */
export async function openPatient(options: PatientOptions): Promise<SimulationEnv> {
  const { task, all } = check(options);
  return new SimulationEnv(new PatientSimulation(task, options.numEnvs, all));
}

/** What `openPatient` would give. @throws as `openPatient` */
export async function foreseePatient(options: PatientOptions): Promise<EnvSpec> {
  const { task, all } = check(options);
  return specOf(task, options.numEnvs, patientSettings(all));
}

function check({ task: name, numEnvs, settings = {} }: PatientOptions) {
  const task = taskNamed(name, { tasks: patientTasks, aliases: patientAliases });
  checkNumEnvs(numEnvs);
  return { task, all: readSettings(settings, task.rules) };
}
