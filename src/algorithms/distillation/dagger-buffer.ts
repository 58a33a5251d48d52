import type { NamedArray, NamedArrays } from "../../../policies/named-array.ts";
import type { Random } from "../../../policies/random.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { arraysUnder } from "../../learning/parameters.ts";
import type { Batch } from "./batch.ts";

/** Bytes of it that a checkpoint holds; a larger buffer is collected anew by a run that goes on. */
export const mostSavedBytes = 256 << 20;

/** What is kept at most; what is absent bounds nothing. */
export interface BufferBounds {
  readonly transitions?: number;
  readonly rollouts?: number;
  readonly bytes?: number;
}

/**
 * What DAgger aggregates (Ross, Gordon and Bagnell, 2011): the latest rollouts, as many as fit into the
 * bounds; older ones are forgotten. The newest is kept however large it is.
 */
export class DaggerBuffer {
  readonly #most: Required<BufferBounds>;
  #batches: Batch[] = [];
  #rows = 0;

  constructor(most: BufferBounds) {
    const none = Number.POSITIVE_INFINITY;
    this.#most = { transitions: none, rollouts: none, bytes: none, ...most };
  }

  /** Transitions in it. */
  get size(): number {
    return this.#rows;
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#rows += rowsOf(batch);
    while (this.#isOver() && this.#batches.length > 1) {
      this.#rows -= rowsOf(this.#batches.shift()!);
    }
  }

  #isOver(): boolean {
    const { transitions, rollouts, bytes } = this.#most;
    if (this.#rows > transitions || this.#batches.length > rollouts) return true;
    return this.#batches.reduce((sum, batch) => sum + bytesOf(batch), 0) > bytes;
  }

  /** A whole rollout, for a student that needs its steps in order. */
  drawBatch(random: Random): Batch {
    return this.#batches[Math.floor(random.uniform() * this.#batches.length)]!;
  }

  /** Single transitions, each as likely as any other, as a batch of `steps × numEnvs` rows without order. */
  drawRows(steps: number, numEnvs: number, random: Random): Batch {
    const count = steps * numEnvs;
    const [sample] = this.#batches as [Batch, ...Batch[]];
    const widths = [sample.inputs, sample.targets].map((all) => all.length / rowsOf(sample));
    const [inputWidth, targetWidth] = widths as [number, number];
    const inputs = new Float32Array(count * inputWidth);
    const targets = new Float32Array(count * targetWidth);
    for (let row = 0; row < count; row += 1) {
      const { batch, at } = this.#find(Math.floor(random.uniform() * this.#rows));
      copyRow(batch.inputs, at, { into: inputs, row, width: inputWidth });
      copyRow(batch.targets, at, { into: targets, row, width: targetWidth });
    }
    return { steps, numEnvs, inputs, targets, alive: new Float32Array(count).fill(1), memory: [] };
  }

  /** `buffers/past/NUMBER/NAME`, oldest first, `[steps, numEnvs, width]`; shared, to be read at once. */
  save(): NamedArrays {
    const arrays: Record<string, NamedArray> = {};
    for (const [number, batch] of this.#batches.entries()) {
      const { steps, numEnvs, inputs, targets, alive } = batch;
      const memory = batch.memory.map((data, i) => [`memory/${i}`, data] as const);
      const rows = Object.entries({ inputs, targets, alive });
      for (const [name, data] of rows) {
        const shape = [steps, numEnvs, data.length / rowsOf(batch)];
        arrays[`${pastPrefix}${number}/${name}`] = { shape, data };
      }
      for (const [name, data] of memory) {
        arrays[`${pastPrefix}${number}/${name}`] = {
          shape: [numEnvs, data.length / numEnvs],
          data,
        };
      }
    }
    return arrays;
  }

  /** The inverse; nothing where nothing was kept. @throws LearningError `bad-buffer` */
  load(arrays: NamedArrays): void {
    this.#batches = [];
    this.#rows = 0;
    for (let number = 0; `${pastPrefix}${number}/inputs` in arrays; number += 1) {
      const batch = batchIn(arraysUnder(`${pastPrefix}${number}/`, arrays));
      if (batch === undefined) {
        throw new LearningError(
          "bad-buffer",
          `The checkpoint's rollout ${number} of the buffer is not whole.`,
          "Resume from another checkpoint of the run.",
        );
      }
      this.add(batch);
    }
  }

  #find(row: number): { batch: Batch; at: number } {
    let at = row;
    for (const batch of this.#batches) {
      if (at < rowsOf(batch)) return { batch, at };
      at -= rowsOf(batch);
    }
    throw new RangeError(`row ${row} of ${this.#rows}`);
  }
}

const pastPrefix = "buffers/past/";

/** Undefined where its arrays contradict each other. */
function batchIn(arrays: NamedArrays): Batch | undefined {
  const { inputs, targets, alive } = arrays;
  const [steps, numEnvs] = inputs?.shape ?? [];
  if (!inputs || !targets || !alive || !steps || !numEnvs) return undefined;
  const alike = [targets, alive].every(({ shape }) => shape[0] === steps && shape[1] === numEnvs);
  const count = Object.keys(arrays).filter((name) => name.startsWith("memory/")).length;
  const memory = Array.from({ length: count }, (_, i) => arrays[`memory/${i}`]);
  if (!alike || memory.some((state) => state?.shape[0] !== numEnvs)) return undefined;
  return {
    steps,
    numEnvs,
    inputs: inputs.data,
    targets: targets.data,
    alive: alive.data,
    memory: memory.map((state) => state!.data),
  };
}

function rowsOf({ steps, numEnvs }: Batch): number {
  return steps * numEnvs;
}

function bytesOf({ inputs, targets, alive, memory }: Batch): number {
  return [inputs, targets, alive, ...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function copyRow(
  from: Float32Array,
  at: number,
  { into, row, width }: { into: Float32Array; row: number; width: number },
): void {
  for (let i = 0; i < width; i += 1) into[row * width + i] = from[at * width + i]!;
}
