import type { LayerInit } from "../../../policies/networks/mlp.ts";

const uniform = (size: number, bound: number, random: () => number) =>
  Float32Array.from({ length: size }, () => (2 * random() - 1) * bound);

/** ReBRAC's: ±1/√inputs and biases of 0.1; the last layer within ±`last`. */
export function smallLast(last: number): LayerInit {
  return ({ inputs, outputs, last: isLast, random }) => ({
    weight: uniform(inputs * outputs, isLast ? last : 1 / Math.sqrt(inputs), random),
    bias: isLast ? uniform(outputs, last, random) : new Float32Array(outputs).fill(0.1),
  });
}

/** PyTorch's, but for a last layer of Xavier's uniform weights times `gain` without biases (CQL's actor). */
export function xavierLast(gain: number): LayerInit {
  return ({ inputs, outputs, last, random }) => {
    const bound = last ? gain * Math.sqrt(6 / (inputs + outputs)) : 1 / Math.sqrt(inputs);
    const weight = uniform(inputs * outputs, bound, random);
    return { weight, bias: last ? new Float32Array(outputs) : uniform(outputs, bound, random) };
  };
}

/** Orthogonal rows or columns of length √2, `lastGain` in the last layer, no biases (CQL's critics). */
export function orthogonal(lastGain: number): LayerInit {
  return ({ inputs, outputs, last, random }) => {
    const wide = inputs >= outputs;
    const basis = orthonormal(Math.min(inputs, outputs), Math.max(inputs, outputs), random);
    const gain = last ? lastGain : Math.SQRT2;
    const weight = new Float32Array(inputs * outputs);
    for (let row = 0; row < outputs; row += 1) {
      for (let column = 0; column < inputs; column += 1) {
        const value = wide ? basis[row]![column]! : basis[column]![row]!;
        weight[row * inputs + column] = gain * value;
      }
    }
    return { weight, bias: new Float32Array(outputs) };
  };
}

/** `count` orthonormal vectors of `width`, from normal ones by Gram and Schmidt, twice for rounding. */
function orthonormal(count: number, width: number, random: () => number): Float64Array[] {
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const vector = Float64Array.from({ length: width }, () => {
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      return radius * Math.cos(2 * Math.PI * random());
    });
    for (const other of [...vectors, ...vectors]) {
      const share = vector.reduce((sum, value, k) => sum + value * other[k]!, 0);
      for (let k = 0; k < width; k += 1) vector[k] = vector[k]! - share * other[k]!;
    }
    const length = Math.hypot(...vector);
    vectors.push(vector.map((value) => value / length));
  }
  return vectors;
}
