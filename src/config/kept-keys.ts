import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./schema.ts";

/** What weights, moments, memories and the simulator's snapshot of a run were made for. */
const keptKeys = [
  "task",
  "num_envs",
  "checkpoint",
  "obs_groups.student",
  "obs_groups.teacher",
  "policy.student_hidden_dims",
  "policy.rnn_type",
  "policy.rnn_hidden_dim",
  "policy.rnn_num_layers",
  "policy.history_length",
  "policy.activation",
  "policy.student_obs_normalization",
  "policy.teacher_activation",
  "algorithm.optimizer",
] as const;

/**
 * A run that goes on keeps its task, its fleet, its networks and its teacher: many a change would
 * otherwise fit by chance, and fly something else without a word. @throws ConfigError
 */
export function refuseChangedRun(before: Config, after: Config): void {
  for (const key of keptKeys) {
    const [was, is] = [valueAt(before, key), valueAt(after, key)];
    if (isDeepStrictEqual(was, is)) continue;
    throw new ConfigError(
      "changed-run",
      `${key} is ${JSON.stringify(is)}, but the run to go on with was flown with ${JSON.stringify(was)}`,
      "Leave it as it was, or start a new run without --resume.",
    );
  }
}

function valueAt(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const word of key.split(".")) value = (value as Record<string, unknown>)[word];
  return value;
}
