import { createSlatePilot, type SlatePilot } from "../../../policies/pilots/slates.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { catalogueOf } from "../../../sim-adapters/slates/items.ts";
import { itemsOf } from "../../../sim-adapters/slates/items-word.ts";
import { itemWidth } from "../../../sim-adapters/slates/sizes.ts";
import type { PolicyFacts } from "./run-facts.ts";

/** A pilot that recommends the items of the simulator. @throws PolicyError `other-task` where it has none */
export function slateTeacher(name: SlatePilot, spec: EnvSpec) {
  const key = itemsOf(spec);
  const items = key && { ...catalogueOf(key), width: itemWidth };
  const policy = createSlatePilot({ name, spec, items });
  const facts: PolicyFacts = { kind: name, activation: "identity", reads: policy.reads };
  return { policy, facts, description: `the ${name} recommender` };
}
