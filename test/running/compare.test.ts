import { describe, expect, it } from "vitest";
import { relativeReturn } from "../../src/running/compare.ts";
import fc from "../properties.ts";

const figure = fc.double({ min: -1e3, max: 1e3, noNaN: true });

describe("the student in units of its teacher", () => {
  it("is the ratio of their returns where the teacher's is positive", () => {
    expect(relativeReturn(120, 130)).toBe(120 / 130);
    expect(relativeReturn(-13, 130)).toBe(-0.1);
  });

  it("is 1 for a student as good as its teacher, and grows with its return, whatever the sign", () => {
    const teacher = figure.filter((value) => Math.abs(value) > 1e-3);
    fc.assert(
      fc.property(teacher, figure, fc.double({ min: 1e-3, max: 10, noNaN: true }), (t, s, gain) => {
        expect(relativeReturn(t, t)).toBe(1);
        expect(relativeReturn(s + gain, t)).toBeGreaterThan(relativeReturn(s, t));
      }),
    );
  });

  it("is no figure where there is nothing to compare with", () => {
    for (const [student, teacher] of [
      [1, 0],
      [Number.NaN, 1],
      [1, Number.NaN],
    ] as const) {
      expect(Number.isFinite(relativeReturn(student, teacher))).toBe(false);
    }
  });
});
