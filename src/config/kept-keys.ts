import { isDeepStrictEqual } from "node:util";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./schema.ts";
import { isBlock } from "./setting.ts";

/** What a simulator's snapshot and everything else of a run was made for. */
const common = ["algorithm.class_name", "task", "num_envs"] as const;

/**
 * A run that goes on keeps its task, its fleet, its networks and its teacher: many a change would
 * otherwise fit by chance, and fly something else without a word. @throws ConfigError
 */
export function refuseChangedRun(before: Config, after: Config, { keptKeys }: Algorithm): void {
  for (const key of [...common, ...keptKeys]) {
    const [was, is] = [valueAt(before, key), valueAt(after, key)];
    if (!isDeepStrictEqual(was, is)) throw changed(key, was, is);
  }
}

/** What a run was flown with, and what it should go on with instead; of a block, the first key that differs. */
export function changed(key: string, was: unknown, is: unknown): ConfigError {
  if (isBlock(was) && isBlock(is)) {
    const name = Object.keys({ ...was, ...is }).find(
      (one) => !isDeepStrictEqual(was[one], is[one]),
    );
    if (name !== undefined) return changed(`${key}.${name}`, was[name], is[name]);
  }
  return new ConfigError(
    "changed-run",
    `${key} is ${JSON.stringify(is)}, but the run to go on with was flown with ${JSON.stringify(was)}`,
    "Leave it as it was, or start a new run without --resume.",
  );
}

function valueAt(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const word of key.split(".")) {
    value = (value as Record<string, unknown> | undefined)?.[word];
  }
  return value;
}
