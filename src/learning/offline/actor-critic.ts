import type { Network } from "../../../policies/networks/network.ts";
import { followSlowly, groupOf } from "../owner.ts";
import type { ParameterGroup } from "../owners.ts";
import { beliefGroups } from "./belief.ts";
import type { Twins } from "./critic.ts";
import type { OfflineSite } from "./site.ts";

/** An actor, two critics, and slow copies of all of them. */
export interface ActorCritic {
  readonly actor: Network;
  readonly actorTarget: Network;
  readonly critics: Twins;
  readonly criticTargets: Twins;
}

/** `critic` and `actor` with owners of their names, `critic_target` and `actor_target`. */
export interface ActorCriticGroups {
  readonly all: readonly ParameterGroup[];
  /** Moves the copies towards what they copy, by a share; 1 makes them equal. */
  follow(rate: number): void;
  followCritic(rate: number): void;
  followActor(rate: number): void;
}

export function actorCriticGroups(
  networks: ActorCritic,
  site: Pick<OfflineSite, "belief">,
): ActorCriticGroups {
  const critic = groupOf("critic", "critic", networks.critics);
  const actor = groupOf("actor", "actor", [networks.actor]);
  const criticTarget = groupOf("critic_target", "ema", networks.criticTargets);
  const actorTarget = groupOf("actor_target", "ema", [networks.actorTarget]);
  const followCritic = (rate: number) => followSlowly(criticTarget, critic, rate);
  const followActor = (rate: number) => followSlowly(actorTarget, actor, rate);
  return {
    all: [critic, actor, criticTarget, actorTarget, ...beliefGroups(site, ["critic", "actor"])],
    follow: (rate) => {
      followCritic(rate);
      followActor(rate);
    },
    ...{ followCritic, followActor },
  };
}
