/** From recorded flights to flights of one's own, in a simulator in this process. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../policies/random.ts";
import type { VectorEnv } from "../../../sim-adapters/vector-env.ts";
import type { SavedRun } from "../../../src/algorithms/algorithm.ts";
import { ReplayBuffer } from "../../../src/algorithms/offline/replay-buffer.ts";
import { completed, resolveConfig } from "../../../src/config/resolve.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { type Compile, eagerly } from "../../../src/engine/compile/program.ts";
import { startEngine } from "../../../src/engine/start.ts";
import type { Experience } from "../../../src/learning/experience.ts";
import { noProgress } from "../../../src/running/run-state.ts";
import { prepareRun } from "../../../src/training/assemble.ts";
import { PointMass } from "../../remote/point-mass.ts";
import { synthesise, trainHere } from "./offline-run.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-online-"));
const data = join(work, "flights.hdf5");
beforeAll(async () => {
  await startEngine("auto");
  await synthesise(data, { episodes: 4, actionStd: 0.5, observationWidth: 2, actionWidth: 1 });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Recorded rewards are ten times an action, fresh ones −|position|, at most 0 and small. */
const isFresh = (reward: number) => reward <= 0 && reward > -2.2;

function pointMass(): VectorEnv {
  return new PointMass({ settings: { max_steps: 7 }, numEnvs: 5 } as never) as VectorEnv;
}

async function assembled(
  overrides: readonly string[],
  saved?: SavedRun,
  compile: Compile = eagerly,
) {
  const tiny = [
    ...[`dataset=${data}`, "algorithm.batch_size=16", "updates_per_iteration=2", "task="],
    ...["evaluation.interval=2", "evaluation.episodes=5", "max_iterations=8"],
    ...["algorithm.actor_hidden_dims=[8]", "online_steps=4"],
  ];
  const given = resolveConfig({ overrides: [...tiny, ...overrides] });
  const { config, algorithm } = await completed(given, { resumed: false });
  const site = { config, env: pointMass(), say: () => {}, saved, compile };
  return { algorithm, ...(await prepareRun(algorithm, site)) };
}

/** Compiled programs that nobody has freed yet. */
function watched(living: Set<object>): Compile {
  const compile = compileWith("on");
  return (options) => {
    const program = compile(options);
    living.add(program);
    return {
      run: (...call) => program.run(...call),
      dispose: () => {
        living.delete(program);
        program.dispose();
      },
    };
  };
}

type Run = Awaited<ReturnType<typeof assembled>>["assembled"];

async function fly({ plan, source, learner, judge }: Run, from: number, to: number) {
  const seen: { experience: Experience; steps: number; figures: object }[] = [];
  for (let iteration = from; iteration < to; iteration += 1) {
    const { stage } = plan.at(iteration);
    const { experience, environmentSteps } = await source.next(stage);
    const figures = await learner.update(experience, stage);
    await judge.assess(iteration, stage);
    seen.push({ experience, steps: environmentSteps, figures });
  }
  return seen;
}

const small = "algorithm.critic_hidden_dims=[8]";

const td3 = ["algorithm.class_name=td3_bc", "algorithm.policy_freq=1", small];

const iql = ["algorithm.class_name=iql", small];

