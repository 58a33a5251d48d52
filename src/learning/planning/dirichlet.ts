import type { Random } from "../../../policies/random.ts";

/** A draw of the symmetric Dirichlet distribution: shares that sum up to 1. */
export function drawDirichlet(random: Random, alpha: number, width: number): Float64Array {
  const draws = Float64Array.from({ length: width }, () => drawGamma(random, alpha));
  const sum = draws.reduce((total, one) => total + one, 0);
  // With a small alpha all of them may be below the least number there is.
  if (sum > 0) return draws.map((one) => one / sum);
  return draws.fill(0).fill(1, 0, 1);
}

/** Gamma(shape, 1) by Marsaglia and Tsang (2000); below shape 1 by way of shape + 1. */
function drawGamma(random: Random, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
