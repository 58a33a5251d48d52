import type { Random } from "../../../policies/random.ts";
import { activation, coverage, type Planned } from "../../learning/planning/planning-figures.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { type RecordedWindows, type SearchTargets, stepMajor } from "./batch.ts";
import { toUnit } from "./levels.ts";
import type { ModelProgram } from "./model-program.ts";
import { type PlannerSettings, planFrom, valuesOf } from "./planner.ts";
import type { WorldModelSettings } from "./settings.ts";
import { scaled, type WorldFacts } from "./world-facts.ts";

export type SearchFigures = Planned;

export interface PlanBatchOptions {
  readonly settings: PlannerSettings & Pick<WorldModelSettings, "planner" | "search_share">;
  readonly facts: WorldFacts;
  readonly random: Random;
}

/** Plans from the first states of some of a batch's windows, drawn at random. */
export async function planSome(
  program: ModelProgram,
  windows: RecordedWindows,
  { settings, facts, random }: PlanBatchOptions,
): Promise<{ readonly targets: SearchTargets; readonly figures: SearchFigures }> {
  const { rows, length, arrays } = windows;
  const chosen = drawRows(rows, Math.ceil(settings.search_share * rows), random);
  const width = facts.bounds.low.length;
  const observations = rowsOf(scaled(arrays.observations!, facts.observations), rows, chosen);
  const first = stepMajor(arrays.actions!, { rows, steps: length + 1 }).subarray(0, rows * width);
  const logged = rowsOf(toUnit(facts.bounds, first), rows, chosen);
  const seen = await program.represent(observations, chosen.length);
  const states = seen.states.slice();
  const { planner } = settings;
  const plans = await planFrom(program, seen, { planner, settings, facts });
  const done = await valuesOf(program, { states, actions: logged }, settings.discount);
  const searched = new Float32Array(rows);
  for (const row of chosen) searched[row] = 1;
  return {
    targets: {
      searched,
      actions: backInto(rows, chosen, plans.actions),
      shares: backInto(rows, chosen, plans.shares),
    },
    figures: { batch: rows, planned: plans.values, logged: done },
  };
}

/** `Search/coverage` and `Search/activation` of a row of batches. */
export function searchMetrics(all: readonly SearchFigures[]): Metrics {
  if (all.length === 0) return {};
  const together: SearchFigures = {
    batch: all.reduce((sum, { batch }) => sum + batch, 0),
    planned: Float64Array.from(all.flatMap(({ planned }) => Array.from(planned))),
    logged: Float64Array.from(all.flatMap(({ logged }) => Array.from(logged))),
  };
  return {
    "Search/coverage": coverage(together),
    ...(together.planned.length > 0 && { "Search/activation": activation(together) }),
  };
}

/** Distinct rows, ascending. */
function drawRows(rows: number, count: number, random: Random): Int32Array {
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  for (let i = 0; i < count; i += 1) {
    const j = i + Math.floor(random.uniform() * (rows - i));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, count).sort();
}

function rowsOf(values: Float32Array, rows: number, chosen: Int32Array): Float32Array {
  const width = values.length / rows;
  const picked = new Float32Array(chosen.length * width);
  for (const [i, row] of chosen.entries()) {
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return picked;
}

/** The inverse, zeros in the other rows. */
function backInto(rows: number, chosen: Int32Array, values: Float32Array): Float32Array {
  const width = values.length / chosen.length;
  const all = new Float32Array(rows * width);
  for (const [i, row] of chosen.entries()) {
    all.set(values.subarray(i * width, (i + 1) * width), row * width);
  }
  return all;
}
