export type Floats = Float32Array | Float64Array;

/** What a model says of states, one row each. */
export interface Evaluated {
  /** `[rows, actions]`: logits of the prior policy. */
  readonly priorLogits: Floats;
  /** `[rows]`. */
  readonly values: Floats;
}

/** What it says of transitions, on the way and of the worth of where they lead. `[rows]` each. */
export interface Foreseen {
  readonly rewards: Floats;
  /** γ, or 0 where the transition ends the episode. */
  readonly discounts: Floats;
  readonly values: Floats;
}

export type Stepped = Foreseen & Evaluated;

/** From a state that is known, by an action. `[rows]` each. */
export interface Choices {
  /** Which of the trees. */
  readonly trees: Int32Array;
  /** Slots in that tree. */
  readonly parents: Int32Array;
  readonly actions: Int32Array;
}

/** To a state that is to be known by its slot. */
export interface Moves extends Choices {
  readonly nodes: Int32Array;
}

/** A model that tells what comes of actions, and keeps nothing of it. */
export interface OneStepModel {
  foresee(choices: Choices): Foreseen | Promise<Foreseen>;
}

/**
 * A model to plan in. It keeps the states, by tree and slot; slot 0 is the tree's root, and a slot that is
 * given again is written over. Arrays it gives may be written over at the next call.
 */
export interface SearchModel {
  step(moves: Moves): Stepped | Promise<Stepped>;
}
