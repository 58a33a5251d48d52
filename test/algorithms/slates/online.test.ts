/** Agents that show slates of their own through a frozen ranker, in the simulator in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RankerName } from "../../../policies/rankers/ranker.ts";
import { openSlates } from "../../../sim-adapters/slates/open-slates.ts";
import type { Assembled } from "../../../src/algorithms/algorithm.ts";
import { flownToGo } from "../../../src/algorithms/offline/flown-to-go.ts";
import { rankerBytes, readRanker } from "../../../src/algorithms/offline/slates/ranker-file.ts";
import { trainRanker } from "../../../src/algorithms/slates/train-ranker.ts";
import { completed, resolveConfig } from "../../../src/config/resolve.ts";
import { openFlights } from "../../../src/datasets/open-flights.ts";
import { startEngine } from "../../../src/engine/start.ts";
import type { Experience } from "../../../src/learning/experience.ts";
import { noProgress } from "../../../src/running/run-state.ts";
import { prepareRun } from "../../../src/training/assemble.ts";
import { logSlates } from "./logged.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-online-slates-"));
const data = join(work, "logged.hdf5");
const pathOf = (ranker: RankerName) => join(work, `${ranker}.pt`);
afterAll(() => rmSync(work, { recursive: true, force: true }));

beforeAll(async () => {
  await startEngine("auto");
  await logSlates(data, { episodes: 4, turns: 30 });
  const flights = await openFlights(data);
  for (const ranker of ["TopK", "WkNN"] as const) {
    const order = {
      ...{ ranker, embeddings: "ideal" as const, task: "slates-diffuse_topdown", seed: 0 },
      ...{ epochs: 1, batch: 64, latentWidth: null },
      ...{ klWeight: 1, clickWeight: 0.5, klWarmup: 0 },
    } as const;
    const trained = await trainRanker(flights, order, { onEpoch: () => {} });
    await writeFile(pathOf(ranker), await rankerBytes(trained.ranker));
  }
  flights.close();
});

async function assembled(agent: string, ranker: RankerName, path?: string) {
  const critics = agent === "reinforce" ? [] : ["algorithm.critic_hidden_dims=[8]"];
  const given = [
    ...[`algorithm.class_name=${agent}`, `dataset=${data}`, `ranker=${pathOf(ranker)}`],
    ...["updates_per_iteration=2", "max_iterations=4", "evaluation.interval=100"],
    ...["algorithm.batch_size=16", "algorithm.actor_hidden_dims=[8]", ...critics],
    ...["belief.turns=3", "belief.hidden_dim=6", "belief.state_dim=5"],
    ...["online_share=1", "online_steps=5"],
  ];
  const resolved = resolveConfig({ overrides: given });
  const { config, algorithm } = await completed(resolved, { resumed: false });
  const env = await openSlates({ task: "slates-diffuse_topdown", numEnvs: 3 });
  const shown: Float32Array[] = [];
  const step = env.step.bind(env);
  env.step = (actions) => {
    shown.push(actions.slice());
    return step(actions);
  };
  const saved = path === undefined ? undefined : await algorithm.read(path);
  return { ...(await prepareRun(algorithm, { config, env, say: () => {}, saved })), shown };
}

/** Of the turns of one environment, those that stand in a row of codes: items from 0. */
const itemsIn = (codes: ArrayLike<number>) => Array.from(codes, (code) => Math.abs(code) - 1);

