import { describe, expect, it } from "vitest";
import { leanBodyMass } from "../../sim-adapters/patient/models/body.ts";
import { bisAt, typicalHill, writeHill } from "../../sim-adapters/patient/models/bouillon.ts";
import { steadyGain } from "../../sim-adapters/patient/models/compartments.ts";
import { Disturbance, step, surgery } from "../../sim-adapters/patient/models/disturbance.ts";
import { matrixExponential } from "../../sim-adapters/patient/models/matrix-exponential.ts";
import { OnePatient } from "../../sim-adapters/patient/models/one-patient.ts";
import { referencePatients } from "../../sim-adapters/patient/models/reference-patients.ts";
import fc from "../properties.ts";

const man = { age: 40, height: 170, weight: 70, male: true };

/** 140 mg of propofol in a minute, then 6 mg/kg/h; remifentanil 0.2 µg/kg/min from the start. */
function infused(seconds: number, period = 1): OnePatient {
  const patient = new OnePatient(man, { period });
  for (let t = 0; t < seconds; t += period) {
    patient.advance(t < 60 ? 140 / 60 : (6 * 70) / 3600, (0.2 * 70) / 60);
  }
  return patient;
}

describe("a man of 40 years, 170 cm, 70 kg", () => {
  it.each([
    [60, 21.2119, 4.7704, 1.8075, 0.5027, 45.6, 89.774],
    [120, 9.5634, 8.1563, 2.6111, 1.307, 27.912, 79.761],
    [300, 2.9895, 5.2431, 3.5326, 2.9443, 39.018, 60.367],
    [600, 2.6805, 2.955, 4.2421, 4.0133, 53.572, 56.629],
    [1800, 2.8358, 2.8216, 5.1376, 5.1096, 52.517, 51.472],
  ])("is after %d s where the published models put him", (seconds, cp, cep, cr, cer, bis, map) => {
    const { propofol, remifentanil, bis: shown, pressure } = infused(seconds);
    const got = [propofol[0]!, propofol[3]!, remifentanil[0]!, remifentanil[3]!];
    for (const [i, value] of [cp, cep, cr, cer].entries()) expect(got[i]).toBeCloseTo(value, 4);
    expect(shown).toBeCloseTo(bis, 3);
    expect(pressure).toBeCloseTo(map, 3);
  });

  it("has the lean mass and the steady gains that they say", () => {
    expect(leanBodyMass(man)).toBeCloseTo(55.29757785, 8);
    const { kinetics } = new OnePatient(man, { period: 1 });
    expect(steadyGain(kinetics.propofol)).toBeCloseTo(36.627, 4);
    expect(steadyGain(kinetics.remifentanil)).toBeCloseTo(23.0266, 4);
  });

  it.each([
    [0, 0, 97.4],
    [2, 0, 73.9775],
    [4.47, 0, 48.7],
    [3, 4, 53.2019],
  ])("shows a BIS of its own at %d µg/mL and %d ng/mL", (propofol, remifentanil, bis) => {
    const hill = new Float64Array(6);
    writeHill(typicalHill, hill);
    expect(bisAt(hill, 0, propofol, remifentanil)).toBeCloseTo(bis, 4);
  });
});

describe("an infusion that is held", () => {
  it("is exact: the length of the steps makes no difference", () => {
    for (const period of [5, 10, 60]) {
      const [fine, coarse] = [infused(1800), infused(1800, period)];
      for (const drug of ["propofol", "remifentanil"] as const) {
        for (const [i, value] of fine[drug].entries()) {
          expect(Math.abs(coarse[drug][i]! / value - 1)).toBeLessThan(1e-11);
        }
      }
    }
  });

  it("comes to rest where the steady gain says", () => {
    const [flown, settled] = [1, 2].map(() => new OnePatient(man, { period: 1e7 }));
    flown!.advance(0.1, 0.2);
    settled!.settle(0.1, 0.2);
    for (const [i, value] of settled!.propofol.entries()) {
      expect(flown!.propofol[i]).toBeCloseTo(value, 9);
    }
    expect(flown!.bis).toBeCloseTo(settled!.bis, 9);
  });

  it("follows the differential equations: Runge and Kutta come to the same", () => {
    const patient = new OnePatient(man, { period: 30 });
    patient.advance(2, 1);
    const { volumes, clearances, sites } = patient.kinetics.propofol;
    const rates = [...clearances, ...sites].map((perMinute) => perMinute / 60);
    const slope = ([c1, c2, c3, ce]: number[]) => [
      (2 - rates[0]! * c1! - rates[1]! * (c1! - c2!) - rates[2]! * (c1! - c3!)) / volumes[0],
      (rates[1]! * (c1! - c2!)) / volumes[1],
      (rates[2]! * (c1! - c3!)) / volumes[2],
      rates[3]! * (c1! - ce!),
    ];
    let c = [0, 0, 0, 0];
    const h = 0.05;
    const moved = (by: number[], step: number) => c.map((value, i) => value + step * by[i]!);
    for (let k = 0; k < 600; k++) {
      const a = slope(c);
      const b = slope(moved(a, h / 2));
      const d = slope(moved(b, h / 2));
      const e = slope(moved(d, h));
      c = c.map((value, i) => value + (h / 6) * (a[i]! + 2 * b[i]! + 2 * d[i]! + e[i]!));
    }
    for (const [i, value] of c.entries()) expect(patient.propofol[i]).toBeCloseTo(value, 9);
  });
});

