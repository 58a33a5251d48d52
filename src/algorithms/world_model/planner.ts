import { type Searched, search, slotsOf } from "../../learning/planning/muzero-search.ts";
import { considerAll, improvedPolicy } from "../../learning/planning/one-step.ts";
import type { Imagined, ModelProgram } from "./model-program.ts";
import { PlanningModel, type PlanningSettings } from "./planning-model.ts";
import type { WorldModelSettings } from "./settings.ts";
import { toUnitLevels, type WorldFacts } from "./world-facts.ts";

export type PlannerName = WorldModelSettings["planner"];

export type PlannerSettings = PlanningSettings &
  Pick<WorldModelSettings, "search_simulations" | "pb_c_init" | "pb_c_base">;

/** What a planner makes of some states. */
export interface Plans {
  /** `[rows, components]`: levels of the actions that it would take. */
  readonly levels: Int32Array;
  /** `[rows, components]`: those actions, ±1 between the bounds. */
  readonly actions: Float32Array;
  /** `[rows, components · levels]`: how likely each level should be. */
  readonly shares: Float32Array;
  /** `[rows]`: reward and discounted value of those actions, as it found them. */
  readonly values: Float64Array;
}

export interface PlanOptions {
  readonly planner: PlannerName;
  readonly settings: PlannerSettings;
  readonly facts: WorldFacts;
}

/** Plans from states, all of them in one search. @param seen what the model says of them */
export async function planFrom(
  program: ModelProgram,
  seen: Imagined,
  { planner, settings, facts }: PlanOptions,
): Promise<Plans> {
  const trees = seen.values.length;
  const simulations = settings.search_simulations;
  const slots = planner === "mcts" ? slotsOf({ simulations }) : 1;
  const model = new PlanningModel(program, facts, { settings, shape: { trees, slots } });
  const roots = { trees, actions: model.actions, ...model.plant(seen) };
  if (planner === "one_step") {
    const considered = await considerAll(model, roots);
    const { qValues } = considered;
    return gathered(model, { shares: improvedPolicy(considered), qValues }, facts);
  }
  const found = await search(model, roots, {
    ...{ simulations, pbCInit: settings.pb_c_init, pbCBase: settings.pb_c_base },
    qTransform: { kind: "by_parent_and_siblings" },
  });
  return gathered(
    model,
    { shares: visitShares(found, simulations), qValues: found.qValues },
    facts,
  );
}

function visitShares({ visitCounts }: Searched, simulations: number): Float64Array {
  return Float64Array.from(visitCounts, (count) => count / simulations);
}

interface Found {
  /** `[trees, actions]` each. */
  readonly shares: Float64Array;
  readonly qValues: Float64Array;
}

/** The likeliest action of each tree, and what it is worth. */
function gathered(model: PlanningModel, { shares, qValues }: Found, facts: WorldFacts): Plans {
  const { actions } = model;
  const trees = shares.length / actions;
  const components = facts.levels.length;
  const count = facts.levels[0]!.length;
  const units = toUnitLevels(facts);
  const plans = {
    levels: new Int32Array(trees * components),
    shares: new Float32Array(trees * components * count),
    values: new Float64Array(trees),
  };
  for (let tree = 0; tree < trees; tree += 1) {
    const own = shares.subarray(tree * actions, (tree + 1) * actions);
    const best = own.indexOf(own.reduce((a, b) => Math.max(a, b)));
    plans.levels.set(model.levelsAt(tree, best), tree * components);
    plans.shares.set(model.sharesAt(tree, own), tree * components * count);
    plans.values[tree] = qValues[tree * actions + best]!;
  }
  const chosen = Float32Array.from(
    plans.levels,
    (level, i) => units[(i % components) * count + level]!,
  );
  return { ...plans, actions: chosen };
}

/** What the model says of actions, ±1 between the bounds: reward and discounted value, `[rows]`. */
export async function valuesOf(
  program: ModelProgram,
  { states, actions }: { readonly states: Float32Array; readonly actions: Float32Array },
  discount: number,
): Promise<Float64Array> {
  const rows = states.length / program.latent;
  const { rewards, values } = await program.advance(states, actions, rows);
  return Float64Array.from(rewards, (reward, row) => reward + discount * values[row]!);
}
