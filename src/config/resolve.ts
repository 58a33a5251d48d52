import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { SettingValue } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { algorithms } from "../algorithms/registry.ts";
import {
  type AlgorithmKeys,
  type KnownKey,
  keysOf,
  lastWord,
  nearestKey,
} from "./algorithm-keys.ts";
import { ConfigError } from "./config-error.ts";
import { checkSimulator } from "./cross-checks.ts";
import { changed } from "./kept-keys.ts";
import { readOverrides } from "./overrides.ts";
import { chooseAlgorithm, spelt } from "./resolve-algorithm.ts";
import { translate } from "./rsl-rl-keys.ts";
import type { Config } from "./schema.ts";
import type { Setting } from "./setting.ts";
import { readYamlFile } from "./yaml-file.ts";

export interface ResolveInput {
  /** Configuration of the run that is resumed; all others win over it. */
  readonly base?: string;
  /** YAML file, `--config`. */
  readonly file?: string;
  /** What the flags said, as settings whose `raw` is the text that was typed. */
  readonly flags?: readonly Setting[];
  /** Hydra's `key=value` arguments; they win over all others. */
  readonly overrides?: readonly string[];
}

export interface Resolved {
  readonly config: Config;
  readonly algorithm: Algorithm;
  /** Lines for people: what was taken in another sense, what has no effect, what looks odd. */
  readonly notices: readonly string[];
  /** Where each value that is not a default came from, by dotted name. */
  readonly sources: Readonly<Record<string, string>>;
}

/**
 * One configuration from all that was said. Later wins: defaults, `base`, `file`, `flags`,
 * `overrides`. @throws ConfigError
 */
export function resolveConfig(input: ResolveInput = {}): Resolved {
  const given = [
    input.base === undefined ? [] : readYamlFile(input.base),
    input.file === undefined ? [] : readYamlFile(input.file),
    input.flags ?? [],
    readOverrides(input.overrides ?? []),
  ];
  const algorithm = chooseAlgorithm(given.flat());
  if (input.base !== undefined) refuseOther(algorithm, chooseAlgorithm(given[0]!));
  const known = keysOf(algorithm);
  // A run that goes on has all its values; what a recipe has come to since is not for it.
  const recipe = input.base === undefined ? recipeOf(algorithm, given.flat()) : [];
  const layers = [recipe, ...given].map((layer) => translate(layer, known.blocks));
  const settings = layers
    .flatMap((layer) => layer.settings)
    .map((setting) => check(spelt(setting, known), known));
  const said = new Map(settings.map((setting) => [setting.name, setting]));
  const parsed = known.schema.parse(tree(said)) as unknown as Config;
  const settled = algorithm.settle?.(parsed, (key) => said.has(key)) ?? parsed;
  const config = freeze(named(settled, algorithm));
  checkSimulator(config);
  algorithm.check(config);
  const sources = sourcesOf(said, known);
  const remarks = [...algorithm.remarks(config), ...idleText(algorithm, config, sources)];
  const notices = [...layers.flatMap((layer) => layer.notices), ...remarks];
  return { config, algorithm, notices, sources };
}

/** Its keys would be said to be unknown, one after the other. */
function refuseOther(algorithm: Algorithm, flown: Algorithm): void {
  if (algorithm !== flown) throw changed("algorithm.class_name", flown.name, algorithm.name);
}

/** What the task asks for, under all that was said. */
function recipeOf(algorithm: Algorithm, given: readonly Setting[]): readonly Setting[] {
  const said = given.findLast(({ name }) => /^(agent\.)?task$/.test(name))?.value;
  const task = typeof said === "string" ? said : "";
  const keys = algorithm.recipe?.(task) ?? {};
  const origin = `the recipe of task ${task}`;
  return Object.entries(keys).map(([name, value]) => ({ name, value, origin }));
}

function sourcesOf(
  given: ReadonlyMap<string, Setting>,
  { keys }: AlgorithmKeys,
): Readonly<Record<string, string>> {
  const changed = [...given].filter(
    ([name, { value }]) => !isDeepStrictEqual(value, keys.get(name)?.fallback),
  );
  return Object.fromEntries(changed.map(([name, { origin }]) => [name, origin]));
}

/** Of what was said, what nobody will ask for. */
function idleText(algorithm: Algorithm, config: Config, sources: Resolved["sources"]): string[] {
  const reasons = algorithm.idle(config);
  const idle = Object.keys(sources).flatMap((key) => {
    const why = reasons.find(({ keys }) => keys.test(key))?.why;
    return why === undefined ? [] : [`${key} (${why})`];
  });
  return idle.length > 0 ? [`No effect here: ${idle.join("; ")}`] : [];
}

/** The same setting with a value of the right type. */
function check(setting: Setting, all: AlgorithmKeys): Setting {
  if (setting.name.startsWith("env.")) return checkEnv(setting, all);
  const known = all.keys.get(setting.name);
  if (!known || setting.name === "env") throw unknownKey(setting, all);
  if (known.schema.safeParse(setting.value).success && setting.value !== undefined) return setting;
  // An argument has no type of its own: 42 is a fine name for a run.
  const scalar = typeof setting.value !== "object" && setting.raw !== undefined;
  const asTyped = scalar ? known.schema.safeParse(setting.raw) : undefined;
  if (asTyped?.success) return { ...setting, value: asTyped.data };
  throw wrongValue(setting, known);
}

