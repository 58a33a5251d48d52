import { elementsOf, type NamedArray, shapeText } from "../named-array.ts";
import { CheckpointError } from "../policy-error.ts";
import type { ActorEntries } from "./actor-state.ts";
import { describe, isTensor } from "./torch-value.ts";

/** Arrays of one network in a file; every error names the file and the key as the file has it. */
export class ActorValues {
  readonly #entries: ActorEntries;
  readonly #where: string;

  constructor(entries: ActorEntries, where: string) {
    this.#entries = entries;
    this.#where = where;
  }

  array(name: string, allow?: { readonly minusInfinity: boolean }): NamedArray {
    const found = this.#entries.values.get(name);
    if (found === undefined) {
      throw this.error(
        "missing-key",
        `${this.keyOf(name)} is missing`,
        "The checkpoint is not whole: use another one of the run.",
      );
    }
    if (!isTensor(found.value) || !["float32", "float64"].includes(found.value.dtype)) {
      throw this.error(
        "wrong-type",
        `${found.key} is ${describe(found.value)}, expected a tensor of floats`,
        "Use a checkpoint that rsl_rl has saved.",
      );
    }
    const data = Float32Array.from(found.value.data as Float32Array);
    const bad = data.findIndex(
      (value) => !Number.isFinite(value) && !(allow?.minusInfinity && value === -Infinity),
    );
    if (bad >= 0) {
      throw this.error(
        "not-finite",
        `${found.key} holds ${data[bad]} at element ${bad}`,
        "The training had diverged: use an earlier checkpoint of the run.",
      );
    }
    return { shape: found.value.shape, data };
  }

  expectShape(name: string, array: NamedArray, shape: readonly number[]): void {
    const same = array.shape.length === shape.length && shape.every((n, i) => n === array.shape[i]);
    if (!same || elementsOf(shape) === 0) throw this.shapeError(name, array, shapeText(shape));
  }

  shapeError(name: string, array: NamedArray, expected: string): CheckpointError {
    return this.error(
      "wrong-shape",
      `${this.keyOf(name)} is ${shapeText(array.shape)}, expected ${expected}`,
      "The checkpoint is not of one network: use another one of the run.",
    );
  }

  /** The name in the file, where the file has it. */
  keyOf(name: string): string {
    return this.#entries.values.get(name)?.key ?? `${this.#entries.name} ${name}`;
  }

  error(code: string, what: string, hint: string): CheckpointError {
    return new CheckpointError(code, `${this.#where}: ${what}`, hint);
  }
}
