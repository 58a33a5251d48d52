import { describe, expect, it } from "vitest";
import { scheduleFactor, scheduleNames } from "../../src/learning/schedule.ts";

describe("learning-rate schedules", () => {
  it.each(scheduleNames)("%s starts at 1, never rises and stays within its ends", (name) => {
    const values = Array.from({ length: 101 }, (_, i) => scheduleFactor(name, i / 100, 0.02));
    expect(values[0]).toBe(1);
    for (const [i, value] of values.entries()) {
      expect(value).toBeLessThanOrEqual(values[i - 1] ?? 1);
      expect(value).toBeGreaterThanOrEqual(0.02 - 1e-12);
    }
  });

  it("end where they should, and stay there when a run is longer than planned", () => {
    expect(scheduleFactor("constant", 1, 0.02)).toBe(1);
    for (const name of ["cosine", "exponential"] as const) {
      expect(scheduleFactor(name, 1, 0.02)).toBeCloseTo(0.02, 12);
      expect(scheduleFactor(name, 7, 0.02)).toBeCloseTo(0.02, 12);
    }
  });

  it("are half way down a cosine, or at the geometric mean, in the middle", () => {
    expect(scheduleFactor("cosine", 0.5, 0.02)).toBeCloseTo(0.51, 12);
    expect(scheduleFactor("exponential", 0.5, 0.04)).toBeCloseTo(0.2, 12);
  });
});
