export type Floats = Float32Array | Float64Array;

/** What a model says of states, one row each. */
export interface Evaluated {
  /** `[rows, actions]`: logits of the prior policy. */
  readonly priorLogits: Floats;
  /** `[rows]`. */
  readonly values: Floats;
}

/** What it says of transitions: of where they lead, and on the way. `[rows]` each. */
export interface Stepped extends Evaluated {
  readonly rewards: Floats;
  /** γ, or 0 where the transition ends the episode. */
  readonly discounts: Floats;
}

/** From a state that is known, by an action, to one that is to be known by its slot. `[rows]` each. */
export interface Moves {
  /** Which of the trees. */
  readonly trees: Int32Array;
  /** Slots in that tree. */
  readonly parents: Int32Array;
  readonly actions: Int32Array;
  readonly nodes: Int32Array;
}

/**
 * A model to plan in. It keeps the states, by tree and slot; slot 0 is the tree's root, and a slot that is
 * given again is written over. Arrays it gives may be written over at the next call.
 */
export interface SearchModel {
  step(moves: Moves): Stepped | Promise<Stepped>;
}
