import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GruBelief } from "../../../policies/beliefs/gru-belief.ts";
import { readCheckpointFile } from "../../../policies/checkpoint/checkpoint-file.ts";
import { actsThroughRanker } from "../../../policies/checkpoint/own-facts.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { createRanker } from "../../../policies/rankers/create-ranker.ts";
import { RankedPolicy } from "../../../policies/rankers/ranked-policy.ts";
import { openSlates } from "../../../sim-adapters/slates/open-slates.ts";
import { loadAgent as loadFrozen } from "../../../src/algorithms/offline/slates/load-agent.ts";
import {
  asLatents,
  beliefConfig,
  rankedOf,
  turnNetworkOf,
} from "../../../src/algorithms/offline/slates/ranked-site.ts";
import { rankerBytes, readRanker } from "../../../src/algorithms/offline/slates/ranker-file.ts";
import { recordedTurns } from "../../../src/algorithms/offline/slates/recorded-batches.ts";
import { algorithmNamed } from "../../../src/algorithms/registry.ts";
import { type RankerOrder, trainRanker } from "../../../src/algorithms/slates/train-ranker.ts";
import { loadAgent } from "../../../src/api/load-agent.ts";
import { rankerIn } from "../../../src/cli/inspect-ranker.ts";
import { openFlights } from "../../../src/datasets/open-flights.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { trainHere } from "../offline/offline-run.ts";
import { logSlates } from "./logged.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-slates-"));
const data = join(work, "logged.hdf5");
const rankerPath = join(work, "ranker.pt");
afterAll(() => rmSync(work, { recursive: true, force: true }));

const silent = { onEpoch: () => {} };
const order: RankerOrder = {
  ...{ ranker: "TopK", embeddings: "ideal", task: "slates-diffuse_topdown", seed: 0 },
  ...{ epochs: 1, batch: 256, latentWidth: null },
  ...{ klWeight: 1, clickWeight: 0.5, klWarmup: 0 },
};

beforeAll(async () => {
  await startEngine("auto");
  await logSlates(data, { episodes: 6, turns: 30 });
  const flights = await openFlights(data);
  const { ranker } = await trainRanker(flights, order, silent);
  await writeFile(rankerPath, await rankerBytes(ranker));
  flights.close();
});

const settings = { encoder: "gru", turns: 4, hidden_dim: 6, state_dim: 5 } as const;

describe("flights of slates, seen as flights of latents,", () => {
  it("show at each turn what a belief in flight would have remembered", async () => {
    const flights = await openFlights(data);
    const ranker = await readRanker(rankerPath);
    const ranked = await rankedOf(ranker, beliefConfig(settings, flights.spec.groups), null);
    const latents = asLatents(flights, ranked);
    const { network } = turnNetworkOf(ranked.belief, ranked.arrays, { random: Math.random });
    const belief = new GruBelief(ranked.belief, network);
    const seen = new Float32Array(31 * 20);
    flights.read("obs/policy", { episode: 2, from: 0, count: 31 }, seen, 0);
    const width = latents.spec.groups.history!.width;
    const history = new Float32Array(31 * width);
    latents.read("obs/history", { episode: 2, from: 0, count: 10 }, history, 0);
    latents.read("obs/history", { episode: 2, from: 10, count: 21 }, history, 10 * width);
    let memory = belief.reset(1);
    for (let turn = 0; turn < 31; turn += 1) {
      const policy = seen.subarray(20 * turn, 20 * turn + 20);
      const started = Uint8Array.of(turn === 0 ? 1 : 0);
      const believed = await belief.encode({ observations: { policy }, started }, memory);
      memory = believed.memory;
      const row = tf.tidy(() => {
        const codes = tf.tensor2d(history.slice(turn * width, (turn + 1) * width), [1, width]);
        return network.forward(codes, []).outputs.dataSync();
      });
      expect([...believed.state]).toEqual([...row]);
    }
    flights.close();
  });

  it("are refused where they hold no slates, or other ones than the ranker's", async () => {
    const flights = await openFlights(data);
    const sizes = { items: 9, itemWidth: 2, slots: 3, latentWidth: 2, seed: 1 };
    const about = { ranker: "TopK", embeddings: "mf", task: "t", dataset: "d" } as const;
    const ranker = createRanker({ ...about, ...sizes }, new Float32Array(18));
    const ranked = await rankedOf(ranker, beliefConfig(settings, flights.spec.groups), null);
    expect(() => asLatents(flights, ranked)).toThrow(/slates of 10 items.*slates of 3/);
    flights.close();
  });
});

