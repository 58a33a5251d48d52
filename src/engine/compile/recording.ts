import type { Attribute } from "./native-backend.ts";

/** Where a tensor comes from, as GraphDef names it within an entry: `in0`, `st1`, `c2`, `n3`, `n3:1`. */
export type Source = string;

/** One operation, as it was called. */
export interface Operation {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Source[];
}

/** Numbers made in JavaScript. */
export interface Constant {
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

export interface TensorType {
  readonly shape: readonly number[];
  /** TensorFlow's `DataType`. */
  readonly dtype: number;
}

export interface Output extends TensorType {
  readonly source: Source;
}

/** All that a function did, once. */
export interface Recording {
  readonly inputs: readonly TensorType[];
  /** `n0`, `n1` …, in the order they were called. */
  readonly operations: readonly Operation[];
  /** `c0`, `c1` … */
  readonly constants: readonly Constant[];
  readonly shapes: ReadonlyMap<Source, readonly number[]>;
  readonly outputs: readonly Output[];
  /** Its new value by the place of a variable in the program's state; others keep theirs. */
  readonly assigned: ReadonlyMap<number, Source>;
}

/** How a second call differs from the first where both must be the same program; undefined: they agree. */
export function difference(first: Recording, second: Recording): string | undefined {
  for (const [i, operation] of second.operations.entries()) {
    const before = first.operations[i];
    const told = `operation ${i}, ${operation.name}`;
    if (before?.name !== operation.name) return `${told}, was ${before?.name ?? "none"} before`;
    if (JSON.stringify(before) === JSON.stringify(operation)) continue;
    return `${told}, has other inputs or attributes than before`;
  }
  if (first.operations.length > second.operations.length) {
    return `${second.operations.length} operations, before ${first.operations.length}`;
  }
  for (const [i, constant] of second.constants.entries()) {
    const changed = changedNumber(first.constants[i]!, constant);
    if (changed === undefined) continue;
    const reader = second.operations.find(({ inputs }) => inputs.includes(`c${i}`));
    return `${reader?.name ?? "an output"} reads ${changed}`;
  }
  return sameEnds(first, second) ? undefined : "it gives or assigns something else than before";
}

function changedNumber(before: Constant, now: Constant): string | undefined {
  if (before.shape.join() !== now.shape.join()) {
    return `an array [${now.shape}] made in JavaScript, before [${before.shape}]`;
  }
  const at = now.values.findIndex((value, i) => !Object.is(value, before.values[i]));
  if (at < 0) return undefined;
  return `the number ${now.values[at]} made in JavaScript, before ${before.values[at]}`;
}

function sameEnds(a: Recording, b: Recording): boolean {
  const ends = ({ outputs, assigned }: Recording) => JSON.stringify([outputs, [...assigned]]);
  return ends(a) === ends(b);
}

/** How often each is read: by operations, as an output, as a new value of the state. */
export function countUses(recording: Recording): ReadonlyMap<Source, number> {
  const uses = new Map<Source, number>();
  for (const source of sourcesRead(recording)) uses.set(source, (uses.get(source) ?? 0) + 1);
  return uses;
}

/** Places of the variables whose values before the call are used. */
export function statesRead(recording: Recording): readonly number[] {
  const used = sourcesRead(recording).filter((source) => source.startsWith("st"));
  const places = used.map((source) => Number(source.slice(2)));
  return [...new Set(places)].sort((a, b) => a - b);
}

function sourcesRead({ operations, outputs, assigned }: Recording): readonly Source[] {
  return [
    ...operations.flatMap(({ inputs }) => inputs),
    ...outputs.map(({ source }) => source),
    ...assigned.values(),
  ];
}
