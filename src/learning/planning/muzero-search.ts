import type { Random } from "../../../policies/random.ts";
import { LearningError } from "../learning-error.ts";
import { drawDirichlet } from "./dirichlet.ts";
import type { Evaluated, Moves, SearchModel } from "./search-model.ts";
import { checkSettings, type SearchSettings } from "./search-settings.ts";
import { SearchTrees } from "./search-trees.ts";
import { selectAction } from "./select-action.ts";

/** Where trees start: what the model says of their roots, which it keeps in slot 0. */
export interface Roots extends Evaluated {
  readonly trees: number;
  readonly actions: number;
  /** `[trees, actions]`: 1 for what must not be done at the root; absent: all may. */
  readonly forbidden?: Uint8Array;
}

export interface SearchOptions extends SearchSettings {
  /** Noise on the roots' priors, for exploring: prior ← (1 − fraction) · prior + fraction · Dirichlet(alpha). */
  readonly noise?: { readonly fraction: number; readonly alpha: number; readonly random: Random };
}

/** Of each tree's root. */
export interface Searched {
  /** `[trees, actions]`: how often each was followed. */
  readonly visitCounts: Int32Array;
  /** `[trees, actions]`: reward + discount · value of where it led; NaN where it was never followed. */
  readonly qValues: Float64Array;
  /** `[trees]`: mean of all that was found below. */
  readonly values: Float64Array;
  /** `[trees]`: the most followed, the first of equals. */
  readonly actions: Int32Array;
}

/** Slots that a model keeps for each tree of such a search. */
export function slotsOf({ simulations }: Pick<SearchSettings, "simulations">): number {
  return simulations + 1;
}

/**
 * Searches several trees at the same time: one call of the model in each simulation, whatever their number.
 *
 *     const found = await search(model, { trees: 1, actions: 5, priorLogits, values }, settings);
 *     found.actions[0];      // what to do
 *
 * @throws LearningError `bad-search`
 */
export async function search(
  model: SearchModel,
  roots: Roots,
  options: SearchOptions,
): Promise<Searched> {
  checkSettings(options);
  checkRoots(roots);
  const nodes = slotsOf(options);
  const trees = new SearchTrees({ trees: roots.trees, nodes, actions: roots.actions });
  plant(trees, roots, options.noise);
  const moves = movesOf(roots.trees);
  for (let simulation = 1; simulation <= options.simulations; simulation += 1) {
    for (let tree = 0; tree < roots.trees; tree += 1) {
      descend(trees, { tree, fresh: simulation, roots, options }, moves);
    }
    const stepped = await model.step(moves);
    for (let tree = 0; tree < roots.trees; tree += 1) {
      const slot = moves.nodes[tree]!;
      trees.evaluate(tree * nodes + slot, stepped, tree);
      const edge = { parent: moves.parents[tree]!, action: moves.actions[tree]!, slot };
      const [reward, discount] = [stepped.rewards[tree]!, stepped.discounts[tree]!];
      trees.link(tree, edge, { reward, discount });
      trees.backUp(tree, slot);
    }
  }
  return summaryOf(trees);
}

function movesOf(trees: number): Moves {
  return {
    trees: Int32Array.from({ length: trees }, (_, tree) => tree),
    parents: new Int32Array(trees),
    actions: new Int32Array(trees),
    nodes: new Int32Array(trees),
  };
}

interface Descent {
  readonly tree: number;
  /** Slot for a node that isn't there yet. */
  readonly fresh: number;
  readonly roots: Roots;
  readonly options: SearchOptions;
}

/** From the root to an edge without a node, or to the depth that is allowed. */
function descend(trees: SearchTrees, { tree, fresh, roots, options }: Descent, into: Moves): void {
  const { nodes, actions } = trees.shape;
  const { maxDepth = options.simulations } = options;
  const { forbidden } = roots;
  const first = tree * nodes;
  const atRoot = forbidden && { mask: forbidden, at: tree * actions };
  let slot = 0;
  for (let depth = 1; ; depth += 1) {
    const place = { node: first + slot, first };
    const action = selectAction(trees, place, options, slot === 0 ? atRoot : undefined);
    const child = trees.childOf((first + slot) * actions + action);
    if (child === undefined || depth >= maxDepth) {
      into.parents[tree] = slot;
      into.actions[tree] = action;
      into.nodes[tree] = child ?? fresh;
      return;
    }
    slot = child;
  }
}

function plant(trees: SearchTrees, roots: Roots, noise: SearchOptions["noise"]): void {
  const { nodes, actions } = trees.shape;
  for (let tree = 0; tree < roots.trees; tree += 1) {
    const node = tree * nodes;
    trees.evaluate(node, roots, tree);
    const priors = trees.priors.subarray(node * actions, (node + 1) * actions);
    if (noise) {
      const drawn = drawDirichlet(noise.random, noise.alpha, actions);
      for (const [a, share] of drawn.entries()) {
        priors[a] = (1 - noise.fraction) * priors[a]! + noise.fraction * share;
      }
    }
    if (roots.forbidden) allowOnly(priors, roots.forbidden.subarray(tree * actions));
  }
}

/** Forbidden actions to 0, the others to a sum of 1. */
function allowOnly(priors: Float64Array, forbidden: Uint8Array): void {
  const left = priors.reduce((sum, prior, a) => sum + (forbidden[a] ? 0 : prior), 0);
  const allowed = priors.reduce((count, _, a) => count + (forbidden[a] ? 0 : 1), 0);
  for (const [a, prior] of priors.entries()) {
    const share = left > 0 ? prior / left : 1 / allowed;
    priors[a] = forbidden[a] ? 0 : share;
  }
}

function summaryOf(trees: SearchTrees): Searched {
  const { trees: count, nodes, actions } = trees.shape;
  const found = {
    visitCounts: new Int32Array(count * actions),
    qValues: new Float64Array(count * actions).fill(Number.NaN),
    values: new Float64Array(count),
    actions: new Int32Array(count),
  };
  for (let tree = 0; tree < count; tree += 1) {
    const first = tree * nodes;
    found.values[tree] = trees.values[first]!;
    let most = -1;
    for (let a = 0; a < actions; a += 1) {
      const edge = first * actions + a;
      const visits = trees.childVisits[edge]!;
      found.visitCounts[tree * actions + a] = visits;
      if (visits > 0) found.qValues[tree * actions + a] = trees.qValue(edge, first);
      if (visits <= most) continue;
      most = visits;
      found.actions[tree] = a;
    }
  }
  return found;
}

function checkRoots({ trees, actions, priorLogits, values, forbidden }: Roots): void {
  const whole = [trees, actions].every((size) => Number.isSafeInteger(size) && size >= 1);
  const sizes = [priorLogits.length, values.length, forbidden?.length ?? trees * actions];
  if (!whole || sizes.join() !== [trees * actions, trees, trees * actions].join()) {
    throw refused(
      `${trees} trees of ${actions} actions come with ${priorLogits.length} logits, ${values.length} values${forbidden ? ` and ${forbidden.length} marks of forbidden actions` : ""}`,
      "Give one of each for every action of every tree, and one value for every tree.",
    );
  }
  for (let tree = 0; forbidden && tree < trees; tree += 1) {
    if (forbidden.subarray(tree * actions, (tree + 1) * actions).includes(0)) continue;
    throw refused(`all ${actions} actions of tree ${tree} are forbidden`, "Leave one to choose.");
  }
}

function refused(what: string, hint: string): LearningError {
  return new LearningError("bad-search", `The search can't start: ${what}.`, hint);
}
