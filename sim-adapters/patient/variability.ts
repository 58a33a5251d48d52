import type { Hill } from "./models/bouillon.ts";
import type { Kinetics } from "./models/compartments.ts";

/** Coefficients of variation between patients: three volumes, three clearances, BIS site. */
type KineticsSpread = readonly [number, number, number, number, number, number, number];

/** Schnider 1998, 1999. */
export const propofolSpread: KineticsSpread = [0.0404, 0.01, 0.1435, 0.1005, 0.01, 0.1179, 0.42];

/** Minto 1997. */
export const remifentanilSpread: KineticsSpread = [0.26, 0.29, 0.66, 0.14, 0.36, 0.41, 0.68];

/** Bouillon 2004: C50 of propofol, C50 of remifentanil, γ. */
const hillSpread = [0.182, 0.888, 0.304] as const;

/** Standard normal numbers that one patient takes. */
export const variabilityDraws = hillSpread.length + 2 * propofolSpread.length;

/**
 * Lognormal about the typical value, which stays the median: exp(σ·z), σ² = ln(1 + CV²).
 *
 * @param z standard normal
 */
export function lognormal(spread: number, z: number): number {
  return Math.exp(Math.sqrt(Math.log(1 + spread * spread)) * z);
}

/** @param scale times the published spread; 0: the typical patient */
export function variedKinetics(
  typical: Kinetics,
  spread: KineticsSpread,
  { scale, draws }: { readonly scale: number; readonly draws: Float64Array },
): Kinetics {
  const factor = (k: number) => lognormal(scale * spread[k]!, draws[k]!);
  const { volumes, clearances, sites } = typical;
  const three = (values: Kinetics["volumes"], from: number): [number, number, number] => [
    values[0] * factor(from),
    values[1] * factor(from + 1),
    values[2] * factor(from + 2),
  ];
  return {
    volumes: three(volumes, 0),
    clearances: three(clearances, 3),
    // Nothing is published of the pressure sites.
    sites: sites.map((perMinute, k) => (k === 0 ? perMinute * factor(6) : perMinute)),
  };
}

/** @param scale as of `variedKinetics` */
export function variedHill(
  typical: Hill,
  { scale, draws }: { readonly scale: number; readonly draws: Float64Array },
): Hill {
  const factor = (k: number) => lognormal(scale * hillSpread[k]!, draws[k]!);
  return {
    ...typical,
    c50Propofol: typical.c50Propofol * factor(0),
    c50Remifentanil: typical.c50Remifentanil * factor(1),
    gamma: typical.gamma * factor(2),
  };
}