const small = [
  ...[
    "updates_per_iteration=2",
    "max_iterations=2",
    "save_interval=2",
    "checks.report_gradients=2",
  ],
  ...["algorithm.batch_size=16", "algorithm.actor_hidden_dims=[8]"],
  ...["belief.turns=3", "belief.hidden_dim=6", "belief.state_dim=5"],
];

async function runOf(agent: string, more: readonly string[] = []) {
  const critics = ["bc", "reinforce"].includes(agent) ? [] : ["algorithm.critic_hidden_dims=[8]"];
  const named = [`algorithm.class_name=${agent}`, `dataset=${data}`, `ranker=${rankerPath}`];
  return trainHere(join(work, "logs"), [...named, ...small, ...critics, ...more]);
}

describe.each([...["td3_bc", "iql", "cql", "rebrac", "bc", "sac", "reinforce", "wolpertinger"]])(
  "%s",
  (agent) => {
    let flown: Awaited<ReturnType<typeof runOf>>;
    beforeAll(async () => {
      const steady = agent === "iql" ? ["algorithm.max_steps=100"] : [];
      flown = await runOf(agent, ["seed=7", ...steady]);
    });

    it("learns in the latent space, its belief moved by its owner alone, and flies when it is loaded", async () => {
      const { exitCode, error, events, run } = flown;
      expect(error?.message).toBeUndefined();
      expect(exitCode).toBe(0);
      const flow = events.find(({ type }) => type === "gradient-flow");
      expect(flow?.message).toMatch(/flow as claimed/);
      const env = await openSlates({ task: "slates-diffuse_topdown", numEnvs: 3 });
      const algorithm = algorithmNamed(agent)!;
      const saved = await algorithm.read(join(run, "model_1.pt"));
      const { student } = await algorithm.policies(saved, env.spec);
      const { actions } = await student!.act(await env.reset(1), student!.initialMemory(3));
      expect(actions).toHaveLength(30);
      await env.step(actions);
      // What it says of itself keeps others from taking its network for a policy.
      const { infos } = await readCheckpointFile(join(run, "model_1.pt"));
      expect(actsThroughRanker(infos)).toBe(true);
      const { parts } = student as RankedPolicy;
      const loaded = await loadAgent(run, { noise: 0.2 });
      expect(loaded.get_config()).toMatchObject({ agent, stateWidth: 5, latentWidth: 20 });
      const state = Float32Array.from({ length: 10 }, new Random(1).normal);
      const latents = await loaded.select_action(state);
      const observations = { [parts.agent.reads[0]!]: state };
      const acted = await parts.agent.act({ observations, started: new Uint8Array(2) }, []);
      expect(latents).toEqual(acted.actions);
      expect(await loaded.select_action(state, false)).not.toEqual(latents);
      await expect(loaded.select_action(new Float32Array(7))).rejects.toThrow(/no states of 5/);
      for (const one of [student!, loaded]) one.dispose();
      await env.close();
    });

    it("goes on learning from a checkpoint on batches it is given, as its run did", async () => {
      const { run } = flown;
      const loaded = await loadAgent(join(run, "model_0.pt"));
      const turns = await recordedTurns(loaded, data, {
        ...{ rows: 16, seed: deriveSeed(7, "transitions") },
      });
      const state = Float32Array.from({ length: 10 }, new Random(1).normal);
      const before = await loaded.select_action(state);
      turns.draw(2);
      const figures = await loaded.train_step(turns.draw(2));
      expect(figures["Train/updates"]).toBe(4);
      const { learner } = (await algorithmNamed(agent)!.read(join(run, "model_1.pt"))).state;
      const own = await loaded.save();
      expect(own.counters).toEqual(learner.counters);
      for (const [name, { data }] of Object.entries(learner.arrays)) {
        expect([name, own.arrays[name]!.data]).toEqual([name, data]);
      }
      expect(await loaded.select_action(state)).not.toEqual(before);
      const first = await loadAgent(join(run, "model_0.pt"));
      first.load(own);
      expect(await first.select_action(state)).toEqual(await loaded.select_action(state));
      turns.close();
      for (const one of [first, loaded]) one.dispose();
    });
  },
);

