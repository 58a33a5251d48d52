import type { Evaluated, Floats, Foreseen, OneStepModel } from "./search-model.ts";

/** What is known of every action at some states. */
export interface Considered {
  /** `[rows, actions]`: of the prior policy. */
  readonly priorLogits: Floats;
  /** `[rows]`: v(s). */
  readonly values: Floats;
  /** `[rows, actions]`: r(s, a) + γ v(s′). */
  readonly qValues: Float64Array;
}

/**
 * One step of policy improvement (ROSMO, Liu 2023, equation 6): π′(a) ∝ π(a) · exp(A(a)), A(a) = Q(a) − v(s).
 *
 * @returns `[rows, actions]`, each row summing up to 1
 */
export function improvedPolicy({ priorLogits, values, qValues }: Considered): Float64Array {
  const actions = priorLogits.length / values.length;
  const improved = new Float64Array(priorLogits.length);
  for (let row = 0; row < values.length; row += 1) {
    const shares = improved.subarray(row * actions, (row + 1) * actions);
    let most = -Infinity;
    for (let a = 0; a < actions; a += 1) {
      const at = row * actions + a;
      shares[a] = priorLogits[at]! + qValues[at]! - values[row]!;
      most = Math.max(most, shares[a]!);
    }
    let sum = 0;
    for (let a = 0; a < actions; a += 1) {
      shares[a] = Math.exp(shares[a]! - most);
      sum += shares[a]!;
    }
    for (let a = 0; a < actions; a += 1) shares[a]! /= sum;
  }
  return improved;
}

/** Of every action at every root, in one call of the model. */
export async function considerAll(
  model: OneStepModel,
  roots: Evaluated & { readonly trees: number; readonly actions: number },
): Promise<Considered> {
  const { trees, actions, priorLogits, values } = roots;
  const rows = trees * actions;
  const each = (number: (row: number) => number) =>
    Int32Array.from({ length: rows }, (_, i) => number(i));
  const foreseen = await model.foresee({
    trees: each((row) => Math.floor(row / actions)),
    parents: new Int32Array(rows),
    actions: each((row) => row % actions),
  });
  return { priorLogits, values, qValues: qValuesOf(foreseen) };
}

function qValuesOf({ rewards, discounts, values }: Foreseen): Float64Array {
  return Float64Array.from(rewards, (reward, i) => reward + discounts[i]! * values[i]!);
}
