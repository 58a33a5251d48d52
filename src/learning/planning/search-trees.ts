import type { Floats } from "./search-model.ts";

const none = -1;

export interface TreesShape {
  readonly trees: number;
  /** Nodes of one tree, its root among them. */
  readonly nodes: number;
  readonly actions: number;
}

/**
 * Trees of equal size side by side in flat arrays. A node is at `tree * nodes + slot`, one of its actions at
 * `node * actions + action`.
 */
export class SearchTrees {
  readonly shape: TreesShape;
  /** `[trees, nodes]`: n, a node's own evaluation included; 0: not there yet. */
  readonly visits: Int32Array;
  /** Running means. */
  readonly values: Float64Array;
  /** Of the edge that leads to a node. */
  readonly rewards: Float64Array;
  readonly discounts: Float64Array;
  /** Slot, and the action there, that a node was reached from. */
  readonly parents: Int32Array;
  readonly reachedBy: Int32Array;
  /** `[trees, nodes, actions]`. */
  readonly priors: Float64Array;
  readonly childVisits: Int32Array;
  readonly #children: Int32Array;

  constructor(shape: TreesShape) {
    const nodes = shape.trees * shape.nodes;
    this.shape = shape;
    this.visits = new Int32Array(nodes);
    this.values = new Float64Array(nodes);
    this.rewards = new Float64Array(nodes);
    this.discounts = new Float64Array(nodes);
    this.parents = new Int32Array(nodes).fill(none);
    this.reachedBy = new Int32Array(nodes).fill(none);
    this.priors = new Float64Array(nodes * shape.actions);
    this.childVisits = new Int32Array(nodes * shape.actions);
    this.#children = new Int32Array(nodes * shape.actions).fill(none);
  }

  /** Slot of the node behind an edge; undefined: none yet. */
  childOf(edge: number): number | undefined {
    const child = this.#children[edge]!;
    return child === none ? undefined : child;
  }

  /** Q(a) = reward + discount · v(child), of an edge that has a child in the tree that begins at `first`. */
  qValue(edge: number, first: number): number {
    const child = first + this.#children[edge]!;
    return this.rewards[child]! + this.discounts[child]! * this.values[child]!;
  }

  /** What an evaluation says of a node: one that is evaluated again loses its mean, not its children. */
  evaluate(
    node: number,
    { priorLogits, values }: { readonly priorLogits: Floats; readonly values: Floats },
    row: number,
  ): void {
    const { actions } = this.shape;
    this.visits[node]! += 1;
    this.values[node] = values[row]!;
    softmaxInto(this.priors, node * actions, { logits: priorLogits, row, actions });
  }

  /** Hangs a node (its slot) into its tree, behind an edge of its parent (a slot too). */
  link(
    tree: number,
    { parent, action, slot }: { readonly parent: number; readonly action: number; slot: number },
    { reward, discount }: { readonly reward: number; readonly discount: number },
  ): void {
    const first = tree * this.shape.nodes;
    this.#children[(first + parent) * this.shape.actions + action] = slot;
    this.parents[first + slot] = parent;
    this.reachedBy[first + slot] = action;
    this.rewards[first + slot] = reward;
    this.discounts[first + slot] = discount;
  }

  /** Carries a leaf's value up to the root. @param leaf its slot */
  backUp(tree: number, leaf: number): void {
    const { nodes, actions } = this.shape;
    const first = tree * nodes;
    let gain = this.values[first + leaf]!;
    for (let slot = leaf; slot !== 0; slot = this.parents[first + slot]!) {
      const parent = first + this.parents[first + slot]!;
      const count = this.visits[parent]!;
      gain = this.rewards[first + slot]! + this.discounts[first + slot]! * gain;
      this.values[parent] = (this.values[parent]! * count + gain) / (count + 1);
      this.visits[parent] = count + 1;
      this.childVisits[parent * actions + this.reachedBy[first + slot]!]! += 1;
    }
  }
}

interface Logits {
  readonly logits: Floats;
  readonly row: number;
  readonly actions: number;
}

function softmaxInto(into: Float64Array, at: number, { logits, row, actions }: Logits): void {
  const from = row * actions;
  let most = -Infinity;
  for (let a = 0; a < actions; a += 1) most = Math.max(most, logits[from + a]!);
  let sum = 0;
  for (let a = 0; a < actions; a += 1) {
    const share = Math.exp(logits[from + a]! - most);
    into[at + a] = share;
    sum += share;
  }
  for (let a = 0; a < actions; a += 1) into[at + a]! /= sum;
}
