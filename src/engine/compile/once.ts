import { createHash } from "node:crypto";
import type { Constant, Operation, Recording, Source } from "./recording.ts";

/**
 * The recording, where what was computed twice of the same is computed once, and equal numbers are one constant.
 * TensorFlow looks for such twins too, and misses those behind the walls of `guarded`.
 */
export function once(recording: Recording): Recording {
  const names = new Map<Source, Source>();
  const nameOf = (source: Source) => {
    const [name = "", output] = source.split(":");
    const known = names.get(name) ?? name;
    return output === undefined ? known : `${known}:${output}`;
  };
  const constants = new Twins<Constant>("c", names);
  for (const one of recording.constants) constants.add(one, keyOf(one));
  const operations = new Twins<Operation>("n", names);
  for (const one of recording.operations) {
    const renamed = { ...one, inputs: one.inputs.map(nameOf) };
    operations.add(renamed, JSON.stringify(renamed));
  }
  const { inputs, outputs, shapes, assigned } = recording;
  return {
    ...{ inputs, constants: constants.kept, operations: operations.kept },
    outputs: outputs.map((one) => ({ ...one, source: nameOf(one.source) })),
    shapes: new Map([...shapes].map(([source, shape]) => [nameOf(source), shape])),
    assigned: new Map([...assigned].map(([place, source]) => [place, nameOf(source)])),
  };
}

/** Keeps the first of those that have one key, and says what the others are called now. */
class Twins<T> {
  readonly kept: T[] = [];
  readonly #kind: "c" | "n";
  readonly #names: Map<Source, Source>;
  readonly #places = new Map<string, number>();
  #count = 0;

  constructor(kind: "c" | "n", names: Map<Source, Source>) {
    this.#kind = kind;
    this.#names = names;
  }

  add(one: T, key: string): void {
    const place = this.#places.get(key) ?? this.kept.length;
    if (place === this.kept.length) this.kept.push(one);
    this.#places.set(key, place);
    this.#names.set(`${this.#kind}${this.#count}`, `${this.#kind}${place}`);
    this.#count += 1;
  }
}

/** Signs of zero count: numbers are told apart by their bytes. */
function keyOf({ shape, dtype, values }: Constant): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `${dtype} [${shape}] ${createHash("sha1").update(bytes).digest("base64")}`;
}
