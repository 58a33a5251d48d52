import type { Bounds, Levels } from "./levels.ts";
import type { ModelShape } from "./model.ts";

/** What numbers are brought to mean 0 and deviation 1 by. */
export interface Scale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What a head predicts. */
export interface HeadFacts {
  /** As its figures are called: `bis`, `rp`. */
  readonly name: string;
  /** Observation components, as the data call them. */
  readonly components: readonly string[];
  /** The columns of these in a window's observations. */
  readonly columns: readonly number[];
  readonly scale: Scale;
}

/** All that is known of a task besides weights, as plain JSON: a policy is made again from it. */
export interface WorldFacts {
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
  readonly observations: Scale;
  readonly bounds: Bounds;
  readonly levels: Levels;
  readonly heads: readonly HeadFacts[];
  readonly reward: Scale;
  /** Of discounted returns. */
  readonly value: Scale;
}

/** A component that hardly moves is not blown up. */
export const leastDeviation = 1e-3;

export function shapeOf({ observations, bounds, heads }: WorldFacts): ModelShape {
  return {
    observationWidth: observations.mean.length,
    actionWidth: bounds.low.length,
    heads: heads.map(({ name, columns }) => ({ name, width: columns.length })),
  };
}

/** `[rows, width]` in deviations from the mean: a fresh array. */
export function scaled(values: ArrayLike<number>, { mean, std }: Scale): Float32Array {
  const width = mean.length;
  return Float32Array.from(values, (value, i) => {
    return (value - mean[i % width]!) / Math.max(std[i % width]!, leastDeviation);
  });
}

/** The inverse of one number. */
export function deviation({ std }: Scale, column = 0): number {
  return Math.max(std[column]!, leastDeviation);
}

/** Every level of every component as the networks see it, ±1 between the bounds: `[actionWidth · levels]`. */
export function toUnitLevels({ levels, bounds }: WorldFacts): Float32Array {
  return Float32Array.from(
    levels.flatMap((own, c) => {
      const [least, most] = [bounds.low[c]!, bounds.high[c]!];
      return own.map((value) => (2 * (value - least)) / (most - least) - 1);
    }),
  );
}
