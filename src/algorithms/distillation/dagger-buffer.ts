import type { Random } from "../../../policies/random.ts";
import type { Batch } from "./batch.ts";

/**
 * What DAgger aggregates (Ross, Gordon and Bagnell, 2011): the latest rollouts, as many as fit into a
 * bound of transitions; older ones are forgotten.
 */
export class DaggerBuffer {
  readonly #most: number;
  #batches: Batch[] = [];
  #rows = 0;

  /** @param most transitions kept; the newest rollout is kept however large it is */
  constructor(most: number) {
    this.#most = most;
  }

  /** Transitions in it. */
  get size(): number {
    return this.#rows;
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#rows += rowsOf(batch);
    while (this.#rows > this.#most && this.#batches.length > 1) {
      this.#rows -= rowsOf(this.#batches.shift()!);
    }
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

  #find(row: number): { batch: Batch; at: number } {
    let at = row;
    for (const batch of this.#batches) {
      if (at < rowsOf(batch)) return { batch, at };
      at -= rowsOf(batch);
    }
    throw new RangeError(`row ${row} of ${this.#rows}`);
  }
}

function rowsOf({ steps, numEnvs }: Batch): number {
  return steps * numEnvs;
}

function copyRow(
  from: Float32Array,
  at: number,
  { into, row, width }: { into: Float32Array; row: number; width: number },
): void {
  for (let i = 0; i < width; i += 1) into[row * width + i] = from[at * width + i]!;
}
