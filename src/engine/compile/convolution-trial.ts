import { type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { FedState } from "./fed-state.ts";
import type { NodeBackend, Produced } from "./native-backend.ts";
import type { Recording, Source } from "./recording.ts";

/** Whether a program and another recording of it come to the same bits. */
export type Trial = typeof isSame;

/** Numbers of a result: of fewer it could be chance that they agree. */
const fewest = 64;

/** What was tried, for as long as this thread computes with the same library on as many threads. */
const found = new Map<string, boolean>();

/**
 * Whether a program without state, of numbers, gives the same bits operation by operation and as another recording
 * of it, compiled: tried with numbers from −1 to 1 and one NaN, once for each pair.
 */
export function isSame(plain: Recording, taken: Recording, native: NodeBackend): boolean {
  const { operations, constants, inputs } = taken;
  const key = JSON.stringify([plain.operations, operations, constants, inputs]);
  const known = found.get(key) ?? tidy(() => tried(plain, taken, native));
  found.set(key, known);
  return known;
}

function tried(plain: Recording, taken: Recording, native: NodeBackend): boolean {
  const given = plain.inputs.map(({ shape }, i) => tensor(drawn(shape, i + 1), [...shape]));
  const compiled = new FedState(native, []);
  compiled.add("layer", taken);
  const [one, other] = [oneByOne(plain, given, native), compiled.call("layer", given)[0]!];
  compiled.dispose();
  return equalBits(one, other);
}

function oneByOne({ operations, constants }: Recording, given: Tensor[], native: NodeBackend) {
  const { binding } = native;
  const ids = new Map<Source, number>();
  for (const [i, id] of native.getInputTensorIds(given).entries()) ids.set(`in${i}`, id);
  for (const [i, { shape, dtype, values }] of constants.entries()) {
    ids.set(`c${i}`, binding.createTensor(shape, dtype, values));
  }
  let last: Produced | undefined;
  for (const [i, { name, attributes, inputs }] of operations.entries()) {
    const read = inputs.map((source) => ids.get(source)!);
    [last] = binding.executeOp(name, attributes, read, 1);
    ids.set(`n${i}`, last!.id);
  }
  for (const [source, id] of ids) {
    if (!source.startsWith("in") && id !== last!.id) binding.deleteTensor(id);
  }
  return native.createOutputTensor(last!);
}

/** The first array begins with NaN, which may get lost. Numbers without a pattern, by a congruential generator: millions of them in milliseconds. */
function drawn(shape: readonly number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let state = seed;
  for (let i = 0; i < values.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
  if (seed === 1) values[0] = Number.NaN;
  return values;
}

/** Signs of zero count, those of NaN do not. */
function equalBits(one: Tensor, other: Tensor): boolean {
  const [a, b] = [one, other].map((tensor) => tensor.dataSync<"float32">());
  const told = a!.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
  return told >= fewest && a!.every((value, i) => Object.is(value, b![i]));
}
