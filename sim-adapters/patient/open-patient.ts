import type { EnvSpec } from "../../protocol/spec.ts";
import { readSettings } from "../mujoco/settings.ts";
import { SimError } from "../mujoco/sim-error.ts";
import { PatientEnv } from "./patient-env.ts";
import { patientSettings } from "./settings.ts";
import { type PatientTask, patientAliases, patientTasks, specOf } from "./tasks.ts";

export interface PatientOptions {
  readonly task: string;
  /** 1 to 16384. */
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const mostEnvs = 16_384;

/**
 * The simulator of patients, in this process.
 *
 * @throws SimError for a task or a size that isn't there, ProtocolError (`unknown-setting`,
 * `bad-setting`) for settings.
 */
export async function openPatient(options: PatientOptions): Promise<PatientEnv> {
  const { task, all } = check(options);
  return new PatientEnv(task, options.numEnvs, all);
}

/** What `openPatient` would give. @throws as `openPatient` */
export async function foreseePatient(options: PatientOptions): Promise<EnvSpec> {
  const { task, all } = check(options);
  return specOf(task, options.numEnvs, patientSettings(all));
}

function check({ task: name, numEnvs, settings = {} }: PatientOptions) {
  const task = taskNamed(name);
  if (!Number.isInteger(numEnvs) || numEnvs < 1 || numEnvs > mostEnvs) {
    const message = `got ${numEnvs} environments, expected a whole number from 1 to ${mostEnvs}`;
    const hint = "Give it with --num_envs.";
    throw new SimError("bad-num-envs", message, { field: "num_envs", hint });
  }
  return { task, all: readSettings(settings, task.rules) };
}

function taskNamed(name: string): PatientTask {
  const real = Object.hasOwn(patientAliases, name) ? patientAliases[name] : name;
  const task = patientTasks.find((candidate) => candidate.name === real);
  if (task !== undefined) return task;
  const known = patientTasks.map((candidate) => candidate.name).join(", ");
  throw new SimError("unknown-task", `there is no task ${JSON.stringify(name.slice(0, 100))}`, {
    ...{ field: "task", hint: `Known: ${known}.` },
  });
}
