import { isBlock, type Setting } from "../config/setting.ts";

/**
 * Keys of the configuration, as in a YAML file: in blocks, `{ algorithm: { learning_rate: 1e-3 } }`, or by dotted
 * name, `{ "algorithm.learning_rate": 1e-3 }`. `firstsolo train --help` lists them; those of a simulator are in `env`.
 * An algorithm may be named as by its flag: `{ algorithm: "iql" }`, `{ algorithm: "iql", "algorithm.discount": 0.98 }`.
 */
export type Settings = { readonly [key: string]: unknown };

/** By dotted name; a list is a value, a block never is. */
export function flattened(settings: Settings, prefix = ""): readonly Setting[] {
  return Object.entries(settings).flatMap(([key, value]): readonly Setting[] => {
    const name = `${prefix}${key}`;
    if (value === undefined) return [];
    if (isBlock(value)) return flattened(value, `${name}.`);
    const named = name === "algorithm" && typeof value === "string";
    if (named) return [{ name: "algorithm.class_name", value, origin: "the program" }];
    return [{ name, value, origin: "the program" }];
  });
}
