import { nearest } from "../../protocol/nearest.ts";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { algorithmNamed, algorithms } from "../algorithms/registry.ts";
import { ConfigError } from "./config-error.ts";
import type { Setting } from "./setting.ts";

const key = "algorithm.class_name";

/**
 * Which algorithm is meant: the last that says so wins; distillation where nobody does.
 *
 * @throws ConfigError that names those there are
 */
export function chooseAlgorithm(settings: readonly Setting[]): Algorithm {
  const said = settings.findLast(({ name }) => name === key);
  if (said === undefined) return algorithms[0];
  const word = typeof said.value === "string" ? said.value : "";
  const found = algorithmNamed(word);
  if (found) return found;
  const names = algorithms.map(({ name }) => name);
  throw new ConfigError(
    "unknown-algorithm",
    `${key} is ${JSON.stringify(said.value)} (${said.origin}); expected one of ${names.join(", ")}`,
    `Did you mean --algorithm ${nearest(word, names, { within: Infinity })}?`,
  );
}

/** As the algorithm's own key has it. */
export function spelt(
  setting: Setting,
  { keys }: { readonly keys: ReadonlyMap<string, { readonly fallback: unknown }> },
): Setting {
  return setting.name === key ? { ...setting, value: keys.get(key)!.fallback } : setting;
}
