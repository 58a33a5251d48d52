import { describe, expect, it } from "vitest";
import { createLapo } from "../../../src/algorithms/lapo/learner.ts";
import { lapoParity } from "../../../src/algorithms/lapo/parity.ts";
import { lapoSettings } from "../../../src/algorithms/lapo/settings.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import type { OfflineSite } from "../../../src/learning/offline/site.ts";
import { isOff } from "../../../src/learning/parity/reference.ts";
import { flights, offlineLaws, parametersOf, site, stage } from "../offline-laws.ts";
import { offlineParity, referenceFile } from "../offline-parity.ts";

const statistics = { mean: [2, 0.5, 1], std: [1, 0.5, 0.2], count: 1000 };
const flown = { ...site, actionStatistics: statistics, rewards: { least: -3, most: 1 } };
const small = {
  ...{ actor_hidden_dims: [16, 16], critic_hidden_dims: [16, 12], vae_hidden_dims: [16, 12] },
  encoder_hidden_dims: [12],
};
const make = (changes: object = {}, at: OfflineSite = flown) =>
  createLapo(lapoSettings.parse({ ...small, ...changes }), at);

offlineLaws("LAPO with an encoder", {
  // A learner that goes on gets all it knows of the data from its checkpoint.
  make: (at) => make({ encoder_dim: 8 }, { ...(at.statistics && flown), ...at }),
  ...{ bootstraps: true, long: true },
});

offlineParity(lapoParity, {
  files: ["lapo", "lapo-fast"],
  ...{ updates: 4, weighed: [1, 2, 4] },
  others: [
    ["lapo-fast", "vae_lr", "0.0051"],
    ["lapo-fast", "actor_lr", "0.0051"],
    ["lapo-fast", "critic_lr", "0.011"],
    ["lapo-fast", "tau", "0.06"],
    ["lapo-fast", "discount", "0.98"],
    ["lapo-fast", "expectile", "0.7"],
    ["lapo-fast", "kl_beta", "0.5"],
    ["lapo-fast", "doubleq_min", "0.9"],
    ["lapo-fast", "max_latent_action", "1"],
    ["lapo-fast", "min_v", "0.5"],
    ["lapo-fast", "max_v", "-0.1"],
  ],
});

describe("a reference file of LAPO", () => {
  it("whose draws are another update's is not reproduced", async () => {
    const file = referenceFile("lapo-fast");
    for (const draw of ["0.target_latent", "1.vae"]) {
      const arrays = { ...file.arrays, [`draw2.${draw}`]: file.arrays[`draw3.${draw}`]! };
      const updates = await lapoParity.replay({ ...file, arrays }, {});
      expect(updates.map((update) => isOff(update, lapoParity.tolerance))).toContain(true);
      expect(isOff(updates[0]!, lapoParity.tolerance)).toBe(false);
    }
  });

  it("that lacks layers or a setting is refused by name", async () => {
    const file = referenceFile("lapo");
    const { kl_beta: _, ...metadata } = file.metadata;
    await expect(lapoParity.replay({ ...file, metadata }, {})).rejects.toThrow(/no 'kl_beta'/);
    const kept = Object.entries(file.arrays).filter(([name]) => !name.includes("critic.v"));
    const arrays = Object.fromEntries(kept);
    await expect(lapoParity.replay({ ...file, arrays }, {})).rejects.toThrow(/initial\.critic\.v1/);
  });
});

describe("LAPO", () => {
  it("holds its value's target within what rewards can sum up to, also where an episode ends early", async () => {
    const bound = async (rewards: { least: number; most: number }, changes: object = {}) => {
      const learner = make({ discount: 0.5, ...changes }, { ...flown, rewards });
      const metrics = await learner.update(flights(1, 16), stage);
      learner.dispose();
      return metrics["Loss/v"]!;
    };
    const free = await bound({ least: -1e6, most: 1e6 });
    // Untrained values are about 0.1: a bound of 40 and more moves all targets there.
    expect(await bound({ least: 40, most: 50 })).toBeGreaterThan(30 ** 2);
    expect(await bound({ least: 40, most: 50 })).toBeLessThan(41 ** 2);
    expect(await bound({ least: -50, most: -40 })).toBeGreaterThan(30 ** 2);
    expect(await bound({ least: 40, most: 50 }, { min_v: -9 })).toBe(free);
    expect(await bound({ least: 40, most: 50 }, { normalize_reward: true })).toBeGreaterThan(
      60 ** 2,
    );
  });

  it("imitates what is done: its decoder's actions come to the data's, in the simulator's units", async () => {
    const quick = { vae_lr: 5e-3, actor_lr: 1e-3, tau: 0.2, kl_beta: 0.1 };
    const learner = make(quick, { ...flown, compile: compileWith("on") });
    const [steps, rows] = [50, 32];
    const random = flights(steps, rows);
    const actions = Float32Array.from({ length: steps * rows * 3 }, (_, i) => [3, -1, 1][i % 3]!);
    const experience = { steps, numEnvs: rows, arrays: { ...random.arrays, actions } };
    for (let i = 0; i < 3; i += 1) await learner.update(experience, stage);
    const observations = { policy: new Float32Array(3), wind: new Float32Array(2) };
    const student = learner.policies.student!;
    const { actions: done } = await student.act({ observations, started: new Uint8Array(1) }, []);
    for (const [i, wanted] of [3, -1, 1].entries()) expect(done[i]).toBeCloseTo(wanted, 0);
    learner.dispose();
  });

  it("moves its encoder at a share of its owner's rate", async () => {
    const change = async (encoder_lr_scale: number) => {
      const learner = make({ encoder_dim: 8, encoder_lr_scale });
      const before = await parametersOf(learner);
      await learner.update(flights(1, 16), stage);
      const after = await parametersOf(learner);
      learner.dispose();
      const of = (group: string) => {
        const names = Object.keys(after).filter((name) => name.startsWith(`parameters/${group}/`));
        return names.flatMap((name) => after[name]!.map((value, i) => value - before[name]![i]!));
      };
      return { encoder: of("encoder"), critic: of("critic") };
    };
    const [whole, tenth] = [await change(1), await change(0.1)];
    expect(tenth.critic).toEqual(whole.critic);
    expect(Math.max(...whole.encoder.map(Math.abs))).toBeGreaterThan(1e-4);
    for (const [i, value] of whole.encoder.entries()) {
      expect(tenth.encoder[i]).toBeCloseTo(value / 10, 6);
    }
  });

  it("leaves a component that never moved as it is, instead of blowing it up", async () => {
    const statistics = { ...site.statistics!, std: Float32Array.of(1, 2, 0.5, 1, 0) };
    const learner = make({}, { ...flown, statistics });
    const act = async (wind: number) => {
      const observations = { policy: new Float32Array(3), wind: Float32Array.of(0, wind) };
      const frame = { observations, started: new Uint8Array(1) };
      return [...(await learner.policies.student!.act(frame, [])).actions];
    };
    const [still, moved] = [await act(0), await act(1e-3)];
    for (const [i, value] of still.entries()) expect(moved[i]).toBeCloseTo(value, 2);
    learner.dispose();
  });

  it("refuses an owner of an encoder that is not there", () => {
    expect(() => make({ encoder_owner: "vae" })).toThrow(/no encoder to own/);
    expect(() => make({ encoder_owner: "none", encoder_dim: 0 })).toThrow(/no encoder to own/);
  });
});
