import { describe, expect, it } from "vitest";
import {
  clinicalFigures,
  timeInRange,
  timeToTarget,
  varvelFigures,
} from "../../sim-adapters/patient/clinical-figures.ts";
import { depthReward, pressureReward, reward } from "../../sim-adapters/patient/reward.ts";
import { lognormal } from "../../sim-adapters/patient/variability.ts";
import { controlFigures } from "../../src/learning/parity/anaesthesia/control-figures.ts";

describe("an operation's figures", () => {
  it("say how long, how deep, how far and how restless", () => {
    const bis = [97, 70, 54, 40, 35, 45, 50, 55, 60, 61];
    const figures = clinicalFigures({ bis, period: 60 });
    expect(figures).toMatchObject({ timeInRange: 0.6, timeToTarget: 2, nadir: 35 });
    expect(figures.integratedAbsoluteError).toBeCloseTo(
      47 + 20 + 4 + 10 + 15 + 5 + 0 + 5 + 10 + 11,
    );
    // Errors in percent: 94, 40, 8, −20, −30, −10, 0, 10, 20, 22.
    expect(figures.mdpe).toBeCloseTo((8 + 10) / 2);
    expect(figures.mdape).toBeCloseTo(20);
    // Distances from 9: 85, 31, 1, 29, 39, 19, 9, 1, 11, 13.
    expect(figures.wobble).toBeCloseTo((13 + 19) / 2);
  });

  it("divergence is what the error grows by in an hour, whatever the period", () => {
    for (const period of [5, 60]) {
      const hours = Float64Array.from({ length: 40 }, (_, i) => (i * period) / 3600);
      const worse = hours.map((hour) => 50 * (1 + 0.02 + 0.1 * hour));
      const { divergence, mdape, mdpe } = varvelFigures({ bis: worse, period });
      expect(divergence).toBeCloseTo(10);
      expect(mdpe).toBe(mdape);
      const deeper = varvelFigures({ bis: worse.map((value) => 100 - value), period });
      expect(deeper.divergence).toBeCloseTo(10);
      expect(deeper.mdpe).toBeCloseTo(-mdpe);
    }
  });

  it("a patient who never falls asleep has no time to it; one reading has no slope", () => {
    expect(timeToTarget({ bis: [97, 80, 55], period: 10 })).toBeUndefined();
    expect(clinicalFigures({ bis: [50], period: 10 })).toMatchObject({ divergence: 0, mdape: 0 });
    expect(timeInRange({ bis: [40, 60, 39.9, 60.1], period: 1 })).toBe(0.5);
  });
});

describe("the package's figures of a closed loop", () => {
  const loop = (bis: readonly number[]) => ({ bis: Float64Array.from(bis), ts: 60 });
  const none = { start: 600, end: 1200 };

  it.each([
    [[97, 60, 55, 54, 50], { TT: 3, ST10: 3, ST20: 2, BIS_NADIR: 50, US: 0 }],
    [[97, 60, 40, 40, 46], { TT: 2, ST10: 4, ST20: 4, BIS_NADIR: 40, US: 5 }],
    [[97, 54, 50, 50, 56], { TT: 1, ST10: null, ST20: 1 }],
    [[97, 97, 96, 95, 94], { TT: null, ST10: null, ST20: null }],
    [[97, 60, 45, 45, 45], { TT: 2, ST10: null, ST20: 2, US: 0 }],
  ])("of induction %j are %j", (bis, expected) => {
    expect(controlFigures("induction", loop(bis), none)).toMatchObject(expected);
  });

  it("of a disturbance are cut one reading later in a total loop, and its induction one earlier", () => {
    const bis = new Float64Array(31).fill(50);
    bis[9] = 20;
    bis[10] = 90;
    const seen = { bis, ts: 60 };
    expect(controlFigures("maintenance", seen, none)).toEqual({
      ...{ TTp: 1, BIS_NADIRp: 50, TTn: 0, BIS_NADIRn: 50 },
    });
    expect(controlFigures("total", seen, none)).toMatchObject({
      ...{ TT: 0, BIS_NADIR: 50, ST10: 0, TTp: 1, BIS_NADIRp: 50, TTn: 0 },
    });
    bis[8] = 20;
    expect(controlFigures("total", seen, none)).toMatchObject({ BIS_NADIR: 20, ST10: null });
  });
});

describe("the reward", () => {
  it.each([
    [50, 1],
    [45, 0.61],
    [55, 0.61],
    [40, 0.18],
    [60, 0.18],
    [70, -0.42],
    [39.9, -1],
    [100, -1],
  ])("at BIS %d is %d", (bis, expected) => {
    expect(depthReward(bis)).toBeCloseTo(expected, 2);
  });

  it("falls with the distance from 50 on both sides, and counts pressure a fifth", () => {
    for (let bis = 50; bis < 99; bis++) {
      expect(depthReward(bis + 1)).toBeLessThanOrEqual(depthReward(bis));
    }
    expect([90, 81.1, 73, 71, 107.9, 108.1].map((p) => pressureReward(p, 90))).toEqual([
      ...[1, 1, 0, -1, 0, -1],
    ]);
    expect(reward(50, 90, 90)).toBeCloseTo(1);
    expect(reward(20, 20, 90)).toBe(-1);
  });
});

it("a lognormal spread has the coefficient of variation that it says, about the median", () => {
  let [weight, sum, square] = [0, 0, 0];
  for (let z = -8; z <= 8; z += 0.01) {
    const density = Math.exp((-z * z) / 2);
    const value = lognormal(0.888, z);
    weight += density;
    sum += density * value;
    square += density * value * value;
  }
  const mean = sum / weight;
  expect(Math.sqrt(square / weight - mean * mean) / mean).toBeCloseTo(0.888, 6);
  expect(lognormal(0.888, 0)).toBe(1);
});
