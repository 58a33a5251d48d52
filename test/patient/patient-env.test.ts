import { describe, expect, it, test } from "vitest";
import { checkSpec } from "../../protocol/env-spec.ts";
import type { StepResult } from "../../protocol/frame.ts";
import { builtInFor, isBuiltIn } from "../../sim-adapters/built-in.ts";
import { Disturbance, surgery } from "../../sim-adapters/patient/models/disturbance.ts";
import { OnePatient } from "../../sim-adapters/patient/models/one-patient.ts";
import { referencePatients } from "../../sim-adapters/patient/models/reference-patients.ts";
import { reward } from "../../sim-adapters/patient/reward.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { exact, flown, livelyRates, operate, shown } from "./operating.ts";

/** The patient that the environment says it is, by the models alone. */
function twinOf(body: Readonly<Record<string, number>>, period: number): OnePatient {
  const { age, height, weight, male } = body as Record<string, number>;
  return new OnePatient(
    { age: age!, height: height!, weight: weight!, male: male === 1 },
    { period },
  );
}

describe("a patient without noise", () => {
  it.each([5, 10])("does what the models say, operated on, every %d s", async (period) => {
    const settings = { ...exact, control_period_s: period, episode_length_s: 1500 };
    const env = await operate({ settings, numEnvs: 3 });
    const start = await env.reset(4);
    const twin = twinOf(shown(env, start, { i: 2 }), period);
    const operation = new Disturbance(surgery);
    for (let step = 0; step < env.spec.maxEpisodeSteps - 1; step++) {
      const rates = livelyRates(3, step);
      const result = await env.step(rates);
      const [propofol, remifentanil] = [rates[4]!, rates[5]!].map((rate) => Math.max(0, rate));
      twin.advance(propofol!, remifentanil!);
      const [bis, pressure] = operation.at((step + 1) * period);
      const [truth, seen] = ["state", "policy"].map((group) => shown(env, result, { group, i: 2 }));
      const [trueBis, trueMap] = [
        Math.min(100, Math.max(0, twin.bis + bis)),
        Math.max(0, twin.pressure + pressure),
      ];
      // The body itself was rounded to float32 on its way here.
      expect(truth!.bis_true).toBeCloseTo(trueBis, 3);
      expect(truth!.map_true).toBeCloseTo(trueMap, 3);
      expect(truth!["propofol.plasma"]).toBeCloseTo(twin.propofol[0]!, 4);
      expect(truth!["remifentanil.map_site"]).toBeCloseTo(twin.remifentanil[4]!, 4);
      expect(seen).toMatchObject({ bis: truth!.bis_true, map: truth!.map_true, map_first: 90 });
      expect(seen!.elapsed).toBe((step + 1) * period);
      expect(result.rewards[2]).toBeCloseTo(reward(truth!.bis_true!, truth!.map_true!, 90), 4);
    }
  });

  it("shows its last readings, what the pumps do, and what they gave", async () => {
    const env = await operate({ settings: { ...exact, "disturbance.surgery": false } });
    const start = shown(env, await env.reset(1));
    expect(start).toMatchObject({ bis: start.bis_before_1 ?? start["bis_before.3"], elapsed: 0 });
    const seen = [start];
    for (let step = 0; step < 5; step++) {
      seen.push(shown(env, await env.step(Float32Array.of(1 + step, 2))));
    }
    const last = seen[5]!;
    expect(last["bis_before.1"]).toBe(seen[4]!.bis);
    expect(last["bis_before.3"]).toBe(seen[2]!.bis);
    expect(last["map_before.2"]).toBe(seen[3]!.map);
    expect(last).toMatchObject({ propofol_rate: 5, remifentanil_rate: 2 });
    expect(last).toMatchObject({ propofol_given: 150, remifentanil_given: 100, elapsed: 50 });
  });
});

