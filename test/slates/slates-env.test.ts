import { describe, expect, it } from "vitest";
import { checkSpec } from "../../protocol/env-spec.ts";
import { builtInFor, isBuiltIn, tasksText } from "../../sim-adapters/built-in.ts";
import { itemsOf } from "../../sim-adapters/slates/items-word.ts";
import { slatesTasks } from "../../sim-adapters/slates/tasks.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { livelySlates, recommend, rowOf, shownTo } from "./recommending.ts";

const bits = async (numEnvs: number, seed: number) => {
  const env = await recommend({ numEnvs });
  return [bitsOf(await env.reset(seed)), ...(await shownTo(env, 0, 8))];
};

describe("an episode", () => {
  it("is the same with the same seed, and another with another", async () => {
    const [one, again, other] = [await bits(3, 5), await bits(3, 5), await bits(3, 6)];
    expect(again).toEqual(one);
    expect(other[0]).not.toBe(one[0]);
  });

  it("is the same for a user whoever else is there", async () => {
    const [few, many] = [await recommend({ numEnvs: 2 }), await recommend({ numEnvs: 9 })];
    await few.reset(4);
    await many.reset(4);
    for (let turn = 0; turn < 30; turn++) {
      const [one, other] = [
        await few.step(livelySlates(2, turn)),
        await many.step(livelySlates(9, turn)),
      ];
      for (const group of ["policy", "user"]) {
        const place = { group, i: 1 };
        expect(rowOf(many, other, place)).toEqual(rowOf(few, one, place));
      }
    }
  });

  it("begins with a slate that was never asked about, and ends by the clock alone", async () => {
    const env = await recommend({ numEnvs: 40 });
    const first = await env.reset(1);
    const ids = Array.from({ length: 40 }, (_, i) => rowOf(env, first, { i }).slice(0, 10)).flat();
    expect(new Set(ids).size).toBeGreaterThan(300);
    expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 1000)).toBe(true);
    expect(rowOf(env, first, { i: 7 }).slice(10)).toEqual(Array(10).fill(0));
    expect(rowOf(env, first, { group: "user", i: 7 }).slice(20)).toEqual(Array(20).fill(0));
    let clicks = 0;
    for (let turn = 0; turn < 99; turn++) {
      const result = await env.step(livelySlates(40, turn));
      clicks += result.rewards.reduce((sum, one) => sum + one);
      expect([...result.truncated, ...result.terminated]).toEqual(Array(80).fill(0));
      expect(result.final).toBeUndefined();
    }
    const last = await env.step(livelySlates(40, 99));
    clicks += last.rewards.reduce((sum, one) => sum + one);
    expect(last.truncated).toEqual(new Uint8Array(40).fill(1));
    expect(last.frame.started).toEqual(new Uint8Array(40).fill(1));
    expect(last.final!.rows).toHaveLength(40);
    expect([...last.final!.observations.policy!.subarray(0, 10)]).toEqual([
      ...livelySlates(40, 99).subarray(0, 10),
    ]);
    expect(rowOf(env, last, { i: 3 }).slice(10)).toEqual(Array(10).fill(0));
    expect(last.log).toMatchObject({ "Episode_Termination/time_out": 40 });
    expect(last.log!["Metrics/clicks"]).toBeCloseTo(clicks / 40, 6);
  });

  it("goes on from a snapshot to the bit, and from no other's", async () => {
    const env = await recommend({ numEnvs: 3 });
    await env.reset(2);
    await shownTo(env, 0, 95);
    const state = await env.snapshot();
    const on = await shownTo(env, 95, 110);
    const other = await recommend({ numEnvs: 3 });
    await other.restore(state);
    expect(await shownTo(other, 95, 110)).toEqual(on);
    const settings = { "sim.catalogue_seed": 2 };
    await expect((await recommend({ numEnvs: 3, settings })).restore(state)).rejects.toMatchObject({
      ...{ code: "other-snapshot", message: expect.stringContaining("sim.catalogue_seed was 1") },
    });
  });
});

describe("a slate", () => {
  it("is rounded to ids, and held within the bounds", async () => {
    const env = await recommend();
    await env.reset(1);
    const wished = Float32Array.of(-5, -0.4, 0.6, 7.49, 7.51, 998.6, 999.4, 1e6, 3, 3);
    const result = await env.step(wished);
    expect(rowOf(env, result).slice(0, 10)).toEqual([0, 0, 1, 7, 8, 999, 999, 999, 3, 3]);
  });

  it("that is no slate is refused with the environment and the slot, and changes nothing", async () => {
    const env = await recommend({ numEnvs: 2 });
    await expect(env.step(new Float32Array(20))).rejects.toMatchObject({ code: "not-reset" });
    await env.reset(1);
    const [whole, broken] = [livelySlates(2, 0), livelySlates(2, 0)];
    broken[13] = Number.NaN;
    await expect(env.step(broken)).rejects.toMatchObject({
      ...{ code: "bad-value", message: expect.stringContaining("environment 1, slate.3 is NaN") },
    });
    await expect(env.step(new Float32Array(10))).rejects.toMatchObject({ code: "bad-tensor" });
    const twin = await recommend({ numEnvs: 2 });
    await twin.reset(1);
    const [one, other] = [await env.step(whole), await twin.step(livelySlates(2, 0))];
    expect(bitsOf(one)).toBe(bitsOf(other));
    await env.close();
    await expect(env.reset(1)).rejects.toMatchObject({ code: "closed" });
    await expect(twin.reset(0.5)).rejects.toMatchObject({ code: "bad-seed" });
  });
});

describe("the tasks", () => {
  it.each(slatesTasks)("$name is what it was foreseen to be", async ({ name, variant }) => {
    const options = { task: name, numEnvs: 4, settings: { "sim.catalogue_seed": 77 } };
    const env = await builtInFor(name).open(options);
    checkSpec(env.spec);
    expect(await builtInFor(name).foresee(options)).toEqual(env.spec);
    expect(env.spec.task).toBe(name);
    expect(itemsOf(env.spec)).toEqual({ variant, seed: 77 });
    expect(env.settings).toEqual({ "sim.catalogue_seed": 77 });
    expect(tasksText()).toContain(name);
  });

  it("answer to other spellings, and a wrong one is told the right ones", async () => {
    for (const task of ["slates-diffuse-mixed", "slates_diffuse_mix", "slates-diffuse_mixed"]) {
      expect(isBuiltIn(task)).toBe(true);
      const spec = await builtInFor(task).foresee({ task, numEnvs: 1 });
      expect(spec.task).toBe("slates-diffuse_mix");
    }
    expect(() => builtInFor("slates-diffuse_top")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("slates-diffuse_topdown") }),
    );
    expect(itemsOf({ capabilities: ["bitwise", "items:sparse:1"] })).toBeUndefined();
  });

  it("refuse settings that they don't have, and seeds that are none", async () => {
    const wrong = { "sim.catalogue_sed": 1 };
    await expect(recommend({ settings: wrong })).rejects.toMatchObject({ code: "unknown-setting" });
    await expect(recommend({ settings: { "sim.catalogue_seed": 1.5 } })).rejects.toMatchObject({
      ...{ code: "bad-setting", field: "env.sim.catalogue_seed" },
    });
    await expect(recommend({ numEnvs: 0 })).rejects.toMatchObject({ code: "bad-num-envs" });
  });
});
