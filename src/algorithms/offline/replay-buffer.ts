import type { Random, RandomState } from "../../../policies/random.ts";
import type { Arrays, Experience } from "../../learning/experience.ts";

type Data = Float32Array | Uint8Array;

type SavedBytes = Readonly<Record<string, Uint8Array>>;

/** What is kept beside the arrays. */
export interface BufferFacts {
  readonly rows: number;
  /** Where the next step goes. */
  readonly at: number;
  readonly random: RandomState;
  /** Names of the arrays that are bytes, as pictures are; all others are float32. */
  readonly bytes: readonly string[];
}

const NEXT_ACTIONS = "notes/next_actions";

/** The latest steps that were flown, each one row, by the names of an experience. */
export class ReplayBuffer {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #arrays: Record<string, Data> = {};
  #rows = 0;
  #at = 0;

  /** @param capacity steps; what is older is overwritten */
  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * Takes in steps in the order of time. Where next actions are wanted, a step whose successor's action
   * isn't known is left out: the last one, and those at which the clock ended an episode.
   *
   * @param names arrays to keep; `notes/next_actions` is made here
   */
  add({ steps, numEnvs, arrays }: Experience, names: readonly string[]): void {
    const follows = names.includes(NEXT_ACTIONS);
    for (let i = 0; i < steps * numEnvs; i += 1) {
      const dead = arrays.terminated![i] === 1;
      const known = dead || (i + numEnvs < steps * numEnvs && arrays.truncated![i] === 0);
      if (follows && !known) continue;
      for (const name of names) {
        const next = name === NEXT_ACTIONS;
        const source = arrays[next ? "actions" : name]! as Data;
        const width = source.length / (steps * numEnvs);
        const row = next && !dead ? i + numEnvs : i;
        const into = this.#arrayOf(name, source, width);
        into.set(source.subarray(row * width, (row + 1) * width), this.#at * width);
      }
      this.#at = (this.#at + 1) % this.#capacity;
      this.#rows = Math.min(this.#rows + 1, this.#capacity);
    }
  }

  /** Overwrites the last `count` rows of each batch with steps drawn uniformly. */
  mixInto({ steps, numEnvs, arrays }: Experience, count: number): void {
    if (this.#rows === 0) return;
    for (let batch = 0; batch < steps; batch += 1) {
      for (let row = numEnvs - count; row < numEnvs; row += 1) {
        this.#copy(Math.floor(this.#random.uniform() * this.#rows), arrays, batch * numEnvs + row);
      }
    }
  }

  save(): { readonly facts: BufferFacts; readonly bytes: SavedBytes } {
    const bytes = Object.entries(this.#arrays).map(([name, data]) => {
      const kept = data.slice(0, this.#rows * (data.length / this.#capacity));
      return [name, new Uint8Array(kept.buffer)] as const;
    });
    const whole = Object.keys(this.#arrays).filter((n) => this.#arrays[n] instanceof Uint8Array);
    const place = { rows: this.#rows, at: this.#at, random: this.#random.save() };
    return { facts: { ...place, bytes: whole }, bytes: Object.fromEntries(bytes) };
  }

  /** Begins empty where the bytes were left out; of more than it holds now it takes the latest. */
  load({ rows, at, random, bytes: whole }: BufferFacts, bytes: SavedBytes): void {
    this.#random.load(random);
    if (rows === 0 || Object.keys(bytes).length === 0) return;
    const same = rows === this.#capacity;
    // As long as it was, it stays as it lay: so the same draws are the same rows.
    const oldest = same ? 0 : at % rows;
    const kept = Math.min(rows, this.#capacity);
    // In the order of time: in a ring of another length they would go on in the middle.
    const newest = Math.min(oldest, kept);
    const older = kept - newest;
    for (const [name, saved] of Object.entries(bytes)) {
      const { buffer } = saved.slice();
      const data = whole.includes(name) ? new Uint8Array(buffer) : new Float32Array(buffer);
      const width = data.length / rows;
      const into = this.#arrayOf(name, data, width);
      into.set(data.subarray((rows - older) * width));
      into.set(data.subarray((oldest - newest) * width, oldest * width), older * width);
    }
    this.#rows = kept;
    this.#at = same ? at : kept % this.#capacity;
  }

  #copy(from: number, arrays: Arrays, to: number): void {
    for (const [name, data] of Object.entries(this.#arrays)) {
      const width = data.length / this.#capacity;
      arrays[name]!.set(data.subarray(from * width, (from + 1) * width), to * width);
    }
  }

  #arrayOf(name: string, like: Data, width: number): Data {
    const size = this.#capacity * width;
    this.#arrays[name] ??=
      like instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
    return this.#arrays[name];
  }
}
