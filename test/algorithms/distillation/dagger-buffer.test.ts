import { describe, expect, it } from "vitest";
import { Random } from "../../../policies/random.ts";
import type { Batch } from "../../../src/algorithms/distillation/batch.ts";
import { DaggerBuffer } from "../../../src/algorithms/distillation/dagger-buffer.ts";

/** Two steps of three environments; every number of row r is `id * 10 + r`. */
function batch(id: number): Batch {
  const rows = Array.from({ length: 6 }, (_, row) => id * 10 + row);
  return {
    steps: 2,
    numEnvs: 3,
    inputs: Float32Array.from(rows.flatMap((value) => [value, value])),
    targets: Float32Array.from(rows),
    alive: new Float32Array(6).fill(1),
    memory: [],
  };
}

describe("the buffer of past rollouts", () => {
  it("forgets the oldest beyond its bound, and never the newest", () => {
    const buffer = new DaggerBuffer({ transitions: 13 });
    for (const id of [1, 2, 3]) buffer.add(batch(id));
    expect(buffer.size).toBe(12);
    const drawn = buffer.drawRows(50, 3, new Random(1)).targets;
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(20);
    const tiny = new DaggerBuffer({ transitions: 1 });
    tiny.add(batch(1));
    expect(tiny.size).toBe(6);
  });

  it("is bounded by rollouts, or by bytes, just as well", () => {
    const ofTwo = new DaggerBuffer({ rollouts: 2 });
    // 24 numbers of four bytes each in a rollout.
    const ofBytes = new DaggerBuffer({ bytes: 3 * 96 });
    for (const id of [1, 2, 3, 4]) for (const one of [ofTwo, ofBytes]) one.add(batch(id));
    expect([ofTwo.size, ofBytes.size]).toEqual([12, 18]);
    expect(Math.min(...ofTwo.drawRows(50, 3, new Random(1)).targets)).toBeGreaterThanOrEqual(30);
  });

  it("draws every transition about equally often, its observation and action together", () => {
    const buffer = new DaggerBuffer({ transitions: 100 });
    for (const id of [1, 2, 3, 4]) buffer.add(batch(id));
    const { inputs, targets, alive, steps, numEnvs } = buffer.drawRows(800, 3, new Random(5));
    expect([steps, numEnvs, alive.length]).toEqual([800, 3, 2400]);
    const counts = new Map<number, number>();
    for (const [row, target] of targets.entries()) {
      expect([inputs[2 * row], inputs[2 * row + 1]]).toEqual([target, target]);
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
    expect(Math.max(...counts.values())).toBeLessThan(160);
  });

  it("draws whole rollouts for students that need their steps in order", () => {
    const buffer = new DaggerBuffer({ transitions: 100 });
    for (const id of [1, 2, 3]) buffer.add(batch(id));
    const random = new Random(2);
    const firsts = Array.from({ length: 60 }, () => buffer.drawBatch(random).targets[0]);
    expect(new Set(firsts)).toEqual(new Set([10, 20, 30]));
  });
});
