import { type Tensor, tidy, type Variable } from "@tensorflow/tfjs-core";
import { entryNamed } from "./entry-named.ts";

/** What chooses the form of an entry, e.g. the lengths of a window: each list of values is compiled by itself. */
export type Static = string | number | boolean;

/**
 * A function of its inputs, its statics and the program's state, which it reads and `assign`s. Synchronous;
 * gradients may be taken inside. A number that changes from call to call is an input (a scalar) or state.
 */
export type Entry = (inputs: readonly Tensor[], statics: readonly Static[]) => Tensor[];

export interface ProgramOptions {
  /** Everything the entries read that is no input. Owned by the caller, current after every run. */
  readonly state: readonly Variable[];
  readonly entries: Readonly<Record<string, Entry>>;
}

/** Entries over the same variables. Whoever else reads or assigns these in between sees, and sets, what they are. */
export interface Program {
  /** Outputs belong to the caller; inputs stay the caller's. @throws EngineError `not-traceable`, `frozen-number` */
  run(entry: string, inputs: readonly Tensor[], statics?: readonly Static[]): Tensor[];
  /** Frees what was compiled; the state keeps its values. */
  dispose(): void;
}

export type Compile = (options: ProgramOptions) => Program;

/** The same contract, operation by operation: any backend, and `--compile off`. */
export const eagerly: Compile = ({ entries }) => ({
  run: (entry, inputs, statics = []) =>
    tidy(() => entryNamed(entry, entries)(inputs, statics).map((output) => output.clone())),
  dispose() {},
});
