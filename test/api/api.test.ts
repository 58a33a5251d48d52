import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import {
  connect,
  type EnvServer,
  evaluate,
  loadPolicy,
  type Metrics,
  serve,
  type Trained,
  train,
} from "../../src/index.ts";

import { synthesise } from "../algorithms/offline/offline-run.ts";

const teachersFolder = join(import.meta.dirname, "../../policies/teachers");
const work = mkdtempSync(join(tmpdir(), "firstsolo-api-"));
const task = "quadcopter";
const rows: [number, Metrics][] = [];
const events: string[] = [];
let simulator: EnvServer;
let flown: Trained;

const small = {
  num_envs: 12,
  num_steps_per_env: 8,
  log_root: join(work, "logs"),
  policy: { student_hidden_dims: [16, 16] },
  "algorithm.num_learning_epochs": 1,
  evaluation: { env_share: 0.34, final_episodes: 6 },
  pipeline: "off",
};

beforeAll(async () => {
  simulator = await serve({
    bind: `ipc://${work}/sim.ipc`,
    open: ({ numEnvs = 12, groups }) =>
      openMujoco({ task, numEnvs, groups, settings: { episode_length_s: 0.4 } }),
  });
  const settings = { ...small, max_iterations: 4, sim: { endpoint: simulator.endpoint } };
  flown = await train(settings, {
    onRow: (iteration, metrics) => rows.push([iteration, metrics]),
    onEvent: ({ type }) => events.push(type),
  });
});
afterAll(async () => {
  await simulator.close();
  rmSync(work, { recursive: true, force: true });
});

it("trains by settings in blocks or by dotted name, and tells of every row and event", () => {
  expect(rows.map(([iteration]) => iteration)).toEqual([0, 1, 2, 3]);
  expect(rows.at(-1)![1]["Loss/behavior"]).toBeGreaterThan(0);
  expect(events).toEqual(expect.arrayContaining(["start", "checkpoint", "judging", "landed"]));
  // By the simulator's own task, not by the default one.
  expect(dirname(flown.run)).toBe(join(work, "logs", "quadcopter_distillation"));
  expect(flown.summary).toMatchObject({ iterations: 4, finished: true });
  expect(flown.interrupted).toBe(false);
});

it("leaves a run that Isaac Lab finds by its own rules", () => {
  const found = JSON.parse(readFileSync(join(flown.run, "run.json"), "utf8"));
  expect(found).toMatchObject({ version: 1, library: "rsl_rl", task });
  expect(found.metadata).toEqual({ agent: "rsl_rl_distillation_cfg_entry_point" });
  expect(found.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
  expect(found).toHaveProperty("id");
  expect(found).toHaveProperty("started_at");
});

it("evaluates a run: the figures of its summary", async () => {
  const { checkpoint, ...figures } = await evaluate(flown.run, { episodes: 6 });
  expect(existsSync(String(checkpoint))).toBe(true);
  expect(flown.summary).toMatchObject(figures);
});

it("evaluates any policy alone, by the rules of train", async () => {
  const sim = simulator.endpoint;
  const file = join(teachersFolder, "hover-rsl_rl-5.4.2.pt");
  const alone = await evaluate(file, { task, episodes: 6, sim, numEnvs: 6 });
  const other = await evaluate("hover", { task, episodes: 6, sim, numEnvs: 6 });
  expect(alone).toMatchObject({ task, deaths: 0, policy: expect.stringContaining("5.4.2.pt") });
  expect(alone.return).not.toBe(other.return);
  expect(Object.keys(alone).filter((name) => /teacher|student/.test(name))).toEqual([]);
});

it("loads a run's student and has it act", async () => {
  const policy = await loadPolicy(flown.run);
  const observations = { policy: new Float32Array(2 * policy.observationWidth).fill(0.1) };
  const frame = { observations, started: Uint8Array.of(1, 1) };
  const { actions } = await policy.act(frame, policy.initialMemory(2));
  expect(actions).toHaveLength(2 * policy.actionWidth);
  expect(actions.slice(0, 4)).toEqual(actions.slice(4));
  policy.dispose();
});

it("connects to what it serves", async () => {
  const env = await connect({ endpoint: simulator.endpoint, numEnvs: 2, groups: ["policy"] });
  const { started } = await env.reset(7);
  expect([env.spec.task, env.spec.numEnvs]).toEqual([task, 2]);
  expect([...started]).toEqual([1, 1]);
  expect((await env.step(new Float32Array(8))).rewards).toHaveLength(2);
  await env.close();
});

it("goes on with a run, and lands when its signal is aborted", async () => {
  const controller = new AbortController();
  const before = tf.memory().numTensors;
  const more = await train(
    { max_iterations: 100_000 },
    { resume: flown.run, signal: controller.signal, onRow: () => controller.abort() },
  );
  expect(more.run).toBe(flown.run);
  expect(more).toMatchObject({ interrupted: true, summary: { finished: false, iterations: 5 } });
  expect(tf.memory().numTensors).toBe(before);
});

it.each([
  ["throws", () => throwing()],
  ["rejects", async () => throwing()],
])("lands when a function of the program %s, and gives its error", async (_, onRow) => {
  const before = JSON.parse(readFileSync(join(flown.run, "summary.json"), "utf8"));
  const more = train({ max_iterations: 100_000 }, { resume: flown.run, onRow });
  await expect(more).rejects.toThrow("the program's own");
  const after = JSON.parse(readFileSync(join(flown.run, "summary.json"), "utf8"));
  expect(after).toMatchObject({ finished: false });
  expect(after.iterations).toBeGreaterThan(before.iterations);
});

function throwing(): never {
  throw new Error("the program's own");
}

it.runIf(existsSync("/proc/self/fd"))(
  "closes the recorded flights at a run's end, and where one is refused",
  async () => {
    const dataset = join(work, "flights.hdf5");
    await synthesise(dataset, { episodes: 6, actionStd: 0.3 });
    const few = { max_iterations: 1, updates_per_iteration: 1 };
    const named = { algorithm: "bc", "algorithm.batch_size": 8 };
    await train({ ...few, ...named, dataset, log_root: join(work, "logs") });
    for (const algorithm of ["bc", "world_model"]) {
      const unseen = { algorithm, dataset, "obs_groups.student": ["nowhere"] };
      await expect(train({ ...few, ...unseen })).rejects.toMatchObject({ code: "unknown-group" });
    }
    const open = readdirSync("/proc/self/fd").map(placeOf);
    expect(open.filter((path) => path.endsWith("flights.hdf5"))).toEqual([]);
  },
);

/** Where a descriptor leads; those of a folder being read are gone by then. */
function placeOf(descriptor: string): string {
  const path = join("/proc/self/fd", descriptor);
  return existsSync(path) ? readlinkSync(path) : "";
}

it("throws what the command would print", async () => {
  const error = { code: "unknown-key", hint: "Did you mean num_envs?" };
  await expect(train({ num_env: 3 })).rejects.toMatchObject(error);
});

it("is what the package exports, with its types", () => {
  const path = new URL("../../package.json", import.meta.url);
  const { exports, types } = JSON.parse(readFileSync(path, "utf8"));
  expect(exports["."]).toEqual({ types, default: "./dist/src/index.js" });
  expect(types).toBe("./dist/src/index.d.ts");
});

it("whoever flies alone in a task has nobody beside it", async () => {
  for (const more of [{ against: "hover" }, { last: true }]) {
    const failed = evaluate("hover", { task, ...more });
    await expect(failed).rejects.toMatchObject({ code: "bad-value" });
  }
});
