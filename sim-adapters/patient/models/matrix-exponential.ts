/** Terms of the series: with a norm of at most 1/2 the next one is below 1e-21. */
const terms = 16;

/**
 * e^A of a small square matrix, row-major `[n, n]`: A is halved until its norm (largest sum of a
 * row) is at most 1/2, the series is summed there, and the result squared as often. For the
 * matrices of this room it is exact to a few units in the last place.
 */
export function matrixExponential(a: Float64Array, n: number): Float64Array {
  const halvings = halvingsOf(a, n);
  const small = a.map((value) => value / 2 ** halvings);
  let result = identity(n);
  // Horner: 1 + A (1 + A/2 (1 + A/3 (…))).
  for (let k = terms; k >= 1; k--) {
    result = times(small, result, n);
    for (let i = 0; i < n * n; i++) result[i]! /= k;
    for (let i = 0; i < n; i++) result[i * n + i]! += 1;
  }
  for (let k = 0; k < halvings; k++) result = times(result, result, n);
  return result;
}

function halvingsOf(a: Float64Array, n: number): number {
  let norm = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(a[i * n + j]!);
    norm = Math.max(norm, sum);
  }
  return Math.max(0, Math.ceil(Math.log2(2 * norm)));
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
}

function times(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) product[i * n + j]! += factor * b[k * n + j]!;
    }
  }
  return product;
}