describe("the pumps", () => {
  it("give what they can, neither less than nothing nor more, and it is counted", async () => {
    const settings = { episode_length_s: 60, "limits.propofol": 2 };
    const [env, twin] = [await operate({ settings }), await operate({ settings })];
    expect(env.spec.action).toMatchObject({
      low: [0, 0],
      high: [2, 16.67],
      units: ["mg/s", "µg/s"],
    });
    await env.reset(3);
    await twin.reset(3);
    let log: StepResult["log"];
    for (const [wanted, held] of [
      [
        [-1, 1],
        [0, 1],
      ],
      [
        [3, 99],
        [2, 16.67],
      ],
      [
        [2, 16.67],
        [2, 16.67],
      ],
      [
        [1, -0.1],
        [1, 0],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [1, 1],
        [1, 1],
      ],
    ]) {
      const [one, other] = [
        await env.step(Float32Array.from(wanted!)),
        await twin.step(Float32Array.from(held!)),
      ];
      expect({ ...one, log: 0, timing: 0 }).toEqual({ ...other, log: 0, timing: 0 });
      log = one.log;
    }
    expect(log!["Metrics/infusions_clipped"]).toBeCloseTo(3 / 6);
  });
});

describe("what is read", () => {
  it("is noisy by as much as is set, BIS from one reading to the next alike", async () => {
    const settings = { control_period_s: 1, episode_length_s: 600, "disturbance.surgery": false };
    const env = await operate({ numEnvs: 200, settings });
    await env.reset(2);
    const rates = new Float32Array(400);
    const [bis, map]: [number[][], number[]] = [[], []];
    for (let step = 0; step < 20; step++) {
      const result = await env.step(rates);
      const at = (k: number) => shown(env, result, { i: k });
      const now = Array.from({ length: 200 }, (_, i) => at(i));
      bis.push(now.map((one) => one.bis! - 97.4));
      map.push(...now.map((one) => one.map! - 90));
    }
    const deviation = (values: readonly number[]) =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(deviation(map)).toBeCloseTo(5, 0);
    // BIS is cut at 100, which 1.48 above 97.4 rarely meets.
    expect(deviation(bis.flat())).toBeGreaterThan(1.3);
    expect(deviation(bis.flat())).toBeLessThan(1.6);
    const pairs = bis.slice(1).flatMap((now, k) => now.map((value, i) => value * bis[k]![i]!));
    const alike = pairs.reduce((sum, value) => sum + value, 0) / pairs.length / 1.48 ** 2;
    expect(alike).toBeGreaterThan(0.5);
    expect(alike).toBeLessThan(0.7);
  });

  it("differs between patients as published: nobody is the typical one", async () => {
    const env = await operate({ numEnvs: 500 });
    const frame = await env.reset(7);
    const people = Array.from({ length: 500 }, (_, i) => ({
      ...shown(env, frame, { i }),
      ...shown(env, frame, { i, group: "state" }),
    })) as Record<string, number>[];
    const logs = people.map((one) => Math.log(one["hill.c50_propofol"]! / 4.47));
    const spread = Math.sqrt(logs.reduce((sum, value) => sum + value * value, 0) / 500);
    expect(spread).toBeCloseTo(Math.sqrt(Math.log(1 + 0.182 ** 2)), 1);
    for (const { age, height, weight, male } of people) {
      expect([age! >= 18 && age! <= 70, height! >= 150 && height! <= 190]).toEqual([true, true]);
      const index = weight! / (height! / 100) ** 2;
      expect(index > 18.4 && index < 32.1).toBe(true);
      expect([0, 1]).toContain(male);
    }
    expect(new Set(people.map(({ age }) => age)).size).toBeGreaterThan(490);
  });
});

