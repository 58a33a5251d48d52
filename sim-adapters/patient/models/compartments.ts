import { type Body, impossibleBody } from "./body.ts";

/**
 * How a drug spreads: three compartments in a star around the plasma, and sites that follow the
 * plasma without taking anything from it.
 */
export interface Kinetics {
  /** L: plasma, fast, slow. */
  readonly volumes: readonly [number, number, number];
  /** L/min: out of the body, plasma to fast, plasma to slow. */
  readonly clearances: readonly [number, number, number];
  /** 1/min: how fast each site follows the plasma; the first is the one that BIS reads. */
  readonly sites: readonly number[];
}

/** Rates of exchange, 1/s. */
export interface Exchange {
  readonly k10: number;
  readonly k12: number;
  readonly k13: number;
  readonly k21: number;
  readonly k31: number;
}

const secondsPerMinute = 60;

export function exchangeOf({ volumes: [v1, v2, v3], clearances }: Kinetics): Exchange {
  const [k10, k12, k13] = clearances.map((cl) => cl / v1 / secondsPerMinute) as Triple;
  const [, cl2, cl3] = clearances;
  return { k10, k12, k13, k21: cl2 / v2 / secondsPerMinute, k31: cl3 / v3 / secondsPerMinute };
}

type Triple = [number, number, number];

/** Concentration that an infusion of 1 per second comes to in the end: in mg/L per mg/s, or µg/L per µg/s. */
export function steadyGain({ clearances: [elimination] }: Kinetics): number {
  return secondsPerMinute / elimination;
}

/** @throws PatientError `bad-patient` where a volume, a clearance or a rate is not above zero */
export function checkedKinetics(drug: string, kinetics: Kinetics, body: Body): Kinetics {
  for (const [what, values] of Object.entries(kinetics) as [string, readonly number[]][]) {
    const wrong = values.findIndex((value) => !(value > 0 && value < Infinity));
    if (wrong < 0) continue;
    throw impossibleBody(body, `${drug} has the ${what} [${values.map((v) => +v.toFixed(4))}]`);
  }
  return kinetics;
}
