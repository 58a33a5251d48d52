import type {
  Choices,
  Evaluated,
  Foreseen,
  Moves,
  OneStepModel,
  SearchModel,
  Stepped,
} from "../../learning/planning/search-model.ts";
import { candidateCount, likeliestActions } from "./candidates.ts";
import type { Imagined, ImaginedStep, ModelProgram } from "./model-program.ts";
import type { WorldModelSettings } from "./settings.ts";
import { toUnitLevels, type WorldFacts } from "./world-facts.ts";

export interface PlanningShape {
  readonly trees: number;
  /** States of a tree. */
  readonly slots: number;
}

export type PlanningSettings = Pick<
  WorldModelSettings,
  "search_candidates" | "action_levels" | "discount"
>;

/** The world model as a search asks it: an action is one of the most likely combinations of levels at its state. */
export class PlanningModel implements SearchModel, OneStepModel {
  /** Considered at each state. */
  readonly actions: number;
  readonly #program: ModelProgram;
  readonly #settings: PlanningSettings;
  readonly #shape: PlanningShape;
  readonly #components: number;
  readonly #units: Float32Array;
  /** `[trees, slots, latent]`. */
  readonly #states: Float32Array;
  /** `[trees, slots, actions, components]`. */
  readonly #levels: Int32Array;

  constructor(
    program: ModelProgram,
    facts: WorldFacts,
    { settings, shape }: { readonly settings: PlanningSettings; readonly shape: PlanningShape },
  ) {
    const components = facts.levels.length;
    const sizes = { components, levels: settings.action_levels };
    this.actions = candidateCount(sizes, settings.search_candidates);
    this.#program = program;
    this.#settings = settings;
    this.#shape = shape;
    this.#components = components;
    this.#units = toUnitLevels(facts);
    const nodes = shape.trees * shape.slots;
    this.#states = new Float32Array(nodes * program.latent);
    this.#levels = new Int32Array(nodes * this.actions * components);
  }

  /** Puts states into the roots of the trees. @param seen what the model says of them, a row for each tree */
  plant(seen: Imagined): Evaluated {
    const slots = Array.from({ length: this.#shape.trees }, (_, tree) => tree * this.#shape.slots);
    return this.#keep(seen, slots);
  }

  async step(moves: Moves): Promise<Stepped> {
    const seen = await this.#advanced(moves);
    const { slots } = this.#shape;
    const kept = Array.from(moves.nodes, (node, row) => moves.trees[row]! * slots + node);
    return { ...this.#told(seen), ...this.#keep(seen, kept) };
  }

  async foresee(choices: Choices): Promise<Foreseen> {
    return this.#told(await this.#advanced(choices));
  }

  #advanced({ trees, parents, actions }: Choices): Promise<ImaginedStep> {
    const { latent } = this.#program;
    const rows = trees.length;
    const states = new Float32Array(rows * latent);
    const chosen = new Float32Array(rows * this.#components);
    for (let row = 0; row < rows; row += 1) {
      const from = trees[row]! * this.#shape.slots + parents[row]!;
      states.set(this.#states.subarray(from * latent, (from + 1) * latent), row * latent);
      this.#unitsAt(from, actions[row]!, chosen.subarray(row * this.#components));
    }
    return this.#program.advance(states, chosen, rows);
  }

  #told({ rewards, values }: ImaginedStep): Foreseen {
    const discounts = new Float32Array(rewards.length).fill(this.#settings.discount);
    return { rewards, values, discounts };
  }

  /** Levels of an action at a root, `[components]`. */
  levelsAt(tree: number, action: number): Int32Array {
    const at = (tree * this.#shape.slots * this.actions + action) * this.#components;
    return this.#levels.subarray(at, at + this.#components);
  }

  /** Of all actions at a root each level's share, `[components · levels]`, by the actions' shares. */
  sharesAt(tree: number, shares: ArrayLike<number>): Float32Array {
    const { action_levels: count } = this.#settings;
    const summed = new Float32Array(this.#components * count);
    for (let action = 0; action < this.actions; action += 1) {
      for (const [c, level] of this.levelsAt(tree, action).entries()) {
        summed[c * count + level]! += shares[action]!;
      }
    }
    return summed;
  }

  #unitsAt(node: number, action: number, into: Float32Array): void {
    const { action_levels: count } = this.#settings;
    const at = (node * this.actions + action) * this.#components;
    for (let c = 0; c < this.#components; c += 1) {
      into[c] = this.#units[c * count + this.#levels[at + c]!]!;
    }
  }

  #keep({ states, policies, values }: Imagined, slots: readonly number[]): Evaluated {
    const { latent } = this.#program;
    const sizes = { components: this.#components, levels: this.#settings.action_levels };
    const { levels, logits } = likeliestActions(policies, { ...sizes, count: this.actions });
    const width = this.actions * this.#components;
    for (const [row, slot] of slots.entries()) {
      this.#states.set(states.subarray(row * latent, (row + 1) * latent), slot * latent);
      this.#levels.set(levels.subarray(row * width, (row + 1) * width), slot * width);
    }
    return { priorLogits: logits, values };
  }
}
