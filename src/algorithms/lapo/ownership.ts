import type { Motion, ParameterGroup, Update } from "../../learning/owners.ts";
import type { EncoderOwner } from "./settings.ts";

/** The updates of LAPO, as they are claimed under one owner of the encoder. */
export interface LapoUpdates {
  readonly critic: Update;
  readonly vae: Update;
  readonly actor: Update;
}

/** The group of the encoder. Its gradient is there to be the critic's, whoever steps it. */
export function encoderGroup(
  parameters: ParameterGroup["parameters"],
  owner: EncoderOwner,
): ParameterGroup {
  const group = { name: "encoder", parameters };
  if (owner === "none") return { ...group, owner: "frozen" };
  if (owner === "both") {
    return { ...group, owner: "critic", sharedWith: ["vae"], trainedBy: ["critic", "vae"] };
  }
  return { ...group, owner, trainedBy: ["critic"] };
}

/** Whether a gradient of the update's loss may reach the encoder: where not, its features are cut. */
export function reachesEncoder(update: "critic" | "vae", owner: EncoderOwner): boolean {
  if (owner === "none") return false;
  // Under `vae` too: the critic's gradient is there, and nobody steps.
  return update === "critic" || owner !== "critic";
}

/** @param owner absent: there is no encoder */
export function updatesOf(owner: EncoderOwner | undefined): LapoUpdates {
  const encoder = (update: "critic" | "vae"): Record<string, Motion> => {
    if (owner === undefined) return {};
    if (owner === update || owner === "both") return { encoder: "step" };
    return { encoder: reachesEncoder(update, owner) ? "pass" : "zero" };
  };
  const none: Record<string, Motion> = owner === undefined ? {} : { encoder: "zero" };
  return {
    critic: {
      ...{ name: "critic", owner: "critic", terms: ["q1", "q2", "v"] },
      claims: { ...encoder("critic"), critic: "step", vae: "zero", actor: "zero" },
    },
    vae: {
      ...{ name: "vae", owner: "vae", terms: ["vae"] },
      claims: { ...encoder("vae"), critic: "zero", vae: "step", actor: "zero" },
    },
    // Through the slow copy of the decoder and the critic.
    actor: {
      ...{ name: "actor", owner: "actor", terms: ["actor"] },
      claims: { ...none, critic: "pass", vae: "zero", vae_target: "pass", actor: "step" },
    },
  };
}
