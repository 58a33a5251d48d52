import { elementsOf } from "../../policies/named-array.ts";
import type { Memory } from "../../policies/policy.ts";
import type { Frame, ObservationArray, StepResult } from "../../protocol/frame.ts";
import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Arrays, Experience } from "../learning/experience.ts";
import type { Needs } from "../learning/learner.ts";
import type { Acted } from "./actor.ts";

export interface RecorderOptions {
  readonly spec: EnvSpec;
  readonly notes: Readonly<Record<string, TensorSpec>>;
  readonly needs: Needs;
  /** Control steps per environment. */
  readonly steps: number;
  /** The first rows of each array are kept: those that may be learned from. */
  readonly rows: number;
  /** Of the learning policy before the first step, all rows. */
  readonly memory: Memory;
}

/** One control step: what was seen, what was done, what came of it. */
interface Step {
  readonly frame: Frame;
  readonly acted: Acted;
  readonly result: StepResult;
}

type Data = Arrays[string];

/** Copies the training rows of each step into arrays of `[steps, rows, …]`. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #arrays: Record<string, Data> = {};

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { spec, notes, needs, steps, rows } = options;
    const room = (shape: readonly number[]) => steps * rows * elementsOf(shape);
    const observed = (group: string) => {
      const { dtype, shape } = spec.observations[group]!;
      return arrayOf(dtype, room(shape));
    };
    for (const group of needs.groups) this.#arrays[`obs/${group}`] = observed(group);
    for (const group of needs.successors) this.#arrays[`next/${group}`] = observed(group);
    this.#arrays.actions = new Float32Array(room(spec.action.shape));
    this.#arrays.rewards = new Float32Array(room([]));
    for (const name of ["terminated", "truncated", "started"]) {
      this.#arrays[name] = new Uint8Array(room([]));
    }
    for (const name of needs.notes) {
      const { dtype, shape } = notes[name]!;
      this.#arrays[`notes/${name}`] = arrayOf(dtype, room(shape));
    }
  }

  /** @param index of the step, from 0 */
  record(index: number, { frame, acted, result }: Step): void {
    const { needs } = this.#options;
    for (const group of needs.groups) {
      this.#keep(`obs/${group}`, frame.observations[group]!, index);
    }
    for (const group of needs.successors) {
      this.#keep(`next/${group}`, result.frame.observations[group]!, index);
      this.#keepFinal(group, result, index);
    }
    this.#keep("actions", acted.actions, index);
    this.#keep("rewards", result.rewards, index);
    this.#keep("terminated", result.terminated, index);
    this.#keep("truncated", result.truncated, index);
    this.#keep("started", frame.started, index);
    for (const name of needs.notes) this.#keep(`notes/${name}`, acted.notes[name]!, index);
  }

  #keep(name: string, all: Data, index: number): void {
    const { spec, rows } = this.#options;
    const each = (all.length / spec.numEnvs) * rows;
    this.#arrays[name]!.set(all.subarray(0, each), index * each);
  }

  /** What the frame shows where an episode ended is the next one's first observation. */
  #keepFinal(group: string, { final }: StepResult, index: number): void {
    if (!final) return;
    const { rows } = this.#options;
    const last = final.observations[group]!;
    const width = last.length / final.rows.length;
    const into = this.#arrays[`next/${group}`]!;
    for (const [k, row] of final.rows.entries()) {
      if (row >= rows) continue;
      into.set(last.subarray(k * width, (k + 1) * width), (index * rows + row) * width);
    }
  }

  /** @param after the frame behind the last step */
  finish(after: Frame): Experience {
    const { spec, needs, steps, rows, memory } = this.#options;
    const first = (all: ObservationArray) => all.slice(0, (all.length / spec.numEnvs) * rows);
    for (const group of needs.groups) {
      this.#arrays[`after/${group}`] = first(after.observations[group]!);
    }
    for (const [i, state] of memory.entries()) this.#arrays[`memory/${i}`] = first(state);
    return { steps, numEnvs: rows, arrays: this.#arrays };
  }
}

function arrayOf(dtype: TensorSpec["dtype"], size: number): Data {
  if (dtype === "|u1") return new Uint8Array(size);
  return dtype === "<i4" ? new Int32Array(size) : new Float32Array(size);
}