describe("a run with a share of flights of its own", () => {
  it("has in each batch so many steps that the student has just flown", async () => {
    const { assembled: run } = await assembled([...td3, "online_share=0.25"]);
    const seen = await fly(run, 0, 3);
    for (const { experience, steps } of seen) {
      expect(steps).toBe(20);
      const rewards = [...experience.arrays.rewards!];
      for (const batch of [rewards.slice(0, 16), rewards.slice(16)]) {
        expect(batch.slice(12).every(isFresh)).toBe(true);
        expect(
          batch.slice(0, 12).filter((reward) => Math.abs(reward) > 2.2).length,
        ).toBeGreaterThan(4);
      }
      // A step's parts belong together: the reward is what its successor shows.
      const next = experience.arrays["next/policy"]!;
      for (const i of [12, 13, 14, 15]) expect(rewards[i]).toBeCloseTo(-Math.abs(next[2 * i]!), 4);
    }
    run.learner.dispose();
    await run.source.close();
  });

  it("comes to the same bits when it is broken off and goes on, with its flights and its fleet", async () => {
    for (const { own, stop, share = 0.5 } of [
      { own: td3, stop: 3 },
      { own: td3, stop: 4 },
      { own: iql, stop: 3 },
      { own: iql, stop: 3, share: 1 },
    ]) {
      const mixed = [...own, `online_share=${share}`];
      const straight = await assembled(mixed);
      const whole = await fly(straight.assembled, 0, 6);
      const first = await assembled(mixed);
      const { source, learner, write } = first.assembled;
      await fly(first.assembled, 0, stop);
      const progress = { ...noProgress, iteration: stop };
      const state = {
        progress,
        plan: null,
        source: await source.save(),
        learner: await learner.save(),
      };
      const path = join(work, `model_${stop - 1}.pt`);
      writeFileSync(path, await write(state));
      const saved = await first.algorithm.read(path);
      const second = await assembled(mixed, saved);
      const rest = await fly(second.assembled, stop, 6);
      expect(rest).toEqual(whole.slice(stop));
      const places = [straight, second].map(({ assembled: run }) => run.source.save());
      const [one, other] = await Promise.all(places);
      expect(other!.facts).toEqual(one!.facts);
      for (const { assembled: run } of [straight, first, second]) {
        run.learner.dispose();
        await run.source.close();
      }
    }
  });

  it.each([[td3], [["algorithm.class_name=sac", small]], [["algorithm.class_name=reinforce"]]])(
    "leaves nothing compiled behind, nor a tensor: %j",
    async (own) => {
      const before = tf.memory().numTensors;
      const living = new Set<object>();
      const online = [...own, "online_share=1"];
      const { assembled: run } = await assembled(online, undefined, watched(living));
      await fly(run, 0, 2);
      expect(living.size).toBeGreaterThan(1);
      run.dispose();
      await run.source.close();
      expect([living.size, tf.memory().numTensors]).toEqual([0, before]);
    },
  );

  it("goes on from one that learned from recorded flights alone", async () => {
    const offline = await assembled(td3);
    await fly(offline.assembled, 0, 2);
    const { source, learner, write } = offline.assembled;
    const progress = { ...noProgress, iteration: 2 };
    const path = join(work, "model_1.pt");
    const state = {
      progress,
      plan: null,
      source: await source.save(),
      learner: await learner.save(),
    };
    writeFileSync(path, await write(state));
    const saved = await offline.algorithm.read(path);
    const online = await assembled([...td3, "online_share=0.5"], saved);
    expect(online.resumedFrom).toMatch(/first flights of its own/);
    const [{ experience } = {}] = await fly(online.assembled, 2, 3);
    expect([...experience!.arrays.rewards!.slice(8, 16)].every(isFresh)).toBe(true);
    for (const { assembled: run } of [offline, online]) {
      run.learner.dispose();
      await run.source.close();
    }
  });

  it("gives ReBRAC the action of the following step", async () => {
    const own = ["algorithm.class_name=rebrac", small, "online_share=0.5", "online_noise=0.5"];
    const { assembled: run } = await assembled(own);
    const [{ experience } = {}] = await fly(run, 0, 1);
    const { arrays } = experience!;
    const fresh = [...arrays.rewards!.keys()].slice(8, 16);
    const same = fresh.filter((i) => arrays["notes/next_actions"]![i] === arrays.actions![i]);
    expect(same.length).toBeLessThan(4);
    run.learner.dispose();
    await run.source.close();
  });

  it("refuses flights of a single step to whom needs the next action", async () => {
    const own = ["algorithm.class_name=rebrac", "online_share=0.5", "online_steps=1"];
    await expect(assembled(own)).rejects.toMatchObject({ code: "nothing-follows" });
  });

  it("needs somewhere to fly", async () => {
    const flown = trainHere(join(work, "logs"), [
      ...[...td3, `dataset=${data}`, "online_share=0.5", "task="],
    ]);
    await expect(flown).rejects.toMatchObject({ code: "nowhere-to-fly" });
  });

  it("is for learners of values or of what they draw: who imitates knows no such key", () => {
    const overrides = ["algorithm.class_name=bc", "dataset=x", "online_share=0.5"];
    expect(() => resolveConfig({ overrides })).toThrow(/online_share/);
  });

  it("says which of its settings have no effect without a share", () => {
    const overrides = [...td3, "dataset=x", "online_noise=0.2"];
    expect(resolveConfig({ overrides }).notices.join()).toMatch(/online_noise .*online_share is 0/);
    const used = resolveConfig({ overrides: [...overrides, "online_share=0.5"] });
    expect(used.notices.join()).not.toMatch(/No effect/);
  });
});

