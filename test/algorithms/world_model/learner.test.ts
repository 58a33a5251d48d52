import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createWorldModel } from "../../../src/algorithms/world_model/model.ts";
import { shapeOf } from "../../../src/algorithms/world_model/world-facts.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { FlowMeter } from "../../../src/learning/flow-meter.ts";
import { faultsOf, judgeFlow } from "../../../src/learning/gradient-flow.ts";
import { facts, learnerOf, settingsOf, stagesOf, windowsFor } from "./a-world.ts";

beforeAll(() => startEngine("auto"));

/** Where the gradient of each update of the last stage arrives, group by group. */
async function flowsOf(changes: Readonly<Record<string, unknown>>) {
  const settings = settingsOf(changes);
  const learner = learnerOf(settings);
  const meter = new FlowMeter(learner.groups, { most: 2 });
  await learner.update(windowsFor(settings).draw(2), stagesOf(settings).last, meter);
  const report = judgeFlow(await meter.rows(), learner.groups, learner.updates);
  learner.dispose();
  const flows: Record<string, Record<string, string>> = {};
  for (const { update, group, flow } of report.entries) {
    flows[update] = { ...flows[update], [group]: flow };
  }
  return { flows, faults: faultsOf(report) };
}

describe("the policy's loss", () => {
  const reached = {
    joint: { representation: "flows", dynamics: "flows", prediction: "flows", heads: "none" },
    freeze: { representation: "flows", dynamics: "none", prediction: "flows", heads: "none" },
    cut: { representation: "none", dynamics: "none", prediction: "flows", heads: "none" },
  };

  it("reaches the dynamics in joint, by the actions that it predicts", async () => {
    const { flows, faults } = await flowsOf({ plan: "joint" });
    expect(flows.policy).toEqual(reached.joint);
    expect(faults).toEqual([]);
  });

  it("does not in freeze, but still reaches the representation", async () => {
    const { flows, faults } = await flowsOf({ plan: "freeze", warmup_epochs: 1 });
    expect(flows.policy).toEqual(reached.freeze);
    expect(flows.joint).toMatchObject({ dynamics: "flows" });
    expect(faults).toEqual([]);
  });

  it("reaches the prediction alone with the representation frozen too", async () => {
    const changes = { plan: "freeze", freeze: "representation", warmup_epochs: 1 };
    const { flows, faults } = await flowsOf(changes);
    expect(flows.policy).toEqual(reached.cut);
    expect(faults).toEqual([]);
  });

  it("moves the prediction alone where two optimisers take turns", async () => {
    const { flows, faults } = await flowsOf({ plan: "separate" });
    expect(flows.policy).toEqual(reached.cut);
    expect(flows.environment).toMatchObject({ prediction: "flows", heads: "flows" });
    expect(faults).toEqual([]);
  });

  it("is found out where a cut is claimed and there is none", async () => {
    const settings = settingsOf({ plan: "joint" });
    const learner = learnerOf(settings);
    const meter = new FlowMeter(learner.groups, { most: 1 });
    await learner.update(windowsFor(settings).draw(1), stagesOf(settings).last, meter);
    const claimed = learner.updates.map((update) =>
      update.name === "policy"
        ? { ...update, claims: { ...update.claims, dynamics: "zero" as const } }
        : update,
    );
    const report = judgeFlow(await meter.rows(), learner.groups, claimed);
    expect(faultsOf(report)).toMatchObject([
      { update: "policy", group: "dynamics", verdict: "leak" },
    ]);
    learner.dispose();
  });
});

