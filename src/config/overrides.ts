import { parse } from "yaml";
import { ConfigError } from "./config-error.ts";
import type { Setting } from "./setting.ts";

/**
 * Reads Hydra's `key=value` arguments: `env.a.b=1`, `agent.a.b=1`, or a key of the configuration as
 * it is. Hydra's `+key=value` and `++key=value` mean the same here. @throws ConfigError
 */
export function readOverrides(args: readonly string[]): readonly Setting[] {
  return args.map(readOverride);
}

function readOverride(argument: string): Setting {
  const at = argument.indexOf("=");
  const key = argument.slice(0, at).replace(/^\+{1,2}/, "");
  if (argument.startsWith("~")) {
    throw badOverride(argument, "a key can't be deleted; every key has a value");
  }
  if (at < 1 || key === "") throw badOverride(argument, "this is not KEY=VALUE");
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(key)) {
    throw badOverride(argument, `${JSON.stringify(key)} is not a dotted name`);
  }
  const raw = argument.slice(at + 1);
  return {
    name: key.replace(/^agent\./, ""),
    value: parseValue(raw, argument),
    raw,
    origin: argument.length > 60 ? `${argument.slice(0, 57)}...` : argument,
  };
}

/** A typed argument as YAML reads it, with Python's `None` and `True`; text is never taken apart. */
export function parseValue(raw: string, argument: string): unknown {
  const text = raw.trim();
  if (text === "None") return null;
  if (/^[[{"']/.test(text)) return parseStructure(text, argument);
  return /^[-+.\w~]+$/.test(text) ? parse(text) : raw;
}

function parseStructure(text: string, argument: string): unknown {
  const pythonWords: Readonly<Record<string, unknown>> = { None: null, True: true, False: false };
  try {
    return parse(text, (_key, value) =>
      typeof value === "string" && value in pythonWords ? pythonWords[value] : value,
    );
  } catch (cause) {
    throw badOverride(argument, `the value is not whole: ${(cause as Error).message}`, cause);
  }
}

function badOverride(argument: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError(
    "bad-override",
    `Argument ${JSON.stringify(argument)}: ${problem.split("\n")[0]}`,
    "Write KEY=VALUE without blanks, e.g. algorithm.learning_rate=1e-4 or env.sim.dt=0.01.",
    { cause },
  );
}
