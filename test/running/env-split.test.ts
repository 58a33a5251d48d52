import { describe, expect, it } from "vitest";
import { assignSeats, rowCount } from "../../src/running/env-split.ts";

describe("seats", () => {
  it("keep a tenth of a hundred for evaluation, half for each pilot", () => {
    expect(assignSeats(100, 0.1)).toEqual({
      numEnvs: 100,
      training: { from: 0, to: 90 },
      studentCheck: { from: 90, to: 95 },
      teacherCheck: { from: 95, to: 100 },
    });
  });

  it("give each pilot at least one row, and every row to somebody", () => {
    for (let n = 3; n < 60; n += 1) {
      const { training, studentCheck, teacherCheck } = assignSeats(n, 0.1);
      expect(rowCount(studentCheck)).toBeGreaterThanOrEqual(1);
      expect(rowCount(teacherCheck)).toBe(rowCount(studentCheck));
      expect([training.to, studentCheck.to, teacherCheck.to]).toEqual([
        studentCheck.from,
        teacherCheck.from,
        n,
      ]);
    }
  });

  it("measure nothing at a share of 0, and refuse a share that leaves no row to learn from", () => {
    expect(rowCount(assignSeats(1, 0).training)).toBe(1);
    expect(() => assignSeats(2, 0.1)).toThrow(/none is left to learn from/);
    expect(() => assignSeats(10, 1)).toThrow(/none is left/);
  });
});
