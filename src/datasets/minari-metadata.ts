import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { EnvSpec } from "../../protocol/spec.ts";
import { DatasetError } from "./dataset-error.ts";
import type { ActionArraySpec, ArraySpec, FlightsSpec } from "./flights-spec.ts";
import { parsePythonJson } from "./json-text.ts";
import type { RowReader } from "./row-reader.ts";

export const METADATA = "metadata.json";
/** Attribute and metadata key with the simulator's specification as JSON: ours, Minari ignores it. */
export const SPEC_KEY = "firstsolo_env_spec";
const LARGEST = 64 << 20;

const tensor = z.object({
  dtype: z.enum(["<f4", "|u1", "<i4"]),
  shape: z.array(z.number().int().nonnegative()),
  names: z.array(z.string()).optional(),
  units: z.array(z.string()).optional(),
});
/** Infinite ones are numbers too, which zod's are not. */
const bound = z.custom<number>((value) => typeof value === "number");
const bounds = z.array(bound.nullable());
const envSpec = z.object({
  task: z.string(),
  numEnvs: z.number(),
  controlPeriod: z.number(),
  maxEpisodeSteps: z.number(),
  autoreset: z.literal("same_step"),
  observations: z.record(z.string(), tensor),
  action: tensor.extend({ low: z.array(bound), high: z.array(bound) }),
  capabilities: z.array(z.string()),
});
const box = z.object({ type: z.literal("Box"), low: z.unknown(), high: z.unknown() });

/** Adds what the metadata say: names, units, bounds, the simulator's specification. */
export function minariFacts(reader: RowReader, spec: FlightsSpec): FlightsSpec {
  const facts = metadataOf(reader);
  const said = facts(SPEC_KEY);
  const env = said === undefined ? undefined : readSpec(reader.file.path, said);
  const space = facts("action_space");
  const limits = space === undefined ? undefined : boundsOf(space, spec.action.width);
  const action: ActionArraySpec = { ...named(spec.action, env?.action), ...limits };
  const groups = Object.entries(spec.groups).map(
    ([name, group]) => [name, named(group, env?.observations[name])] as const,
  );
  return { ...spec, action, groups: Object.fromEntries(groups), ...(env && { env }) };
}

/** A text by key: from the file's own attributes, else from `metadata.json` beside it. */
function metadataOf({ file }: RowReader): (key: string) => string | undefined {
  const path = join(dirname(file.path), METADATA);
  const beside = file.path.endsWith("main_data.hdf5") && existsSync(path) ? readBeside(path) : {};
  return (key) => {
    const own = file.attribute("", key);
    if (typeof own === "string") return own;
    const value = beside[key];
    return typeof value === "string" ? value : undefined;
  };
}

function readBeside(path: string): Record<string, unknown> {
  try {
    const { size } = statSync(path);
    if (size > LARGEST) throw new Error(`${size} bytes`);
    const parsed = parsePythonJson(readFileSync(path, "utf8"));
    return z.record(z.string(), z.unknown()).parse(parsed);
  } catch (cause) {
    throw new DatasetError(
      "bad-metadata",
      `${path} is not the JSON document that Minari writes: ${(cause as Error).message}`,
      "Restore it, or give the .hdf5 file under another name to read it without.",
      { cause },
    );
  }
}

/** A specification that can't be understood is an error: names and units would silently be wrong. */
function readSpec(path: string, text: string): EnvSpec {
  try {
    return envSpec.parse(parsePythonJson(text)) as EnvSpec;
  } catch (cause) {
    throw new DatasetError(
      "bad-metadata",
      `${path}: its ${SPEC_KEY} can't be read: ${(cause as Error).message}`,
      "Delete that attribute to read the file without names and units.",
      { cause },
    );
  }
}

/** Names and units of a group that is as wide as the specification says. */
function named(
  array: ArraySpec,
  said: { names?: readonly string[]; units?: readonly string[] } | undefined,
): ArraySpec {
  const fits = (list: readonly string[] | undefined) => list?.length === array.width;
  return {
    ...array,
    ...(said?.names && fits(said.names) && { names: said.names }),
    ...(said?.units && fits(said.units) && { units: said.units }),
  };
}

function boundsOf(text: string, width: number) {
  try {
    const space = box.parse(parsePythonJson(text));
    const [low, high] = [space.low, space.high].map((side) =>
      bounds.parse([side].flat(8)).map((bound) => bound ?? Number.NaN),
    );
    return low?.length === width && high?.length === width ? { low, high } : undefined;
  } catch {
    return undefined;
  }
}
