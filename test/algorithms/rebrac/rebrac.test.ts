import { describe, expect, it } from "vitest";
import { createRebrac } from "../../../src/algorithms/rebrac/learner.ts";
import { rebracParity } from "../../../src/algorithms/rebrac/parity.ts";
import { rebracSettings } from "../../../src/algorithms/rebrac/settings.ts";
import { flights, offlineLaws, parametersOf, site, stage } from "../offline-laws.ts";
import { offlineParity } from "../offline-parity.ts";

const small = { actor_hidden_dims: [16, 16], critic_hidden_dims: [16, 16], policy_freq: 1 };
const make = (changes: object = {}, at = site) =>
  createRebrac(rebracSettings.parse({ ...small, normalize_states: true, ...changes }), at);

offlineLaws("ReBRAC", { make: (at) => make({}, at), bootstraps: true, variant: true });

offlineParity(rebracParity, {
  files: ["rebrac", "rebrac-fast"],
  others: [
    ["rebrac-fast", "actor_bc_coef", "0.11"],
    ["rebrac-fast", "critic_bc_coef", "0.02"],
    ["rebrac-fast", "gamma", "0.98"],
    ["rebrac-fast", "tau", "0.06"],
    ["rebrac-fast", "normalize_q", "false"],
    ["rebrac-fast", "policy_noise", "0.3"],
    ["rebrac", "layer_norm_epsilon", "1e-2"],
    ["rebrac", "noise_clip", "0.1"],
  ],
});

describe("ReBRAC", () => {
  it("needs to be told what was done next, and takes it for an action", async () => {
    const learner = make();
    expect(learner.needs.notes).toEqual(["next_actions"]);
    const { "notes/next_actions": _, ...arrays } = flights(1, 16).arrays;
    await expect(learner.update({ steps: 1, numEnvs: 16, arrays }, stage)).rejects.toThrow(
      /no 'notes\/next_actions'/,
    );
    learner.dispose();
  });

  it("refuses to export an actor with layer norms", async () => {
    const learner = make({ actor_layer_norm: true });
    await expect(learner.graph()).rejects.toMatchObject({ code: "layer-norm-export" });
    await learner.update(flights(1, 16), stage);
    expect(Object.keys(await parametersOf(learner))).toContain("parameters/actor/actor.2.weight");
    learner.dispose();
  });
});
