import { describe, expect, it } from "vitest";
import { evaluationSplit, type Rows, rowCount, splitEnvs } from "../../src/running/env-split.ts";

const both = ["student", "teacher"];
const split = (numEnvs: number, share: number) => splitEnvs(numEnvs, share, both);

describe("the split of the environments", () => {
  it("keep a tenth of a hundred for evaluation, half for each pilot", () => {
    expect(split(100, 0.1)).toEqual({
      numEnvs: 100,
      training: { from: 0, to: 90 },
      evaluation: { student: { from: 90, to: 95 }, teacher: { from: 95, to: 100 } },
    });
  });

  it("give each pilot at least one row, and every row to somebody", () => {
    for (let n = 3; n < 60; n += 1) {
      const { training, evaluation } = split(n, 0.1);
      const { student, teacher } = evaluation as Record<string, Rows>;
      expect(rowCount(student!)).toBeGreaterThanOrEqual(1);
      expect(rowCount(teacher!)).toBe(rowCount(student!));
      expect([training.to, student!.to, teacher!.to]).toEqual([student!.from, teacher!.from, n]);
    }
  });

  it("measure nothing at a share of 0, and refuse a share that leaves no row to learn from", () => {
    expect(rowCount(split(1, 0).training)).toBe(1);
    expect(() => split(2, 0.1)).toThrow(/none is left to learn from/);
    expect(() => split(10, 1)).toThrow(/none is left/);
  });

  it("gives a lone policy its whole share", () => {
    expect(splitEnvs(10, 0.2, ["student"]).evaluation).toEqual({ student: { from: 8, to: 10 } });
  });

  it("without learning leaves no row over, and needs a row for each", () => {
    expect(evaluationSplit(5, both).evaluation).toEqual({
      student: { from: 0, to: 2 },
      teacher: { from: 2, to: 5 },
    });
    expect(evaluationSplit(3, ["student"]).evaluation).toEqual({ student: { from: 0, to: 3 } });
    expect(() => evaluationSplit(1, both)).toThrow(/student and teacher side by side/);
  });
});