describe("the exponential of a matrix", () => {
  it("turns by an angle, and undoes itself", () => {
    const angle = 40;
    const turned = matrixExponential(Float64Array.of(0, -angle, angle, 0), 2);
    expect(turned[0]).toBeCloseTo(Math.cos(angle), 12);
    expect(turned[2]).toBeCloseTo(Math.sin(angle), 12);
    const entry = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 9, maxLength: 9 }), (entries) => {
        const there = matrixExponential(Float64Array.from(entries), 3);
        const back = matrixExponential(
          Float64Array.from(entries, (value) => -value),
          3,
        );
        const size = Math.max(...there.map(Math.abs)) * Math.max(...back.map(Math.abs));
        for (let i = 0; i < 9; i++) {
          const [row, column] = [Math.floor(i / 3), i % 3];
          let sum = 0;
          for (let k = 0; k < 3; k++) sum += there[3 * row + k]! * back[3 * k + column]!;
          expect(Math.abs(sum - (row === column ? 1 : 0))).toBeLessThan(1e-13 * size);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a disturbance", () => {
  it("runs in lines from point to point, and stays where it ends", () => {
    const operation = new Disturbance(surgery);
    expect(operation.at(0)).toEqual([0, 0]);
    expect(operation.at(597)).toEqual([expect.closeTo(10, 9), expect.closeTo(5, 9)]);
    expect(operation.at(26 * 60)).toEqual([-20, -10]);
    expect(operation.at(40 * 60)).toEqual([10, 5]);
    expect(operation.at(1e6)).toEqual([0, 0]);
    expect(new Disturbance([]).at(5)).toEqual([0, 0]);
  });

  it("that is a step begins and ends at once", () => {
    const lasting = new Disturbance(step(600, 1200, { bis: 10, pressure: 5 }));
    expect([599, 600, 1199, 1200].map((t) => lasting.at(t)[0])).toEqual([0, 10, 10, 0]);
  });

  it("is refused where its points go back in time", () => {
    expect(
      () =>
        new Disturbance([
          [5, 0, 0],
          [4, 1, 1],
        ]),
    ).toThrow(/point 1 .* order of time/);
  });
});

it("thirteen reference patients can be made, and lose consciousness by an infusion", () => {
  expect(referencePatients).toHaveLength(13);
  for (const { body, hill } of referencePatients) {
    const patient = new OnePatient(body, { hill, period: 60 });
    expect(patient.bis).toBe(hill.e0);
    for (let minute = 0; minute < 30; minute++) patient.advance(0.25, 0.25);
    expect(patient.bis).toBeLessThan(50);
  }
});

it("everybody can be made whom the settings allow", () => {
  const corners = [18, 90].flatMap((age) =>
    [140, 175, 210].flatMap((height) =>
      [15, 30, 45].flatMap((index) =>
        [true, false].map((male) => ({ age, height, weight: index * (height / 100) ** 2, male })),
      ),
    ),
  );
  for (const body of corners) {
    const patient = new OnePatient(body, { period: 10 });
    for (let step = 0; step < 30; step++) patient.advance(0.3, 0.3);
    expect(patient.bis > 0 && patient.bis < 97).toBe(true);
  }
});

it("nobody is made whom the models don't hold for", () => {
  const make = () => new OnePatient({ ...man, age: 110 }, { period: 1 });
  expect(make).toThrow(/propofol has the volumes \[4.27,-3.387,238\] for a man of 110 years/);
});
