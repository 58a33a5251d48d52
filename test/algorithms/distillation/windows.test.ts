import { describe, expect, it } from "vitest";
import {
  leftoverWindow,
  planWindows,
  windowSteps,
} from "../../../src/algorithms/distillation/windows.ts";
import fc from "../../properties.ts";

const plan = (steps: number, epochs: number, gradientLength: number, dropLeftover = false) =>
  planWindows({ steps, epochs, gradientLength, dropLeftover });

describe("windows", () => {
  it("run on across the border of two epochs", () => {
    expect(plan(20, 3, 15)[1]).toEqual([
      { from: 15, to: 20 },
      { from: 0, to: 10 },
    ]);
  });

  it("use the steps that are left over, or drop them as the reference does", () => {
    expect(plan(24, 1, 15).map(windowSteps)).toEqual([15, 9]);
    expect(plan(24, 1, 15, true).map(windowSteps)).toEqual([15]);
    expect(plan(10, 1, 15, true)).toEqual([]);
  });

  it("leave over what no full window holds, also across epochs", () => {
    const left = (steps: number, epochs: number, gradientLength: number) =>
      leftoverWindow({ steps, epochs, gradientLength });
    expect(left(24, 1, 15)).toEqual([{ from: 15, to: 24 }]);
    expect(left(5, 3, 8)).toEqual([
      { from: 3, to: 5 },
      { from: 0, to: 5 },
    ]);
    expect(left(24, 1, 8)).toBeUndefined();
    expect(left(10, 1, 15)).toEqual([{ from: 0, to: 10 }]);
  });

  it("visit every step of every epoch once, in time order", () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
    );
    fc.assert(
      fc.property(sizes, ([steps, epochs, length]) => {
        const visited = plan(steps, epochs, length)
          .flat()
          .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
        expect(visited).toEqual(Array.from({ length: steps * epochs }, (_, i) => i % steps));
      }),
    );
  });
});
