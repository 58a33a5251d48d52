import type {
  Choices,
  Evaluated,
  Foreseen,
  Moves,
  OneStepModel,
  SearchModel,
  Stepped,
} from "./search-model.ts";

/** A world of a few states, all of whose numbers are known: `[states][actions]`, and values `[states]`. */
export interface Tables {
  readonly actions: number;
  readonly reward: readonly (readonly number[])[];
  readonly nextState: readonly (readonly number[])[];
  readonly discount: readonly (readonly number[])[];
  readonly priorLogits: readonly (readonly number[])[];
  readonly value: readonly number[];
}

/** A model that looks everything up. */
export class TableModel implements SearchModel, OneStepModel {
  readonly #tables: Tables;
  readonly #slots: number;
  readonly #roots: readonly number[];
  /** State by tree and slot. */
  readonly #states: Int32Array;

  /** @param place states of the roots, and how many slots a tree has */
  constructor(
    tables: Tables,
    place: { readonly roots: readonly number[]; readonly slots: number },
  ) {
    this.#tables = tables;
    this.#slots = place.slots;
    this.#roots = place.roots;
    this.#states = new Int32Array(place.roots.length * place.slots);
    for (const [tree, state] of place.roots.entries()) this.#states[tree * place.slots] = state;
  }

  roots(): Evaluated {
    return this.#evaluated(this.#roots);
  }

  step(moves: Moves): Stepped {
    const { from, to } = this.#passages(moves);
    for (const [i, state] of to.entries()) {
      this.#states[moves.trees[i]! * this.#slots + moves.nodes[i]!] = state;
    }
    return { ...this.#met(from, moves.actions), ...this.#evaluated(to) };
  }

  foresee(choices: Choices): Foreseen {
    const { from, to } = this.#passages(choices);
    return { ...this.#met(from, choices.actions), values: this.#evaluated(to).values };
  }

  #passages({ trees, parents, actions }: Choices) {
    const from = Array.from(trees, (tree, i) => this.#states[tree * this.#slots + parents[i]!]!);
    return { from, to: from.map((state, i) => this.#tables.nextState[state]![actions[i]!]!) };
  }

  #met(from: readonly number[], actions: Int32Array): Omit<Foreseen, "values"> {
    const { reward, discount } = this.#tables;
    return {
      rewards: Float64Array.from(from, (state, i) => reward[state]![actions[i]!]!),
      discounts: Float64Array.from(from, (state, i) => discount[state]![actions[i]!]!),
    };
  }

  #evaluated(states: readonly number[]): Evaluated {
    const { priorLogits, value } = this.#tables;
    return {
      priorLogits: Float64Array.from(states.flatMap((state) => priorLogits[state]!)),
      values: Float64Array.from(states, (state) => value[state]!),
    };
  }
}
