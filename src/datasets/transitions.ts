import type { Arrays, Experience } from "../learning/experience.ts";
import type { Needs } from "../learning/learner.ts";
import type { ArraySpec } from "./flights-spec.ts";
import { DEFAULT_MEMORY } from "./open-flights.ts";
import type { RecordedFlights } from "./recorded-flights.ts";
import { Sampling, type SamplingState } from "./sampling.ts";
import type { Wanted } from "./window.ts";

/** Not recorded but the action of the following row, for learners that ask for it as a note. */
export const NEXT_ACTIONS = "next_actions";

export interface TransitionOptions {
  /** Rows of a batch. */
  readonly batch: number;
  readonly seed: number;
  /** Episodes to draw from, by number, e.g. of `bestEpisodes`; all. */
  readonly episodes?: readonly number[] | Int32Array;
  /** Bytes; 1 GiB. Three quarters of it hold steps, the rest serves reading. */
  readonly memoryBytes?: number;
}

/**
 * Batches of single steps of recorded flights, drawn at random, as a learner needs them.
 *
 *     const transitions = new Transitions(flights, learner.needs, { batch: 256, seed: 1 });
 *     const experience = transitions.draw(10);   // 10 batches of 256
 *
 * An experience has `actions` and `rewards` as Float32Array, `terminated`, `truncated`, and `obs/GROUP`,
 * `next/GROUP`, `notes/NAME` as recorded (Uint8Array for bytes, as of pictures, and booleans, else Float32Array).
 * `rewards` is missing where none were recorded, which only learners without successors accept.
 */
export class Transitions {
  readonly #sampling: Sampling;
  readonly #needs: Needs;
  readonly #flights: RecordedFlights;
  readonly #batch: number;

  /** Reads what fits into memory. @throws DatasetError */
  constructor(flights: RecordedFlights, needs: Needs, options: TransitionOptions) {
    const { batch, seed, episodes, memoryBytes = DEFAULT_MEMORY } = options;
    this.#flights = flights;
    this.#needs = needs;
    this.#batch = batch;
    const bytes = Math.floor(memoryBytes * 0.75);
    const sampling = { seed, bytes, ...(episodes && { episodes }) };
    this.#sampling = new Sampling(flights, wantedOf(flights, needs), sampling);
  }

  /** Steps that can be drawn, and what a person should know about the others. */
  get facts() {
    const { drawable, leftOut, repeated, fits, bytes } = this.#sampling;
    return { drawable, leftOut, repeated, fits, bytes };
  }

  /** @param batches how many, each of `batch` rows. Arrays belong to the receiver. @throws DatasetError */
  draw(batches: number): Experience {
    const count = batches * this.#batch;
    const rows = new Int32Array(count);
    const arrays = this.#makeArrays(count);
    let from = 0;
    for (let i = 0; i < count; i += 1) {
      // A window's rows are gone once the next one is read.
      if (this.#sampling.isSpent && i > from) {
        this.#gather(arrays, rows, { from, to: i });
        from = i;
      }
      rows[i] = this.#sampling.next();
    }
    this.#gather(arrays, rows, { from, to: count });
    return { steps: batches, numEnvs: this.#batch, arrays };
  }

  /** Plain JSON; small. */
  save(): SamplingState {
    return this.#sampling.save();
  }

  /** Goes on where another object with the same flights, needs, seed and memory was. @throws DatasetError */
  load(state: SamplingState): void {
    this.#sampling.load(state);
  }

  #makeArrays(count: number): Record<string, Float32Array | Uint8Array> {
    const { spec } = this.#flights;
    const arrays: Record<string, Float32Array | Uint8Array> = {};
    const rowsOf = ({ width, kept }: ArraySpec) =>
      kept === "uint8" ? new Uint8Array(count * width) : new Float32Array(count * width);
    for (const group of this.#needs.groups) {
      arrays[`obs/${group}`] = rowsOf(spec.groups[group]!);
    }
    for (const group of this.#needs.successors) {
      arrays[`next/${group}`] = rowsOf(spec.groups[group]!);
    }
    arrays.actions = new Float32Array(count * spec.action.width);
    if (spec.hasRewards) arrays.rewards = new Float32Array(count);
    arrays.terminated = new Uint8Array(count);
    arrays.truncated = new Uint8Array(count);
    for (const note of this.#needs.notes) {
      const { width: size } = spec.action;
      arrays[`notes/${note}`] =
        note === NEXT_ACTIONS ? new Float32Array(count * size) : rowsOf(spec.notes[note]!);
    }
    return arrays;
  }

  #gather(
    arrays: Arrays,
    rows: Int32Array,
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    for (const [name, into] of Object.entries(arrays)) {
      const { column, shift } = this.#sourceOf(name);
      const span = { from, to, shift, width: column.width };
      if (into instanceof Float32Array && column.data instanceof Float32Array) {
        copyFloats(into, column.data, { rows, ...span });
      } else if (into instanceof Uint8Array && column.data instanceof Uint8Array) {
        copyPictures(into, column.data, { rows, ...span });
      } else copyBytes(into, column.data, { rows, ...span });
    }
  }

  #sourceOf(name: string) {
    const { window } = this.#sampling;
    if (name.startsWith("next/")) return window.successor(name.slice("next/".length));
    if (name === `notes/${NEXT_ACTIONS}`) return { column: window.column("actions"), shift: 1 };
    return { column: window.column(name), shift: 0 };
  }
}

function wantedOf(flights: RecordedFlights, needs: Needs): Wanted {
  const { groups, successors, notes } = needs;
  return {
    groups,
    successors,
    notes: notes.filter((name) => name !== NEXT_ACTIONS),
    rewards: flights.spec.hasRewards || successors.length > 0,
    nextActions: notes.includes(NEXT_ACTIONS),
  };
}

interface Picked {
  readonly rows: Int32Array;
  readonly from: number;
  readonly to: number;
  readonly shift: number;
  readonly width: number;
}

/** The same loop as `copyBytes`: one that sees a single kind of array is compiled to a third of the time. */
function copyFloats(into: Float32Array, data: Float32Array, picked: Picked): void {
  const { rows, from, to, shift, width } = picked;
  let at = from * width;
  for (let i = from; i < to; i += 1) {
    const start = (rows[i]! + shift) * width;
    for (let k = start; k < start + width; k += 1, at += 1) into[at] = data[k]!;
  }
}

/** Rows of bytes are long where they are pictures. */
function copyPictures(into: Uint8Array, data: Uint8Array, picked: Picked): void {
  const { rows, from, to, shift, width } = picked;
  for (let i = from; i < to; i += 1) {
    const start = (rows[i]! + shift) * width;
    into.set(data.subarray(start, start + width), i * width);
  }
}

function copyBytes(into: Arrays[string], data: Float32Array | Uint8Array, picked: Picked): void {
  const { rows, from, to, shift, width } = picked;
  let at = from * width;
  for (let i = from; i < to; i += 1) {
    const start = (rows[i]! + shift) * width;
    for (let k = start; k < start + width; k += 1, at += 1) into[at] = data[k]!;
  }
}
