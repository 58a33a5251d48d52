import type { Random } from "../../../policies/random.ts";

/** A rollout as the learner sees it: rows step after step, observations gathered for the student. */
export interface Lesson {
  readonly steps: number;
  readonly numEnvs: number;
  /** `[steps * numEnvs, observationWidth]`, raw. */
  readonly inputs: Float32Array;
  /** `[steps * numEnvs, actionWidth]`. */
  readonly targets: Float32Array;
  /** `[steps * numEnvs]`, 0 where the episode ended at that step, else 1. */
  readonly alive: Float32Array;
  /** The student's memory before the first step. */
  readonly memory: readonly Float32Array[];
}

/**
 * What DAgger aggregates (Ross, Gordon and Bagnell, 2011): the latest rollouts, as many as fit into a
 * bound of transitions; older ones are forgotten.
 */
export class Aggregate {
  readonly #most: number;
  #lessons: Lesson[] = [];
  #rows = 0;

  /** @param most transitions kept; the newest rollout is kept however large it is */
  constructor(most: number) {
    this.#most = most;
  }

  /** Transitions in it. */
  get size(): number {
    return this.#rows;
  }

  add(lesson: Lesson): void {
    this.#lessons.push(lesson);
    this.#rows += rowsOf(lesson);
    while (this.#rows > this.#most && this.#lessons.length > 1) {
      this.#rows -= rowsOf(this.#lessons.shift()!);
    }
  }

  /** A whole rollout, for a student that needs its steps in order. */
  drawLesson(random: Random): Lesson {
    return this.#lessons[Math.floor(random.uniform() * this.#lessons.length)]!;
  }

  /** Single transitions, each as likely as any other, as a lesson of `steps × numEnvs` rows without order. */
  drawRows(steps: number, numEnvs: number, random: Random): Lesson {
    const count = steps * numEnvs;
    const [sample] = this.#lessons as [Lesson, ...Lesson[]];
    const widths = [sample.inputs, sample.targets].map((all) => all.length / rowsOf(sample));
    const [inputWidth, targetWidth] = widths as [number, number];
    const inputs = new Float32Array(count * inputWidth);
    const targets = new Float32Array(count * targetWidth);
    for (let row = 0; row < count; row += 1) {
      const { lesson, at } = this.#find(Math.floor(random.uniform() * this.#rows));
      copyRow(lesson.inputs, at, { into: inputs, row, width: inputWidth });
      copyRow(lesson.targets, at, { into: targets, row, width: targetWidth });
    }
    return { steps, numEnvs, inputs, targets, alive: new Float32Array(count).fill(1), memory: [] };
  }

  #find(row: number): { lesson: Lesson; at: number } {
    let at = row;
    for (const lesson of this.#lessons) {
      if (at < rowsOf(lesson)) return { lesson, at };
      at -= rowsOf(lesson);
    }
    throw new RangeError(`row ${row} of ${this.#rows}`);
  }
}

function rowsOf({ steps, numEnvs }: Lesson): number {
  return steps * numEnvs;
}

function copyRow(
  from: Float32Array,
  at: number,
  { into, row, width }: { into: Float32Array; row: number; width: number },
): void {
  for (let i = 0; i < width; i += 1) into[row * width + i] = from[at * width + i]!;
}