describe("an update of a world model", () => {
  const kinds: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "one optimiser": { plan: "gradient_scale" },
    "two optimisers": { plan: "separate", heads: "categorical", head_bins: 11 },
    "a search": { use_mcts: true },
    "a history through a GRU": { encoder: "gru", history: 3 },
    "a history through a transformer": { encoder: "transformer", history: 3, hidden_dims: [8, 12] },
  };
  for (const [what, changes] of Object.entries(kinds)) {
    it(`comes to the same bits compiled or not, measured or not: ${what}`, async () => {
      const settings = settingsOf(changes);
      const { last: stage } = stagesOf(settings);
      const results = [];
      for (const mode of ["off", "on", "measured"] as const) {
        const compile = compileWith(mode === "on" ? "on" : "off");
        const learner = learnerOf(settings, { compile });
        const meter = mode === "measured" ? new FlowMeter(learner.groups, { most: 1 }) : undefined;
        const metrics = await learner.update(windowsFor(settings).draw(3), stage, meter);
        meter?.dispose();
        results.push({ state: await learner.save(), metrics });
        learner.dispose();
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
      const { metrics } = results[0]!;
      for (const name of ["bis", "rp", "value", "reward", "action"]) {
        expect(metrics[`Loss/loss_${name}`]).toBeGreaterThan(0);
        expect(metrics[`Weight/loss_${name}`]).toBe(1);
      }
      expect(metrics["Search/coverage"]).toBe(settings.use_mcts ? 2 / 6 : undefined);
    });
  }

  it("goes on from a saved state as if it had never stopped, and leaves no tensor behind", async () => {
    const settings = settingsOf({ use_mcts: true });
    const { last: stage } = stagesOf(settings);
    const start = tf.memory().numTensors;
    const [straight, resumed] = [learnerOf(settings), learnerOf(settings, { seed: 8 })];
    const windows = windowsFor(settings);
    await straight.update(windows.draw(2), stage);
    const saved = structuredClone(await straight.save());
    const more = windows.draw(2);
    const after = await straight.update(more, stage);
    resumed.load(saved);
    const before = tf.memory().numTensors;
    expect(await resumed.update(more, stage)).toEqual(after);
    expect(tf.memory().numTensors).toBe(before);
    expect(await resumed.save()).toEqual(await straight.save());
    for (const learner of [straight, resumed]) learner.dispose();
    expect(tf.memory().numTensors).toBe(start);
  });

  it("learns in the warm-up what the world does, and of the policy nothing", async () => {
    const settings = settingsOf({ plan: "warmup" });
    const { first: stage } = stagesOf(settings);
    const learner = learnerOf(settings, { compile: compileWith("on") });
    const windows = windowsFor(settings);
    const before = await learner.update(windows.draw(4), stage);
    await learner.update(windows.draw(150), stage);
    const after = await learner.update(windows.draw(20), stage);
    for (const name of ["bis", "rp", "reward"]) {
      expect(after[`Loss/loss_${name}`]!).toBeLessThan(0.5 * before[`Loss/loss_${name}`]!);
    }
    expect(after).not.toHaveProperty(["Loss/loss_action"]);
    learner.dispose();
  });
});

describe("a head over bins", () => {
  it("reads as the mean of its distribution, and is best where that is wanted", () => {
    tf.tidy(() => {
      const settings = settingsOf({ heads: "categorical", head_bins: 9 });
      const model = createWorldModel(shapeOf(facts), settings, { random: () => 0.5 });
      const wanted = tf.tensor2d([[-8], [0.5], [3], [20]]);
      // Bins lie at -8, -6 … 8: all on the two around a number, by its distance.
      const shares = tf.tensor2d([
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0.75, 0.25, 0, 0, 0],
        [0, 0, 0, 0, 0, 0.5, 0.5, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1],
      ]);
      const outputs = tf.log(tf.add<tf.Tensor2D>(shares, 1e-9));
      const read = Array.from(model.numbers.read(outputs).dataSync());
      for (const [i, value] of [-8, 0.5, 3, 8].entries()) expect(read[i]).toBeCloseTo(value, 4);
      const errors = model.numbers.errors(outputs, wanted).dataSync();
      const off = model.numbers.errors(outputs, tf.add<tf.Tensor2D>(wanted, -1.5)).dataSync();
      expect(errors[0]).toBeCloseTo(0, 4);
      expect(errors[2]).toBeCloseTo(Math.log(2), 4);
      for (const i of [1, 2]) expect(off[i]!).toBeGreaterThan(errors[i]! + 0.1);
      model.dispose();
    });
  });
});
