import type * as tf from "@tensorflow/tfjs-core";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { beliefGroups } from "../../learning/offline/belief.ts";
import { meanSquare } from "../../learning/offline/critic.ts";
import { createDeterministicActor } from "../../learning/offline/deterministic-actor.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import { groupOf, Owner } from "../../learning/owner.ts";
import type { Update } from "../../learning/owners.ts";
import type { BcSettings } from "./settings.ts";

const imitation: Update = {
  name: "actor",
  owner: "actor",
  terms: ["bc"],
  claims: { actor: "step" },
};

/** Behaviour cloning: mean (π(s) − a)² over rows and components. @throws LearningError `unbounded-action` */
export function createBc(settings: BcSettings, site: OfflineSite): BatchLearner {
  const random = new Random(deriveSeed(site.seed, "weights"));
  const acting = createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    ...{ random: random.uniform, prefix: "actor.net" },
  });
  const { network, policy, view, graph } = acting;
  const groups = [groupOf("actor", "actor", [network]), ...beliefGroups(site, ["actor"])];
  return new BatchLearner(
    {
      ...{ groups, graph, random },
      view: { ...view, imitates: true },
      owners: [new Owner("actor", groups, { learningRate: settings.learning_rate })],
      updates: [imitation],
      losses: ["bc"],
      policies: { student: policy },
      learn: (_, { figures, step }) => {
        step(imitation, ({ observations, actions }) => {
          const loss: tf.Scalar = meanSquare(network.forward(observations, []).outputs, actions);
          figures.note("Loss/bc", loss);
          return loss;
        });
      },
    },
    site,
  );
}
