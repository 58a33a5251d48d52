import { describe, expect, it } from "vitest";
import { createSlatePilot, type SlatePilot, slatePilots } from "../../policies/pilots/slates.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { pilotFor } from "../../sim-adapters/built-in.ts";
import { resolveSettings } from "../../sim-adapters/mujoco/settings.ts";
import { findTask, specOf } from "../../sim-adapters/mujoco/tasks.ts";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import { chooseTeacher, savedTeacher } from "../../src/algorithms/distillation/load-teacher.ts";
import type { DistilledPolicies } from "../../src/algorithms/distillation/run-checkpoint.ts";
import type { DistillationConfig } from "../../src/algorithms/distillation/settings.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { itemsIn, recommend, rowOf } from "./recommending.ts";

const task = findTask("quadcopter");
const quadcopter = specOf(task, 20, resolveSettings({}, task.rules));
const numEnvs = 30;

function chosen(spec: EnvSpec, ...overrides: readonly string[]) {
  const { config } = resolveConfig({ overrides: [`task=${spec.task}`, ...overrides] });
  return chooseTeacher(config as DistillationConfig, spec);
}

/** Slates of 30 users at the beginning, with their scores of all items. */
async function first(name: SlatePilot) {
  const env = await recommend({ task: "slates-focused_mix", numEnvs });
  const items = itemsIn(env);
  const frame = await env.reset(9);
  const pilot = createSlatePilot({ name, spec: env.spec, items });
  const { actions } = await pilot.act(frame, pilot.initialMemory(numEnvs));
  const users = Array.from({ length: numEnvs }, (_, i) => {
    const user = rowOf(env, frame, { group: "user", i }).slice(0, 20);
    const scores = Array.from({ length: 1000 }, (_, item) =>
      user.reduce((sum, u, k) => sum + u * items.embeddings[20 * item + k]!, 0),
    );
    return { slate: [...actions.subarray(10 * i, 10 * i + 10)], scores };
  });
  return { env, items, frame, pilot, actions, users };
}

const byScore = (scores: readonly number[]) =>
  [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);

describe("who recommends", () => {
  it("as the oracle shows what is liked best, best first", async () => {
    for (const { slate, scores } of (await first("oracle")).users) {
      expect(slate).toEqual(byScore(scores).slice(0, 10));
    }
  });

  it("greedily takes the best of which no third has the same main topic", async () => {
    const { users, items } = await first("greedy");
    for (const { slate, scores } of users) {
      const counts = Array(10).fill(0) as number[];
      const fits = (item: number) => counts[items.mainTopic[item]!]!++ < 2;
      expect(slate).toEqual(byScore(scores).filter(fits).slice(0, 10));
    }
  });

  it("as the logging policy leaves about half of the oracle's items in their places", async () => {
    const { users, pilot, frame, actions } = await first("logging");
    const kept = users.map(({ slate, scores }) => {
      const best = byScore(scores);
      return slate.filter((item, rank) => item === best[rank]).length;
    });
    expect(kept.reduce((sum, one) => sum + one)).toBeGreaterThan(120);
    expect(kept.reduce((sum, one) => sum + one)).toBeLessThan(180);
    expect(new Set(kept).size).toBeGreaterThan(3);
    // The same of the same, something else a turn later.
    const again = await pilot.act(frame, pilot.initialMemory(numEnvs));
    expect(again.actions).toEqual(actions);
    const started = new Uint8Array(numEnvs);
    const later = await pilot.act({ ...frame, started }, again.memory);
    expect(later.actions).not.toEqual(actions);
  });

  it("at random shows everything to everybody", async () => {
    const { actions } = await first("random");
    expect(new Set(actions).size).toBeGreaterThan(240);
    expect(Math.max(...actions)).toBeLessThan(1000);
  });
});

describe("as teachers", () => {
  it("they are chosen by name, kept in a checkpoint by it, and fly nothing but slates", async () => {
    const { spec } = await recommend({ numEnvs: 20 });
    for (const name of slatePilots) {
      const { facts, policy } = await chosen(spec, `checkpoint=${name}`);
      expect(facts).toEqual({ kind: name, activation: "identity", reads: ["user"] });
      expect([policy.observationWidth, policy.actionWidth]).toEqual([40, 10]);
      const saved = { teacher: facts } as unknown as DistilledPolicies;
      expect((await savedTeacher(saved, { spec, path: "x.pt" })).facts).toEqual(facts);
      await expect(chosen(quadcopter, `checkpoint=${name}`)).rejects.toMatchObject({
        ...{ code: "other-task", hint: expect.stringContaining("slates-diffuse_topdown") },
      });
    }
    expect((await chosen(spec)).facts.kind).toBe("logging");
    expect(pilotFor("slates_diffuse_mixed")).toBe("logging");
  });

  it("they see the user in a run, whatever its student sees", () => {
    for (const overrides of [[], ["checkpoint=greedy"]]) {
      const task = ["task=slates-focused_mix", "obs_groups.student=[policy]"];
      const { config } = resolveConfig({ overrides: [...task, ...overrides] });
      expect(distillation.wishes(config as DistillationConfig)).toEqual([
        { groups: ["policy", "user"] },
      ]);
    }
  });

  it("they say which group they miss", async () => {
    const { spec } = await recommend();
    const { policy } = spec.observations;
    const blind = { ...spec, observations: { policy: policy! } };
    await expect(chosen(blind, "checkpoint=oracle")).rejects.toThrow(
      /sees the user in the group 'user'; task 'slates-diffuse_topdown' shows policy/,
    );
  });
});