function checkEnv(setting: Setting, all: AlgorithmKeys): Setting {
  const words = setting.name.split(".");
  if (words.some((word) => word === "" || word === "__proto__")) throw unknownKey(setting, all);
  const items = Array.isArray(setting.value) ? setting.value : [setting.value];
  if (items.every(isScalar)) return setting;
  throw wrongValue(setting, { expects: "a number, text, true, false, null or a list of those" });
}

function isScalar(value: unknown): boolean {
  return typeof value === "number" ? Number.isFinite(value) : value === null || isWord(value);
}

function isWord(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean";
}

function unknownKey({ name, origin, value }: Setting, all: AlgorithmKeys): ConfigError {
  if (all.blocks.has(name) || name === "env") {
    const hint = name === "env" ? "Write env.NAME=VALUE." : keysIn(name, all);
    const message = `${name} (${origin}) is a block of keys; got ${show(value)}`;
    return new ConfigError("bad-value", message, hint);
  }
  const near = nearestKey(name, all);
  const others = algorithmsWith(name);
  const block = name.slice(0, name.lastIndexOf("."));
  const suggestion = all.blocks.has(block)
    ? keysIn(block, all)
    : "`firstsolo train --algorithm NAME --help` lists an algorithm's keys; those of a simulator start with env.";
  const elsewhere = `It is a key of ${others.join(", ")}. ${suggestion}`;
  // The same word in another block is meant more surely than a similar one.
  const meant = near !== undefined && (others.length === 0 || lastWord(near) === lastWord(name));
  const hint = meant ? `Did you mean ${near}?` : others.length > 0 ? elsewhere : suggestion;
  return new ConfigError("unknown-key", `Unknown key ${name} (${origin})`, hint);
}

/** Names of those that know the key. */
function algorithmsWith(name: string): readonly string[] {
  return algorithms.filter((one) => keysOf(one).keys.has(name)).map((one) => one.name);
}

function keysIn(block: string, { keys: all }: AlgorithmKeys): string {
  const keys = [...all.keys()].filter((known) => known.startsWith(`${block}.`));
  return `Its keys: ${keys.join(", ")}.`;
}

function wrongValue(
  { name, origin, value }: Setting,
  { expects, doc }: Pick<KnownKey, "expects"> & { readonly doc?: string },
): ConfigError {
  return new ConfigError(
    "bad-value",
    `${name} is ${show(value)} (${origin}); expected ${expects}`,
    asList(value, expects)
      ? `Write ${name}=[${value}].`
      : doc === undefined
        ? "Give such a value, or leave the key out."
        : `${name}: ${doc}.`,
  );
}

/** Names with commas, and no brackets around them. */
function asList(value: unknown, expects: string): boolean {
  return typeof value === "string" && expects.startsWith("a list") && /^[\w.,-]+$/.test(value);
}

function show(value: unknown): string {
  const shown = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function tree(given: ReadonlyMap<string, Setting>): Record<string, unknown> {
  const root: Record<string, Record<string, unknown> | unknown> = {};
  const env: [string, SettingValue][] = [];
  for (const [name, { value }] of given) {
    const [first, ...rest] = name.split(".") as [string, ...string[]];
    if (first === "env") env.push([rest.join("."), value as SettingValue]);
    else if (rest.length === 0) root[first] = value;
    else {
      root[first] ??= {};
      (root[first] as Record<string, unknown>)[rest.join(".")] = value;
    }
  }
  return { ...root, env: Object.fromEntries(env) };
}

/** With what only its data can say, e.g. the task, by which the experiment is then named. @throws DatasetError */
export async function completed(
  resolved: Resolved,
  given: { readonly resumed: boolean },
): Promise<Resolved> {
  const { config, algorithm, sources } = resolved;
  const whole = (await algorithm.complete?.(config, given)) ?? config;
  const automatic = whole.task !== config.task && sources.experiment_name === undefined;
  const final = automatic ? named({ ...whole, experiment_name: "" }, algorithm) : whole;
  return { ...resolved, config: freeze(final) };
}

/**
 * The configuration of a run in a simulator that others run: their number of environments, and their task, by which
 * the experiment is then named where nobody chose a name.
 */
export function flownIn({ config, algorithm, sources }: Resolved, spec: EnvSpec): Config {
  const sized = { ...config, num_envs: spec.numEnvs };
  if (config.sim.endpoint === null) return freeze(sized);
  const theirs = { ...sized, task: spec.task };
  const automatic = sources.experiment_name === undefined;
  return freeze(automatic ? named({ ...theirs, experiment_name: "" }, algorithm) : theirs);
}

function named(config: Config, { name: algorithm }: Algorithm): Config {
  if (config.experiment_name !== "") return config;
  const task = basename(config.task).replace(/[^\w]+/g, "_");
  const name = task.endsWith(algorithm) ? task : `${task}_${algorithm}`;
  return { ...config, experiment_name: name.replace(/^_+/, "") };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) freeze(item);
    Object.freeze(value);
  }
  return value;
}
