import type * as tf from "@tensorflow/tfjs-core";
import { detached } from "../gradients.ts";
import { LearningError } from "../learning-error.ts";
import type { ParameterGroup, Update } from "../owners.ts";
import type { TrainedBelief } from "./trained-belief.ts";
import type { Transitions } from "./transitions.ts";

/** Its name among the groups of a learner. */
const name = "belief";

/**
 * The groups of the belief, to stand beside the learner's own; none without one.
 *
 * @param owners of the learner
 * @throws LearningError `no-owner`
 */
export function beliefGroups(
  { belief }: { readonly belief?: TrainedBelief | undefined },
  owners: readonly string[],
): readonly ParameterGroup[] {
  if (!belief) return [];
  const usual = owners.includes("critic") ? "critic" : "actor";
  const owner = belief.owner ?? usual;
  if (!owners.includes(owner)) {
    throw new LearningError(
      "no-owner",
      `belief.owner is ${owner}, and this learner has ${owners.join(", ")}.`,
      `Leave it out: then the ${usual} owns the belief.`,
    );
  }
  return [
    { name, owner, parameters: belief.network.parameters },
    { name: "items", owner: "frozen", parameters: belief.constants },
  ];
}

/** The updates with what they do to the belief: its owner's steps it, others see states as they are. */
export function withBeliefClaims(
  updates: readonly Update[],
  groups: readonly ParameterGroup[],
): readonly Update[] {
  const group = groups.find((one) => one.name === name);
  if (!group) return updates;
  return updates.map((update) => {
    const motion = update.owner === group.owner ? "step" : "zero";
    return { ...update, claims: { ...update.claims, [name]: motion } };
  });
}

/** A batch with states for what was recorded, and the same for a loss whose gradient is to reach the belief. */
export interface BelievedBatch {
  readonly batch: Transitions;
  /** For the loss of an update by this owner; inside that loss. */
  seenBy(owner: string): Transitions;
}

export function believe(
  recorded: Transitions,
  {
    belief,
    groups,
  }: { readonly belief: TrainedBelief | undefined; groups: readonly ParameterGroup[] },
): BelievedBatch {
  if (!belief) return { batch: recorded, seenBy: () => recorded };
  const { network } = belief;
  const statesOf = (inputs: tf.Tensor2D) => network.forward(inputs, []).outputs;
  const own = groups.find((group) => group.name === name)!.owner;
  const batch: Transitions = {
    ...recorded,
    observations: detached(() => statesOf(recorded.observations)),
    next: detached(() => statesOf(recorded.next)),
  };
  return {
    batch,
    seenBy: (owner) =>
      owner === own ? { ...batch, observations: statesOf(recorded.observations) } : batch,
  };
}