describe("the thirteen", () => {
  it("lie there one after the other, in every place another one", async () => {
    const settings = { episode_length_s: 60, control_period_s: 60 };
    const env = await operate({ task: "anesthesia-13", numEnvs: 15, settings });
    expect(env.spec.task).toBe("anaesthesia-13");
    let frame = await env.reset(1);
    for (const episode of [0, 1, 2]) {
      for (const i of [0, 12, 13, 14]) {
        const { body, hill } = referencePatients[(i + episode) % 13]!;
        expect(shown(env, frame, { i }).weight).toBeCloseTo(body.weight, 4);
        const { "hill.e0": e0, "hill.gamma": gamma } = shown(env, frame, { i, group: "state" });
        expect([e0, gamma]).toEqual([Math.fround(hill.e0), Math.fround(hill.gamma)]);
      }
      ({ frame } = await env.step(new Float32Array(30)));
    }
  });
});

describe("an operation", () => {
  it("ends by the clock alone, shows its last readings, and the next patient is awake", async () => {
    const settings = { episode_length_s: 95, control_period_s: 10 };
    const env = await operate({ numEnvs: 3, settings });
    expect(env.spec).toMatchObject({ maxEpisodeSteps: 10, controlPeriod: 10 });
    await env.reset(1);
    for (let step = 1; step <= 20; step++) {
      const result = await env.step(Float32Array.from([6, 6, 1, 1, 0, 0]));
      const over = step % 10 === 0;
      expect([...result.terminated]).toEqual([0, 0, 0]);
      expect([...result.truncated]).toEqual(over ? [1, 1, 1] : [0, 0, 0]);
      expect([...result.frame.started]).toEqual([...result.truncated]);
      expect("final" in result && "log" in result).toBe(over);
      if (!over) continue;
      expect([...result.final!.rows]).toEqual([0, 1, 2]);
      const last = { observations: result.final!.observations, started: result.truncated };
      expect(shown(env, last)).toMatchObject({ elapsed: 100, propofol_given: 600 });
      expect(shown(env, result)).toMatchObject({ elapsed: 0, propofol_given: 0, propofol_rate: 0 });
      expect(shown(env, result, { group: "state" })["propofol.slow"]).toBe(0);
      expect(Object.keys(result.log!)).toContain("Metrics/time_in_40_60");
    }
  });

  it("is summed up by what was true of it", async () => {
    const settings = { ...exact, episode_length_s: 600 };
    const env = await operate({ settings });
    await env.reset(5);
    const truth: number[] = [];
    for (let step = 0; step < 59; step++) {
      const result = await env.step(Float32Array.of(step < 12 ? 1.5 : 0.1, 0.2));
      truth.push(shown(env, result, { group: "state" }).bis_true!);
    }
    const { log, final } = await env.step(Float32Array.of(0.1, 0.2));
    truth.push(shown(env, { ...final!, started: new Uint8Array(1) }, { group: "state" }).bis_true!);
    const inside = truth.filter((bis) => bis >= 40 && bis <= 60).length;
    expect(inside).toBeGreaterThan(0);
    expect(log!["Metrics/time_in_40_60"]).toBeCloseTo(inside / 60, 6);
    expect(log!["Metrics/bis_nadir"]).toBeCloseTo(Math.min(...truth), 3);
    const asleep = truth.findIndex((bis) => bis < 55);
    expect(log!["Metrics/minutes_to_bis_55"]).toBeCloseTo((asleep + 1) / 6, 6);
    const error = truth.reduce((sum, bis) => sum + Math.abs(bis - 50), 0) / 6;
    expect(log!["Metrics/iae_bis_minutes"]).toBeCloseTo(error, 2);
  });
});

