import { describe, expect, it } from "vitest";
import { createTd3Bc } from "../../../src/algorithms/td3_bc/learner.ts";
import { td3BcParity } from "../../../src/algorithms/td3_bc/parity.ts";
import { td3BcSettings } from "../../../src/algorithms/td3_bc/settings.ts";
import { rewardUnits, rewardWarnings, valueFacts } from "../../../src/learning/offline/site.ts";
import { isOff } from "../../../src/learning/parity/reference.ts";
import { flights, offlineLaws, parametersOf, site, stage } from "../offline-laws.ts";
import { offlineParity, referenceFile } from "../offline-parity.ts";

const small = { actor_hidden_dims: [16, 16], critic_hidden_dims: [16, 16] };
const make = (changes: object = {}, at = site) =>
  createTd3Bc(td3BcSettings.parse({ ...small, ...changes }), at);

offlineLaws("TD3+BC", { make: (at) => make({}, at), bootstraps: true });
offlineLaws("TD3+BC without LayerNorm", {
  make: (at) => make({ layer_norm: false, policy_freq: 1 }, at),
  ...{ bootstraps: true, variant: true },
});

offlineParity(td3BcParity, {
  files: ["td3_bc", "td3_bc-fast-freq1"],
  others: [
    ["td3_bc-fast-freq1", "alpha", "9.9"],
    ["td3_bc-fast-freq1", "discount", "0.96"],
    ["td3_bc-fast-freq1", "tau", "0.06"],
    ["td3_bc-fast-freq1", "noise_clip", "0.1"],
    ["td3_bc-fast-freq1", "policy_freq", "2"],
    ["td3_bc-fast-freq1", "max_action", "0.9"],
    ["td3_bc", "policy_noise", "0.3"],
    ["td3_bc", "lr", "4e-4"],
  ],
});

describe("a reference file", () => {
  it("whose draws are another update's is not reproduced", async () => {
    const file = referenceFile("td3_bc-fast-freq1");
    const name = (update: number) => `draw${update}.0.target_policy`;
    const arrays = { ...file.arrays, [name(2)]: file.arrays[name(3)]! };
    const updates = await td3BcParity.replay({ ...file, arrays }, {});
    expect(updates.map((update) => isOff(update, td3BcParity.tolerance))).toContain(true);
    expect(isOff(updates[0]!, td3BcParity.tolerance)).toBe(false);
  });

  it("that lacks an array, a setting or a draw is refused by name", async () => {
    const file = referenceFile("td3_bc");
    for (const missing of ["batch1.rewards", "draw1.0.target_policy", "initial.actor.net.0.bias"]) {
      const { [missing]: _, ...arrays } = file.arrays;
      const short = missing.replace("target_policy", "").replace("initial.", "");
      await expect(td3BcParity.replay({ ...file, arrays }, {})).rejects.toThrow(short);
    }
    const { alpha: _, ...metadata } = file.metadata;
    await expect(td3BcParity.replay({ ...file, metadata }, {})).rejects.toThrow(/no 'alpha'/);
  });
});

describe("TD3+BC", () => {
  it("steps its actor and copies at every policy_freq-th update, counted over iterations", async () => {
    const learner = make({ policy_freq: 3 });
    const moved: string[][] = [];
    let before = await parametersOf(learner);
    for (let i = 0; i < 6; i += 1) {
      await learner.update(flights(1, 16), stage);
      const after = await parametersOf(learner);
      const names = Object.keys(after).filter((name) => `${after[name]}` !== `${before[name]}`);
      moved.push([...new Set(names.map((name) => name.split("/")[1]!))]);
      before = after;
    }
    const all = ["critic", "actor", "critic_target", "actor_target"];
    expect(moved).toEqual([["critic"], ["critic"], all, ["critic"], ["critic"], all]);
    learner.dispose();
  });

  it("learns the value of a reward that is always 1, with one action to learn", async () => {
    const settings = {
      discount: 0.5,
      tau: 0.1,
      critic_learning_rate: 3e-3,
      actor_learning_rate: 3e-3,
    };
    const learner = make({ ...settings, alpha: 0.01 });
    const [steps, rows] = [70, 32];
    const random = flights(steps, rows);
    const actions = Float32Array.from({ length: steps * rows * 3 }, (_, i) => [3, -1, 1][i % 3]!);
    const arrays = {
      ...random.arrays,
      actions,
      rewards: new Float32Array(steps * rows).fill(1),
      terminated: new Uint8Array(steps * rows),
    };
    await learner.update({ steps, numEnvs: rows, arrays }, stage);
    const metrics = await learner.update({ steps, numEnvs: rows, arrays }, stage);
    expect(metrics["Value/q_data"]).toBeGreaterThan(1.8);
    expect(metrics["Value/q_data"]).toBeLessThan(2.2);
    const student = learner.policies.student!;
    const observations = { policy: new Float32Array(3), wind: new Float32Array(2) };
    const frame = { observations, started: new Uint8Array(1) };
    const flown = await student.act(frame, []);
    for (const [i, wanted] of [3, -1, 1].entries()) expect(flown.actions[i]).toBeCloseTo(wanted, 0);
    learner.dispose();
  });

  it("scales rewards by the span of returns, and tells what shifting does", async () => {
    const [scaled, plain] = [make({ normalize_reward: true }), make()];
    const rewards = new Float32Array(16).fill(1);
    const doubled = rewards.map((reward) => reward * 2);
    const metrics = await scaled.update(flights(1, 16, { rewards }), stage);
    // 100 steps over a span of 50.
    await plain.update(flights(1, 16, { rewards: doubled }), stage);
    expect(await parametersOf(scaled)).toEqual(await parametersOf(plain));
    expect(metrics["Value/reward_scale"]).toBe(2);
    const units = rewardUnits(td3BcSettings.parse({ normalize_reward: true }), site);
    const data = { least: -3, most: 1, horizon: 100, largestDiscounted: 20 };
    expect(valueFacts(data, { discount: 0.9, units })).toEqual({
      ...{ rewardBound: 6, discount: 0.9, horizon: 100, bestReturn: 40 },
    });
    expect(valueFacts(data, { discount: 0.9, units: { scale: 1, shift: 4 } })).toEqual({
      ...{ rewardBound: 5, discount: 0.9, horizon: 100 },
    });
    expect(rewardWarnings(td3BcSettings.parse({ reward_shift: -1 }), true)).toEqual([
      expect.stringContaining("end them sooner"),
    ]);
    expect(rewardWarnings(td3BcSettings.parse({ reward_shift: -1 }), false)).toEqual([]);
    expect(rewardWarnings(td3BcSettings.parse({}), true)).toEqual([]);
    scaled.dispose();
    plain.dispose();
  });

  it("refuses actions without bounds", () => {
    const action = { low: [-1, -Infinity], high: [1, 1] };
    expect(() => make({}, { ...site, action })).toThrow(/finite lower and a higher bound/);
  });
});
