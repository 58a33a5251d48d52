import { describe, expect, it } from "vitest";
import { createRebrac } from "../../../src/algorithms/rebrac/learner.ts";
import { rebracParity } from "../../../src/algorithms/rebrac/parity.ts";
import { rebracSettings } from "../../../src/algorithms/rebrac/settings.ts";
import { flights, offlineLaws, parametersOf, site, stage } from "../offline-laws.ts";
import { offlineParity, referenceFile } from "../offline-parity.ts";

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

/** What CORL's functions say of the updates of rebrac-fast with the layer norms left out. */
const unnormed = [
  { actor_loss: -0.8878993, critic_loss: 1.305219, q_min: 0.3179359 },
  { critic_loss: 1.237986, q_min: 0.3472432 },
  { actor_loss: -0.8738107, critic_loss: 1.968595, q_min: 0.3437231 },
  { critic_loss: 1.566405, q_min: 0.3155874 },
  { actor_loss: -0.8693379, critic_loss: 0.487148, q_min: 0.2959049 },
  { critic_loss: 1.329302, q_min: 0.3033027 },
];

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

  it("finds critics without layer norms by the numbers of those with them", async () => {
    const file = referenceFile("rebrac-fast");
    const metadata = { ...file.metadata, critic_ln: "false", metrics: JSON.stringify(unnormed) };
    const norm = /critic_.*\.[25]\.|^after[26]\./;
    const arrays = Object.fromEntries(
      Object.entries(file.arrays).filter(([name]) => !norm.test(name)),
    );
    const updates = await rebracParity.replay({ ...file, metadata, arrays }, {});
    expect(updates).toHaveLength(6);
    for (const { metrics } of updates) expect(metrics!.error).toBeLessThan(5e-6);
  });

  it("refuses to export an actor with layer norms", async () => {
    const learner = make({ actor_layer_norm: true });
    await expect(learner.graph()).rejects.toMatchObject({ code: "layer-norm-export" });
    await learner.update(flights(1, 16), stage);
    expect(Object.keys(await parametersOf(learner))).toContain("parameters/actor/actor.2.weight");
    learner.dispose();
  });
});
