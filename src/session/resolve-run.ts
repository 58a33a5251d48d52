import { join } from "node:path";
import { ConfigError } from "../config/config-error.ts";
import { refuseChangedRun } from "../config/kept-keys.ts";
import { completed, type Resolved, resolveConfig } from "../config/resolve.ts";
import { withTeacher } from "./find-teacher.ts";
import type { FoundRun } from "./resume.ts";
import type { TrainInput } from "./train-input.ts";

const places = /^(agent\.)?(log_root|experiment_name|algorithm\.class_name)(=|$)/;

/**
 * Where a run is looked for that nobody names. Of what was said, only the place counts: which keys there are is
 * known when the run is found.
 */
export function searchOf({ config, strict }: TrainInput) {
  const { flags = [], overrides = [] } = config;
  const said = {
    ...config,
    flags: flags.filter(({ name }) => places.test(name)),
    overrides: overrides.filter((word) => places.test(word)),
  };
  const experiment = () => {
    const { log_root, experiment_name } = resolveConfig(said).config;
    return join(log_root, experiment_name);
  };
  return { experiment, strict };
}

/** The configuration of this session: of a run that goes on, held against what it was. @throws ConfigError */
export async function resolveRun(
  input: TrainInput,
  found: FoundRun | undefined,
): Promise<Resolved> {
  const base = found ? { base: found.run.agentYamlPath } : {};
  const given = input.teacher ? await withTeacher(input.config, input.teacher) : input.config;
  const resolved = resolveConfig({ ...base, ...given });
  const { config, algorithm } = resolved;
  if (found) {
    const before = resolveConfig(base);
    refuseChangedRun(before.config, config, algorithm);
    if (!input.allowSinks) refuseForeignCode(resolved, before);
  }
  return completed(resolved, { resumed: found !== undefined });
}

/**
 * A sink is code. That a run's folder names one says nothing of whose folder it is: whoever goes on with the
 * run names it anew. @throws ConfigError
 */
function refuseForeignCode({ config, sources }: Resolved, before: Resolved): void {
  const [own] = config.sinks;
  if (own === undefined || sources.sinks !== before.sources.sinks) return;
  throw new ConfigError(
    "foreign-code",
    `The run's own configuration names a sink, ${own.module}: that is code, and nobody has asked for it now`,
    "Where you trust it: --allow_sinks; without it: sinks=[].",
  );
}

/** Whether somebody named a number of environments, be it the default. */
export function asksForNumber({ config }: TrainInput, { sources }: Resolved): boolean {
  const { flags = [], overrides = [] } = config;
  const typed = overrides.some((word) => /^(agent\.)?num_envs=/.test(word));
  return typed || flags.some(({ name }) => name === "num_envs") || sources.num_envs !== undefined;
}
