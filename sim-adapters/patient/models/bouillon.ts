/** How a patient's BIS answers (Bouillon 2004). */
export interface Hill {
  /** Propofol that alone halves the effect, µg/mL. */
  readonly c50Propofol: number;
  /** The same of remifentanil, ng/mL. */
  readonly c50Remifentanil: number;
  readonly gamma: number;
  /** 0: the effects add up; above: they help each other. */
  readonly beta: number;
  /** BIS without drugs, and how much drugs can take away. */
  readonly e0: number;
  readonly emax: number;
}

export const typicalHill: Hill = {
  c50Propofol: 4.47,
  c50Remifentanil: 19.3,
  gamma: 1.43,
  beta: 0,
  e0: 97.4,
  emax: 97.4,
};

/** Numbers of a `Hill` in a row, in the order of its fields. */
export const hillWidth = 6;

/** Keeps 0/0 away, and as the reference has it: where β isn't 0, BIS is some 1e-5 off without it. */
const nothing = 1e-6;

/**
 * Bispectral index of effect-site concentrations (µg/mL and ng/mL), not clipped: with p and r in
 * units of their C50, θ = p/(p+r) and U = (p+r)/(1 − βθ(1−θ)), it is E0 − Emax·U^γ/(1+U^γ). No
 * options object: it is called for every patient in every step.
 *
 * @param hill rows of `hillWidth` numbers; the one at `at` is meant
 */
export function bisAt(
  hill: Float64Array,
  at: number,
  propofol: number,
  remifentanil: number,
): number {
  const p = propofol / hill[at]!;
  const r = remifentanil / hill[at + 1]!;
  const theta = p / (p + r + nothing);
  const u = ((p + r) / (1 - hill[at + 3]! * theta * (1 - theta))) ** hill[at + 2]!;
  return hill[at + 4]! - (hill[at + 5]! * u) / (1 + u);
}

export function writeHill(hill: Hill, out: Float64Array, at = 0): void {
  out[at] = hill.c50Propofol;
  out[at + 1] = hill.c50Remifentanil;
  out[at + 2] = hill.gamma;
  out[at + 3] = hill.beta;
  out[at + 4] = hill.e0;
  out[at + 5] = hill.emax;
}
