import type { NamedArray, NamedArrays } from "../../../policies/named-array.ts";
import { parseJson } from "../../../protocol/parse-json.ts";
import type { Compile } from "../../engine/compile/program.ts";
import { LearningError } from "../learning-error.ts";
import type { Safetensors } from "../safetensors.ts";

/** Recorded updates of a reference program: a file and where it lies, for messages. */
export interface ReferenceFile extends Safetensors {
  readonly where: string;
}

/** How far one update is from the reference's. */
export interface UpdateError {
  /** Number of the update, from 1. */
  readonly update: number;
  /** Largest absolute difference over all weights, and where; absent where the file keeps none. */
  readonly weights?: { readonly error: number; readonly at: string };
  /** Largest |difference| / max(1, |reference|) over all figures, and which. */
  readonly metrics?: { readonly error: number; readonly at: string };
  /** The same of whole numbers that must be equal. */
  readonly counts?: { readonly error: number; readonly at: string };
}

export interface Tolerance {
  readonly weights: number;
  readonly metrics: number;
}

export interface ReplayOptions {
  /** Distillation: train on the steps after the last full window too, as rsl_rl doesn't. */
  readonly keepLeftover?: boolean;
  /** Who makes one call of an update's operations; absent: each is a call of its own. */
  readonly compile?: Compile | undefined;
}

/** A kind of reference file: how to recognise one, and how to repeat its updates. */
export interface ParityKind {
  readonly name: string;
  readonly tolerance: Tolerance;
  /** By its content, not by its name. */
  recognises(file: ReferenceFile): boolean;
  /** @throws LearningError for a file that is not whole */
  replay(file: ReferenceFile, options: ReplayOptions): Promise<readonly UpdateError[]>;
}

/** The float32 arrays whose names begin with `prefix`, without it. */
export function arraysUnder({ arrays }: Safetensors, prefix: string): NamedArrays {
  const found = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    found.map(([name, { shape, data }]): [string, NamedArray] => [
      name.slice(prefix.length),
      { shape, data: Float32Array.from(data) },
    ]),
  );
}

/** @throws LearningError `bad-parity-file` */
export function arrayNamed(file: ReferenceFile, name: string): NamedArray {
  const array = Object.hasOwn(file.arrays, name) ? file.arrays[name] : undefined;
  if (array === undefined) throw badFile(file, `holds no array '${name}'`);
  return { shape: array.shape, data: Float32Array.from(array.data) };
}

/** A value of the metadata, which are JSON, or words. @throws LearningError `bad-parity-file` */
export function setting<T>(file: ReferenceFile, name: string): T {
  const text = file.metadata[name];
  if (text === undefined) throw badFile(file, `says no '${name}' in its metadata`);
  return jsonOrWords(text) as T;
}

export function jsonOrWords(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** A number of the metadata. @throws LearningError `bad-parity-file` */
export function numberNamed(file: ReferenceFile, name: string): number {
  const value = setting<unknown>(file, name);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw badFile(file, `says ${JSON.stringify(value)} for '${name}', expected a number`);
}

/** A number, or null where there is no such bound: an infinite one, or none said. */
export function boundNamed(file: ReferenceFile, name: string): number | null {
  if (!Object.hasOwn(file.metadata, name)) return null;
  const value = setting<unknown>(file, name);
  // So Python writes what JSON can't say.
  if (value === null || value === "Infinity" || value === "-Infinity") return null;
  return numberNamed(file, name);
}

/** @throws LearningError `bad-parity-file` */
export function flagNamed(file: ReferenceFile, name: string): boolean {
  const value = setting<unknown>(file, name);
  if (typeof value === "boolean") return value;
  throw badFile(file, `says ${JSON.stringify(value)} for '${name}', expected true or false`);
}

/**
 * Whether weights are recorded behind this update. Then all of them must be, in the shapes of the first ones.
 *
 * @param prefix e.g. `after1.`
 * @throws LearningError `bad-parity-file`
 */
export function keepsWeights(file: Safetensors & { readonly where?: string }, prefix: string) {
  const { where = "the file" } = file;
  const [first, after] = [shapesUnder(file, "initial."), shapesUnder(file, prefix)];
  if (after.size === 0) return false;
  for (const [name, shape] of first) {
    const found = after.get(name);
    if (found === shape) continue;
    const what = found === undefined ? "holds no" : `holds [${found}], not [${shape}], as`;
    throw badFile({ where }, `${what} '${prefix}${name}'`);
  }
  const other = [...after.keys()].find((name) => !first.has(name));
  if (other === undefined) return true;
  throw badFile({ where }, `holds '${prefix}${other}', but no 'initial.${other}'`);
}

function shapesUnder({ arrays }: Safetensors, prefix: string): ReadonlyMap<string, string> {
  const found = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, { shape }]) => [name.slice(prefix.length), shape.join(", ")]));
}

export function badFile({ where }: Pick<ReferenceFile, "where">, what: string): LearningError {
  return new LearningError(
    "bad-parity-file",
    `${where} ${what}.`,
    "Give a file of recorded updates as the README beside it in test/data describes.",
  );
}

/** A weight that is missing, of another size, or not a number, is infinitely wrong. */
export function compareArrays(
  got: NamedArrays,
  expected: NamedArrays,
): { readonly error: number; readonly at: string } {
  let error = 0;
  let at = "";
  for (const [name, { data }] of Object.entries(expected)) {
    const mine = got[name]?.data;
    for (const [i, value] of data.entries()) {
      const difference = Math.abs((mine?.[i] ?? Number.NaN) - value);
      if (at !== "" && !Number.isNaN(difference) && difference <= error) continue;
      error = Number.isNaN(difference) ? Infinity : difference;
      at = `${name}[${i}]`;
      if (error === Infinity) return { error, at };
    }
  }
  return { error, at };
}

/** Relative to what is large; a figure that is missing is infinitely wrong. */
export function compareFigures(
  got: Readonly<Record<string, number | undefined>>,
  expected: Readonly<Record<string, number>>,
): { readonly error: number; readonly at: string } {
  let [error, at] = [0, ""];
  for (const [name, value] of Object.entries(expected)) {
    const difference = Math.abs((got[name] ?? Number.NaN) - value) / Math.max(1, Math.abs(value));
    if (at !== "" && difference <= error) continue;
    error = Number.isNaN(difference) ? Infinity : difference;
    at = name;
    if (error === Infinity) break;
  }
  return { error, at };
}

export function isOff({ weights, metrics, counts }: UpdateError, tolerance: Tolerance): boolean {
  const off = (error: number | undefined, most: number) => error !== undefined && !(error <= most);
  return (
    off(weights?.error, tolerance.weights) ||
    off(metrics?.error, tolerance.metrics) ||
    off(counts?.error, 0)
  );
}
