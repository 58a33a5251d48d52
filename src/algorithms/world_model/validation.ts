import type { Experience } from "../../learning/experience.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { stepMajor, windowsAt } from "./batch.ts";
import { nearestLevels, toUnit } from "./levels.ts";
import type { ModelProgram } from "./model-program.ts";
import { deviation, type HeadFacts, scaled, type WorldFacts } from "./world-facts.ts";

/** A figure of a head, in the data's units; errors are means of absolute values over all steps of a window. */
interface HeadErrors {
  mae: number;
  persistence: number;
  /** Of the first step alone. */
  mae1: number;
  persistence1: number;
}

/**
 * How well the model foresees flights that it never learned from, along the actions that were really taken:
 * `Eval/val_HEAD_mae` beside `Eval/val_HEAD_persistence` (nothing changes from the first observation on), and
 * `Eval/val_HEAD_skill` = 1 − mae / persistence; with `_1` one step ahead. `Eval/val_reward_mae`,
 * `Eval/val_value_mae` (against discounted returns), `Eval/val_action_error` (levels that the policy is off).
 */
export async function validate(
  program: ModelProgram,
  held: Experience,
  facts: WorldFacts,
): Promise<Metrics> {
  const { rows, length, arrays } = windowsAt(held, 0);
  const byStep = (name: string, steps: number) => stepMajor(arrays[name]!, { rows, steps });
  const predicted = byStep("predicted", length + 1);
  const units = toUnit(facts.bounds, byStep("actions", length + 1));
  const rewards = byStep("rewards", length);
  const returns = byStep("returns", length + 1);
  const bootstrap = byStep("bootstrap", length + 1);
  const seen = await program.represent(scaled(arrays.observations!, facts.observations), rows);
  const later = await laterValues(program, arrays.later!, { facts, rows, steps: length + 1 });
  const actionError = levelsOff(facts, seen.policies, byStep("actions", length + 1));
  const errors = facts.heads.map((): HeadErrors => ({ ...none }));
  let [states, rewardError] = [seen.states, 0];
  let valueError = meanError(seen.values, (row) => returns[row]! + bootstrap[row]! * later[row]!);
  const width = facts.bounds.low.length;
  for (let step = 0; step < length; step += 1) {
    const actions = units.slice(step * rows * width, (step + 1) * rows * width);
    const next = await program.advance(states, actions, rows);
    states = next.states;
    const at = step * rows;
    rewardError += meanError(next.rewards, (row) => rewards[at + row]!);
    const wanted = (row: number) => {
      const i = at + rows + row;
      return returns[i]! + bootstrap[i]! * later[i]!;
    };
    valueError += meanError(next.values, wanted);
    const given = await program.see(states.slice(), rows);
    addHeads(errors, given, { predicted, heads: facts.heads, rows, step });
  }
  return {
    ...Object.assign({}, ...facts.heads.map((head, i) => headMetrics(head, errors[i]!, length))),
    "Eval/val_reward_mae": rewardError / length,
    "Eval/val_value_mae": valueError / (length + 1),
    "Eval/val_action_error": actionError,
  };
}

const none: HeadErrors = { mae: 0, persistence: 0, mae1: 0, persistence1: 0 };

interface At {
  readonly predicted: Float32Array;
  readonly heads: readonly HeadFacts[];
  readonly rows: number;
  /** From 0: what is compared is one step further. */
  readonly step: number;
}

/** @param given deviations, `[rows, all heads]` */
function addHeads(
  errors: readonly HeadErrors[],
  given: Float32Array,
  { predicted, heads, rows, step }: At,
): void {
  const all = given.length / rows;
  let column = 0;
  for (const [h, { columns, scale }] of heads.entries()) {
    let [off, still] = [0, 0];
    for (let row = 0; row < rows; row += 1) {
      for (let c = 0; c < columns.length; c += 1) {
        const real = predicted[((step + 1) * rows + row) * all + column + c]!;
        const value = scale.mean[c]! + given[row * all + column + c]! * deviation(scale, c);
        off += Math.abs(value - real) / (rows * columns.length);
        still += Math.abs(predicted[row * all + column + c]! - real) / (rows * columns.length);
      }
    }
    const sum = errors[h]!;
    sum.mae += off;
    sum.persistence += still;
    if (step === 0) Object.assign(sum, { mae1: off, persistence1: still });
    column += columns.length;
  }
}

function headMetrics({ name }: HeadFacts, errors: HeadErrors, length: number): Metrics {
  const [mae, persistence] = [errors.mae / length, errors.persistence / length];
  return {
    [`Eval/val_${name}_mae`]: mae,
    [`Eval/val_${name}_persistence`]: persistence,
    [`Eval/val_${name}_skill`]: skill(mae, persistence),
    [`Eval/val_${name}_mae_1`]: errors.mae1,
    [`Eval/val_${name}_persistence_1`]: errors.persistence1,
    [`Eval/val_${name}_skill_1`]: skill(errors.mae1, errors.persistence1),
  };
}

/** 1: nothing is off; 0: no better than if nothing changed; 0 too where nothing does change. */
function skill(error: number, persistence: number): number {
  return persistence === 0 ? 0 : 1 - error / persistence;
}

async function laterValues(
  program: ModelProgram,
  later: Float32Array,
  {
    facts,
    rows,
    steps,
  }: { readonly facts: WorldFacts; readonly rows: number; readonly steps: number },
): Promise<Float32Array> {
  const turned = scaled(stepMajor(later, { rows, steps }), facts.observations);
  const { values } = await program.represent(turned, rows * steps);
  return values;
}

/** Mean distance, in levels, of the likeliest levels to what was really done at the first step. */
function levelsOff(facts: WorldFacts, policies: Float32Array, actions: Float32Array): number {
  const count = facts.levels[0]!.length;
  const chosen = policies.length / count;
  const done = nearestLevels(facts.levels, actions.subarray(0, chosen));
  let off = 0;
  for (let i = 0; i < chosen; i += 1) {
    const own = policies.subarray(i * count, (i + 1) * count);
    off += Math.abs(own.indexOf(own.reduce((a, b) => Math.max(a, b))) - done[i]!) / chosen;
  }
  return off;
}

function meanError(values: Float32Array, wanted: (row: number) => number): number {
  return values.reduce((sum, value, row) => sum + Math.abs(value - wanted(row)), 0) / values.length;
}
