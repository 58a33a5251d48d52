import type { EnvSpec } from "../../protocol/spec.ts";
import { readSettings } from "../mujoco/settings.ts";
import { SimError } from "../mujoco/sim-error.ts";
import { SlatesEnv } from "./slates-env.ts";
import { type SlatesTask, slatesAliases, slatesRules, slatesTasks, specOf } from "./tasks.ts";

export interface SlatesOptions {
  readonly task: string;
  /** 1 to 16384. */
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const mostEnvs = 16_384;

/**
 * The simulator of users who are recommended slates, in this process.
 *
 * @throws SimError for a task or a size that isn't there, ProtocolError (`unknown-setting`,
 * `bad-setting`) for settings.
 */
export async function openSlates(options: SlatesOptions): Promise<SlatesEnv> {
  const { task, all } = check(options);
  return new SlatesEnv(task, options.numEnvs, all);
}

/** What `openSlates` would give. @throws as `openSlates` */
export async function foreseeSlates(options: SlatesOptions): Promise<EnvSpec> {
  const { task, all } = check(options);
  return specOf(task, options.numEnvs, all["sim.catalogue_seed"] as number);
}

function check({ task: name, numEnvs, settings = {} }: SlatesOptions) {
  const task = taskNamed(name);
  if (!Number.isInteger(numEnvs) || numEnvs < 1 || numEnvs > mostEnvs) {
    const message = `got ${numEnvs} environments, expected a whole number from 1 to ${mostEnvs}`;
    const hint = "Give it with --num_envs.";
    throw new SimError("bad-num-envs", message, { field: "num_envs", hint });
  }
  return { task, all: readSettings(settings, slatesRules) };
}

function taskNamed(name: string): SlatesTask {
  const real = Object.hasOwn(slatesAliases, name) ? slatesAliases[name] : name;
  const task = slatesTasks.find((candidate) => candidate.name === real);
  if (task !== undefined) return task;
  const known = slatesTasks.map((candidate) => candidate.name).join(", ");
  throw new SimError("unknown-task", `there is no task ${JSON.stringify(name.slice(0, 100))}`, {
    ...{ field: "task", hint: `Known: ${known}.` },
  });
}