describe("an agent that learns from slates of its own alone", () => {
  it("sees in each batch what its ranker showed, before and after", async () => {
    const { assembled: run, shown } = await assembled("sac", "TopK");
    await run.source.start();
    const ranker = await readRanker(pathOf("TopK"));
    for (let iteration = 0; iteration < 3; iteration += 1) {
      const { stage } = run.plan.at(iteration);
      const { experience, environmentSteps } = await run.source.next(stage);
      expect(environmentSteps).toBe(15);
      const { arrays } = experience as Experience;
      const rows = experience.steps * experience.numEnvs;
      const slates = await ranker.rank(arrays.actions as Float32Array);
      const known = new Set(shown.flatMap((all) => [0, 1, 2].map((row) => textOf(all, row))));
      for (let i = 0; i < rows; i += 1) {
        const own = slates.subarray(10 * i, 10 * i + 10);
        expect(known).toContain(own.join());
        const [before, after] = ["obs/history", "next/history"].map((name) => {
          return arrays[name]!.subarray(30 * i, 30 * i + 30);
        });
        expect(itemsIn(after!.subarray(20))).toEqual([...own]);
        expect([...after!.subarray(0, 20)]).toEqual([...before!.subarray(10)]);
        const clicks = after!.subarray(20).filter((code) => code < 0).length;
        expect(arrays.rewards![i]).toBe(clicks);
      }
      await run.learner.update(experience, stage);
    }
    ranker.dispose();
    run.learner.dispose();
    await run.source.close();
  });

  it.each([
    ["wolpertinger", "TopK"],
    ["sac", "WkNN"],
    ["reinforce", "TopK"],
    ["td3_bc", "WkNN"],
  ] as const)("may be %s through %s, by what stands for what was shown", async (agent, name) => {
    const { assembled: run, shown } = await assembled(agent, name);
    await run.source.start();
    const { stage } = run.plan.at(0);
    const { experience } = await run.source.next(stage);
    const ranker = await readRanker(pathOf(name));
    const slates = await ranker.rank(experience.arrays.actions as Float32Array);
    const known = new Set(shown.flatMap((all) => [0, 1, 2].map((row) => textOf(all, row))));
    for (let i = 0; i < slates.length; i += 10) {
      expect(known).toContain(slates.subarray(i, i + 10).join());
    }
    const metrics = await run.learner.update(experience, stage);
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    ranker.dispose();
    run.learner.dispose();
    await run.source.close();
  });

  it.each(["sac", "td3_bc"])(
    "goes on from its checkpoint's file as if it had never stopped: %s",
    async (agent) => {
      const flown = async (stopped: boolean) => {
        let run = (await assembled(agent, "TopK")).assembled;
        for (const iteration of [0, 1, 2]) {
          if (stopped && iteration === 2) run = await again(run, agent, iteration);
          const { stage } = run.plan.at(iteration);
          const { experience } = await run.source.next(stage);
          await run.learner.update(experience, stage);
          if (iteration < 2) continue;
          const { arrays } = await run.learner.save();
          run.learner.dispose();
          return { actions: experience.arrays.actions, arrays };
        }
        return undefined;
      };
      expect(await flown(true)).toEqual(await flown(false));
    },
  );
});

/** Through the bytes on disk, as `train --resume` does. */
async function again(run: Assembled, agent: string, iteration: number): Promise<Assembled> {
  const path = join(work, `model_${iteration - 1}.pt`);
  const bytes = await run.write({
    progress: { ...noProgress, iteration },
    plan: run.plan.save(),
    learner: await run.learner.save(),
    source: await run.source.save(),
  });
  await writeFile(path, bytes);
  run.learner.dispose();
  return (await assembled(agent, "TopK", path)).assembled;
}

it("sums rewards of a rollout up to the end of each episode", () => {
  const column = (values: number[]) => Uint8Array.from(values);
  const arrays = {
    rewards: Float32Array.from([1, 10, 2, 20, 4, 40]),
    ...{ terminated: column([0, 1, 0, 0, 0, 0]), truncated: column([0, 0, 0, 0, 1, 0]) },
  };
  const { rewards } = flownToGo({ steps: 3, numEnvs: 2, arrays }, 0.5).arrays;
  expect([...rewards!]).toEqual([3, 10, 4, 40, 4, 40]);
});

function textOf(all: Float32Array, row: number): string {
  return all.subarray(10 * row, 10 * row + 10).join();
}
