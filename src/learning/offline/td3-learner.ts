import { createOwners } from "../owner.ts";
import type { ParameterGroup } from "../owners.ts";
import type { BatchAlgorithm } from "./batch-algorithm.ts";
import { type CriticOptions, createTwins } from "./critic.ts";
import type { DeterministicActor } from "./deterministic-actor.ts";
import { actorUpdate, criticUpdate, losses, type Td3Networks } from "./td3.ts";

interface CriticForm extends Omit<CriticOptions, "observationWidth" | "actionWidth"> {
  /** Of all networks' names, e.g. `.net`. */
  readonly suffix: string;
}

/** Two critics beside an actor, and slow copies of all three. */
export function createTd3Networks(
  { network, another, view, maxAction }: DeterministicActor,
  { suffix, ...form }: CriticForm,
): Td3Networks {
  const { observationWidth, actionWidth } = view;
  const twins = (first: string, second: string) =>
    createTwins([first + suffix, second + suffix], { ...form, observationWidth, actionWidth });
  return {
    ...{ actor: network, maxAction },
    actorTarget: another(`actor_target${suffix}`),
    critics: twins("critic_1", "critic_2"),
    criticTargets: twins("critic_1_target", "critic_2_target"),
  };
}

interface Td3Parts {
  readonly acting: DeterministicActor;
  readonly networks: Td3Networks;
  readonly groups: readonly ParameterGroup[];
  readonly settings: {
    readonly actor_learning_rate: number;
    readonly critic_learning_rate: number;
  };
}

/** What learners of TD3's kind share. The actor steps in those updates alone whose form begins with `true`. */
export function td3Learner({ acting, networks, groups, settings }: Td3Parts) {
  const { critic_learning_rate: critic, actor_learning_rate: actor } = settings;
  return {
    groups,
    owners: createOwners(groups, { critic, actor }),
    updates: [criticUpdate, actorUpdate],
    losses,
    policies: { student: acting.policy },
    critic: networks.critics[0],
    stepping: ([actorSteps]) => (actorSteps ? ["critic", "actor"] : ["critic"]),
    ...{ view: acting.view, graph: acting.graph },
  } satisfies Partial<BatchAlgorithm>;
}
