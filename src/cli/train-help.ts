import { type Command, Help, type Option } from "commander";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { algorithmMeant, algorithms } from "../algorithms/registry.ts";
import { type KnownKey, keysOf } from "../config/algorithm-keys.ts";

/**
 * With `--algorithm NAME` only flags that it has are listed, with its own words and defaults, and its keys behind them.
 *
 * @param keys by flag
 */
export function helpByAlgorithm(command: Command, keys: ReadonlyMap<string, string>): Command {
  const { visibleOptions, optionDescription } = Help.prototype;
  const keyOf = ({ long }: Option) => keys.get(long ?? "");
  const chosen = () => algorithmMeant(command.opts().algorithm);
  const own = () => keysOf(chosen()).keys;
  command.configureHelp({
    ...command.configureHelp(),
    visibleOptions(shown) {
      const all = visibleOptions.call(this, shown);
      if (command.opts().algorithm === undefined) return all;
      return all.filter((option) => {
        const key = keyOf(option);
        return key === undefined || own().has(key);
      });
    },
    optionDescription(option) {
      const key = keyOf(option);
      const known = key === undefined ? undefined : own().get(key);
      return known ? described(key!, known) : optionDescription.call(this, option);
    },
  });
  return command.addHelpText("after", () => keyHelp(chosen()));
}

/** Of a flag that sets this key: as the first algorithm that has it says. */
export function flagHelp(key: string): string {
  const known = algorithms.map((algorithm) => keysOf(algorithm).keys.get(key));
  return described(key, known.find((found) => found !== undefined)!);
}

function described(key: string, { doc, expects, fallback }: KnownKey): string {
  if (key === "algorithm.class_name") return algorithmHelp();
  const choices = expects.startsWith("one of ") ? `, ${expects}` : "";
  const goesUnsaid = fallback === null || fallback === "" || fallback === false;
  return `${doc}${choices}${goesUnsaid ? "" : ` (default: ${fallback})`}`;
}

function algorithmHelp(): string {
  const lines = algorithms.map(({ name, summary }) => `${name}: ${summary}`);
  return `${lines.join("; ")} (default: ${algorithms[0].name})`;
}

/** All keys of an algorithm, for the overrides; built only when help is asked for. */
function keyHelp(algorithm: Algorithm): string {
  const lines = [...keysOf(algorithm).keys].map(([name, { doc, fallback }]) => {
    const value = name === "env" ? "" : `=${JSON.stringify(fallback)}`;
    return `  ${`${name}${value}`.padEnd(44)} ${doc}`;
  });
  return `\nKeys of ${algorithm.name} and defaults (train --algorithm NAME --help for another):\n${lines.join("\n")}\n`;
}
