import type * as tf from "@tensorflow/tfjs-core";
import type { GraphOptions } from "../../../policies/graph/build-graph.ts";
import type { Network } from "../../../policies/networks/network.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Random } from "../../../policies/random.ts";
import type { Static } from "../../engine/compile/program.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Owner } from "../owner.ts";
import type { ParameterGroup, Update } from "../owners.ts";
import type { Sheet } from "./figures.ts";
import type { Transitions, TransitionView } from "./transitions.ts";

/** What chooses the form of an update, e.g. whether the actor steps in it. */
export type Form = readonly Static[];

/** What an update is given besides its batch. */
export interface UpdateContext {
  /** What was drawn for it. */
  readonly drawn: readonly tf.Tensor[];
  readonly form: Form;
  readonly figures: Sheet;
  /**
   * Lets the update's owner step on this loss, measured where that is asked for. `seen`: the batch, its states
   * moving with a belief that the update's owner steps.
   */
  step(update: Update, loss: (seen: Transitions) => tf.Scalar): void;
}

/** Recorded actions, `[known, actionWidth]` in ±1. */
export interface Library {
  readonly actions: tf.Variable;
  /** How many of the nearest are judged. */
  readonly neighbours: number;
}

/** A learner of single transitions, batch after batch, but for what is shared. */
export interface BatchAlgorithm {
  readonly groups: readonly ParameterGroup[];
  readonly owners: readonly Owner[];
  readonly updates: readonly Update[];
  readonly losses: readonly string[];
  readonly policies: Readonly<Record<string, NetworkPolicy>>;
  /** Draws what it does to see what it has not seen; absent: the student does, with noise. Freed with the learner. */
  readonly explorer?: ((random: Random) => Policy) | undefined;
  /** Q of a state and an action in ±1 side by side; absent: nobody values actions. */
  readonly critic?: Network | undefined;
  /** Among which of the recorded actions its critic chooses in flight; absent: it flies the actor's. */
  readonly library?: Library | undefined;
  readonly view: TransitionView;
  /** Who is judged, for exports: everything baked in. */
  readonly graph: () => Promise<GraphOptions>;
  /** Where it draws from, to be kept in a checkpoint. */
  readonly random: Random;
  /** @param number of the update, from 1, over the whole run. Default: all are alike */
  form?(number: number): Form;
  /** Names of the owners that step in an update of that form, once each; default: all. */
  stepping?(form: Form): readonly string[];
  /** Sets what changes from update to update, such as rates; gives figures. */
  prepare?(number: number, progress: number): Metrics;
  /** In their order; default: nothing. To be disposed by the caller. */
  draw?(shape: { readonly rows: number; readonly actionWidth: number }, form: Form): tf.Tensor[];
  /**
   * One update: the order of its steps is the algorithm. A function of tensors, parameters and owners
   * alone, for one form the same operations each time. Called inside `tidy`.
   */
  learn(batch: Transitions, context: UpdateContext): void;
}
