import { exchangeOf, type Kinetics } from "./compartments.ts";
import { matrixExponential } from "./matrix-exponential.ts";

/** Compartments stand first in a row of concentrations, the sites behind them. */
export const compartments = 3;

/** Concentrations of one patient: plasma, fast, slow, and so many sites. */
export const stateWidth = (sites: number): number => compartments + sites;

/** Coefficients of one patient: four per compartment, five per site. */
export const holdWidth = (sites: number): number => 4 * compartments + 5 * sites;

/**
 * What concentrations become over a time in which the infusion is constant, exactly: the exponential
 * of the whole system, of which only what can differ from zero is kept. Written to `out` from `at`
 * on, `holdWidth` numbers: for each compartment the weights of plasma, fast, slow and infusion, for
 * each site the weights of plasma, fast, slow, infusion and of itself.
 *
 * @param seconds how long
 */
export function writeHold(
  kinetics: Kinetics,
  seconds: number,
  { out, at = 0 }: { readonly out: Float64Array; readonly at?: number },
): void {
  const states = stateWidth(kinetics.sites.length);
  const n = states + 1;
  const e = matrixExponential(systemOf(kinetics, seconds), n);
  let to = at;
  for (let row = 0; row < states; row++) {
    for (let column = 0; column < compartments; column++) out[to++] = e[row * n + column]!;
    out[to++] = e[row * n + states]!;
    if (row >= compartments) out[to++] = e[row * n + row]!;
  }
}

/** Derivatives of the concentrations and, as a last column, of what the infusion brings, times the time. */
function systemOf(kinetics: Kinetics, seconds: number): Float64Array {
  const { k10, k12, k13, k21, k31 } = exchangeOf(kinetics);
  const n = stateWidth(kinetics.sites.length) + 1;
  const a = new Float64Array(n * n);
  const set = (row: number, column: number, perSecond: number) => {
    a[row * n + column] = perSecond * seconds;
  };
  const [v1] = kinetics.volumes;
  // Concentrations, not amounts: with equal flows both ways, what enters is k12·C2 and leaves k12·C1.
  set(0, 0, -(k10 + k12 + k13));
  set(0, 1, k12);
  set(0, 2, k13);
  set(0, n - 1, 1 / v1);
  set(1, 0, k21);
  set(1, 1, -k21);
  set(2, 0, k31);
  set(2, 2, -k31);
  for (const [site, perMinute] of kinetics.sites.entries()) {
    const row = compartments + site;
    set(row, 0, perMinute / 60);
    set(row, row, -perMinute / 60);
  }
  return a;
}

/** One patient's part of what is simulated: arrays of the whole fleet, and where it begins in them. */
export interface Drug {
  readonly concentrations: Float64Array;
  readonly holds: Float64Array;
  readonly sites: number;
}

/** Lets the time of the hold pass for patient `i` under a constant infusion, mg/s or µg/s. */
export function advance({ concentrations: c, holds: h, sites }: Drug, i: number, rate: number) {
  let at = i * (compartments + sites);
  let w = i * (4 * compartments + 5 * sites);
  const plasma = c[at]!;
  const fast = c[at + 1]!;
  const slow = c[at + 2]!;
  for (let k = 0; k < compartments; k++, w += 4) {
    c[at++] = h[w]! * plasma + h[w + 1]! * fast + h[w + 2]! * slow + h[w + 3]! * rate;
  }
  for (let k = 0; k < sites; k++, w += 5) {
    const own = h[w + 4]! * c[at]!;
    c[at++] = h[w]! * plasma + h[w + 1]! * fast + h[w + 2]! * slow + h[w + 3]! * rate + own;
  }
}