describe("an agent", () => {
  let run: string;
  beforeAll(async () => {
    ({ run } = await runOf("bc"));
  });

  it("is frozen without its run's configuration, and says so", async () => {
    const alone = join(work, "alone.pt");
    copyFileSync(join(run, "model_1.pt"), alone);
    const loaded = await loadAgent(alone);
    const batch = { steps: 1, numEnvs: 1, arrays: {} };
    await expect(loaded.train_step(batch)).rejects.toThrow(/alone\.pt can't learn.*agent\.yaml/);
    await expect(recordedTurns(loaded, data)).rejects.toThrow(/can't learn/);
    expect(Object.keys((await loaded.save()).arrays)[0]).toMatch(/^parameters\/actor/);
    loaded.dispose();
  });

  it("is told from its ranker by whoever inspects the files", async () => {
    const torn = join(work, "torn.pt");
    await writeFile(torn, "PK torn");
    const about = { ranker: "TopK", embeddings: "ideal", items: 1000, slots: 10 };
    expect(await rankerIn(rankerPath)).toMatchObject(about);
    for (const file of [join(run, "model_1.pt"), torn]) {
      expect(await rankerIn(file)).toBeUndefined();
    }
  });

  it("names what a batch lacks", async () => {
    const loaded = await loadAgent(run);
    const arrays = { actions: new Float32Array(40), rewards: new Float32Array(2) };
    const batch = { steps: 1, numEnvs: 2, arrays };
    await expect(loaded.train_step(batch)).rejects.toThrow(
      /holds no 'terminated', but actions, rewards/,
    );
    loaded.dispose();
  });

  it("flies with another ranker where the widths agree, else both widths are said", async () => {
    const flights = await openFlights(data);
    const other = async (ranker: "Softmax" | "WkNN") =>
      (await trainRanker(flights, { ...order, ranker, embeddings: "ideal" }, silent)).ranker;
    const agent = await loadFrozen(run, { ranker: await other("Softmax") });
    expect(agent.policy).toBeInstanceOf(RankedPolicy);
    await expect(loadFrozen(run, { ranker: await other("WkNN") })).rejects.toThrow(
      /latents of 20 numbers, the ranker WkNN takes 200/,
    );
    flights.close();
  });
});

describe("a belief", () => {
  it("is the actor's where that is said, or refused where there is no such owner", async () => {
    const { events, error } = await runOf("td3_bc", ["belief.owner=actor"]);
    expect(error).toBeUndefined();
    const flow = events.find(({ type }) => type === "gradient-flow");
    expect(flow?.message).toMatch(/flow as claimed/);
    const groups = JSON.stringify(flow);
    expect(groups).not.toMatch(/leak|orphan/);
    await expect(runOf("bc", ["belief.owner=critic"])).rejects.toThrow(
      /belief.owner is critic, and this learner has actor/,
    );
  });

  it("may be the user whom nobody sees: a privileged reference", async () => {
    const { exitCode, run } = await runOf("td3_bc", ["belief.encoder=user"]);
    expect(exitCode).toBe(0);
    const agent = await loadAgent(run);
    expect(agent.get_config()).toMatchObject({ stateWidth: 40, belief: { belief: "user" } });
    agent.dispose();
  });
});