describe("the same bits", () => {
  const settings = { episode_length_s: 300 };

  it("come from the same seed and actions, others from another seed", async () => {
    const env = await operate({ numEnvs: 6, settings });
    const first = [bitsOf(await env.reset(5)), ...(await flown(env, 0, 70))];
    expect([bitsOf(await env.reset(5)), ...(await flown(env, 0, 70))]).toEqual(first);
    expect(first.some((bits) => bits.includes("final"))).toBe(true);
    expect(bitsOf(await env.reset(6))).not.toBe(first[0]);
  });

  it("come in a fleet of any size", async () => {
    const rows = async (numEnvs: number) => {
      const env = await operate({
        numEnvs,
        settings: { ...settings, "disturbance.delay_s": [0, 60] },
      });
      await env.reset(9);
      const seen: unknown[] = [];
      for (let step = 0; step < 40; step++) {
        const { frame, rewards } = await env.step(livelyRates(numEnvs, step));
        seen.push([
          shown(env, frame, { i: 2 }),
          shown(env, frame, { i: 2, group: "state" }),
          rewards[2],
        ]);
      }
      return seen;
    };
    expect(await rows(40)).toEqual(await rows(3));
  });

  it("go on from a snapshot, here and elsewhere", async () => {
    const env = await operate({ numEnvs: 5, settings });
    await env.reset(1);
    await flown(env, 0, 20);
    const last = await env.step(livelyRates(5, 20));
    const state = await env.snapshot();
    const onward = await flown(env, 21, 80);
    expect(bitsOf(await env.restore(state))).toBe(bitsOf(last.frame));
    expect(await flown(env, 21, 80)).toEqual(onward);
    const other = await operate({ numEnvs: 5, settings });
    await other.restore(state);
    expect(await flown(other, 21, 80)).toEqual(onward);
    const longer = await operate({ numEnvs: 5 });
    await expect(longer.restore(state)).rejects.toMatchObject({ code: "other-snapshot" });
    state[50]! ^= 1;
    await expect(other.restore(state)).rejects.toMatchObject({ code: "bad-snapshot" });
  });

  it("what was given out is never written again", async () => {
    const env = await operate({ numEnvs: 2, settings });
    const frame = await env.reset(1);
    const bits = bitsOf(frame);
    await flown(env, 0, 40);
    expect(bitsOf(frame)).toBe(bits);
  });
});

describe("refusals", () => {
  test.each([
    [{ task: "anaesthesia-14" }, "unknown-task"],
    [{ numEnvs: 0 }, "bad-num-envs"],
    [{ settings: { control_period: 5 } }, "unknown-setting"],
    [{ settings: { control_period_s: 0 } }, "bad-setting"],
    [{ settings: { "random.age": [70, 18] } }, "bad-setting"],
    [{ task: "anaesthesia-13", settings: { "random.age": [18, 70] } }, "unknown-setting"],
  ])("%j is refused as %s", async (options, code) => {
    await expect(operate(options)).rejects.toMatchObject({ code });
  });

  test("of actions and calls say what they got, and change nothing", async () => {
    const env = await operate({ numEnvs: 2 });
    const rates = new Float32Array(4);
    await expect(env.step(rates)).rejects.toMatchObject({ code: "not-reset" });
    await expect(env.reset(-1)).rejects.toMatchObject({ code: "bad-seed" });
    await env.reset(1);
    const before = await env.snapshot();
    await expect(env.step(new Float32Array(3))).rejects.toMatchObject({ code: "bad-tensor" });
    const poison = Float32Array.of(0, 0, 0, Number.NaN);
    await expect(env.step(poison)).rejects.toThrow(/environment 1, remifentanil is NaN/);
    expect(await env.snapshot()).toEqual(before);
    await env.close();
    await expect(env.reset(1)).rejects.toMatchObject({ code: "closed" });
  });
});

describe("simulators inside", () => {
  test("are found by the task, and none by a name that nobody flies", async () => {
    expect(builtInFor("anaesthesia").name).toBe("firstsolo-patient");
    expect(builtInFor("Isaac-Quadcopter-Direct-v0").name).toBe("firstsolo-mujoco");
    expect(isBuiltIn("constructor")).toBe(false);
    expect(() => builtInFor("anasthesia")).toThrow(
      expect.objectContaining({
        code: "unknown-task",
        hint: expect.stringContaining("Did you mean an"),
      }),
    );
    const spec = await builtInFor("anaesthesia").foresee({ task: "anaesthesia", numEnvs: 7 });
    checkSpec(spec);
    const env = await operate({ numEnvs: 7 });
    expect(env.spec).toEqual(spec);
    expect(env.notices.join()).toContain("for research, not for patients");
  });
});