describe("the steps that were flown", () => {
  const rollout = (steps: number, first: number): Experience => {
    const numbers = Float32Array.from({ length: steps * 2 }, (_, i) => first + i);
    const terminated = Uint8Array.from(numbers, (n) => (n === 102 ? 1 : 0));
    const truncated = Uint8Array.from(numbers, (n) => (n === 103 ? 1 : 0));
    return {
      steps,
      numEnvs: 2,
      arrays: { actions: numbers, rewards: numbers, terminated, truncated },
    };
  };
  const empty = (rows: number, names: readonly string[]): Experience => {
    const arrays = names.map((name) => [name, new Float32Array(rows)] as const);
    return { steps: 1, numEnvs: rows, arrays: Object.fromEntries(arrays) };
  };

  it("are the latest ones", () => {
    const buffer = new ReplayBuffer(6, new Random(1));
    for (const first of [0, 10, 20]) buffer.add(rollout(2, first), ["rewards"]);
    const into = empty(200, ["rewards"]);
    buffer.mixInto(into, 200);
    expect(buffer.rows).toBe(6);
    expect([...new Set(into.arrays.rewards)].sort((a, b) => a - b)).toEqual([
      12, 13, 20, 21, 22, 23,
    ]);
  });

  it.each([4, 6, 9])("go on in a buffer of %i as the latest ones, in the order of time", (size) => {
    const before = new ReplayBuffer(6, new Random(1));
    for (const first of [0, 10]) before.add(rollout(2, first), ["rewards"]);
    const { facts, bytes } = before.save();
    const after = new ReplayBuffer(size, new Random(1));
    after.load(facts, bytes);
    after.add(rollout(1, 20), ["rewards"]);
    const into = empty(300, ["rewards"]);
    after.mixInto(into, 300);
    const rows = [2, 3, 10, 11, 12, 13, 20, 21].slice(-size);
    expect(after.rows).toBe(rows.length);
    expect([...new Set(into.arrays.rewards)].sort((a, b) => a - b)).toEqual(rows);
  });

  it("have the next action of their environment, or are left out where nobody knows it", () => {
    const buffer = new ReplayBuffer(100, new Random(1));
    const names = ["actions", "notes/next_actions"];
    buffer.add(rollout(4, 100), names);
    const into = empty(300, names);
    buffer.mixInto(into, 300);
    const { actions, "notes/next_actions": next } = into.arrays;
    const pairs = new Set(Array.from(actions!, (action, i) => `${action}→${next![i]}`));
    // 102 died, 103 was cut off, 106 and 107 were the last.
    expect([...pairs].sort()).toEqual(["100→102", "101→103", "102→102", "104→106", "105→107"]);
  });
});

describe("flights that nothing can be learned from", () => {
  const refused = (path: string) =>
    trainHere(join(work, "logs"), ["algorithm.class_name=lapo", `dataset=${path}`]);

  it("are refused by name, with the next move: a single one, or a group that never changes", async () => {
    const single = join(work, "single.hdf5");
    await synthesise(single, { episodes: 1, actionStd: 0.5 });
    await expect(refused(single)).rejects.toMatchObject({
      code: "one-episode",
      message: expect.stringMatching(/single.hdf5 holds a single episode of 50 steps/),
      hint: expect.stringMatching(/--episodes/),
    });
    const still = join(work, "still.hdf5");
    await synthesise(still, { episodes: 2, actionStd: 0.5, observationStd: 0 });
    await expect(refused(still)).rejects.toMatchObject({
      code: "constant-observations",
      message: expect.stringMatching(/'policy' never changes in .*still.hdf5: it is \[0, 0, 0\]/),
      hint: expect.stringMatching(/obs_groups.student/),
    });
  });
});
