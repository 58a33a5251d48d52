import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import { Random } from "../../policies/random.ts";
import { createLoss } from "../../src/algorithms/distillation/loss.ts";
import { createUnroll } from "../../src/algorithms/distillation/unroll.ts";
import { startEngine } from "../../src/engine/start.ts";
import { FlowMeter } from "../../src/learning/flow-meter.ts";
import type { FlowRow } from "../../src/learning/flow-row.ts";
import {
  faultsOf,
  flowError,
  flowJson,
  flowTable,
  judgeFlow,
} from "../../src/learning/gradient-flow.ts";
import { detached } from "../../src/learning/gradients.ts";
import { Optimiser } from "../../src/learning/optimiser.ts";
import { followSlowly, Owner } from "../../src/learning/owner.ts";
import type { ParameterGroup, Update } from "../../src/learning/owners.ts";
import { group, valuesOf, vectorOf } from "./tiny-learner.ts";

beforeAll(() => startEngine("auto"));

/** An encoder before a head; a slow copy of the encoder; the loss is (Σ encoder · head)². */
function house() {
  const encoder = group("encoder", "encoder", [1, 2]);
  const head = group("head", "head", [0.5, -1]);
  const copy = group("copy", "ema", [1, 2]);
  const groups = [encoder, head, copy];
  const loss = (features: () => tf.Tensor1D) => () =>
    tf.square(tf.sum(tf.mul(features(), vectorOf(head)))) as tf.Scalar;
  return { encoder, head, copy, groups, loss };
}

const headUpdate = (claim: "pass" | "zero"): Update => ({
  name: "head",
  owner: "head",
  terms: ["fit"],
  claims: { encoder: claim, head: "step" },
});
const encoderUpdate: Update = {
  name: "encoder",
  owner: "encoder",
  terms: ["fit"],
  claims: { encoder: "step", head: "pass" },
};
const still: Update = { ...encoderUpdate, name: "later" };

async function measured(
  groups: readonly ParameterGroup[],
  run: (meter: FlowMeter) => void,
): Promise<readonly FlowRow[]> {
  const meter = new FlowMeter(groups);
  run(meter);
  return meter.rows();
}

describe("measured at a real update", () => {
  it("norms are those of the gradient by every group, and of the step", async () => {
    const { encoder, head, groups, loss } = house();
    const fit = loss(() => vectorOf(encoder));
    const owner = new Owner("head", groups, { learningRate: 0.1, rule: "sgd" });
    const update = headUpdate("pass");
    const rows = await measured(groups, (meter) => {
      meter.measure(update, fit, () => owner.step(fit)).dispose();
    });
    // Σ = 0.5 − 2 = −1.5: by the head 2 Σ encoder = (−3, −6), by the encoder 2 Σ head = (−1.5, 3).
    const by = Object.fromEntries(rows.map((row) => [row.group, row]));
    expect(by.head!.gradient).toBeCloseTo(Math.hypot(3, 6), 5);
    expect(by.head!.change).toBeCloseTo(0.1 * Math.hypot(3, 6), 5);
    expect(by.encoder!.gradient).toBeCloseTo(Math.hypot(1.5, 3), 5);
    expect(by.encoder!.change).toBe(0);
    expect(by.copy).toMatchObject({ gradient: null, change: 0 });
    const [first, second] = await valuesOf(head);
    expect(first).toBeCloseTo(0.8, 6);
    expect(second).toBeCloseTo(-0.4, 6);
  });

  it("a cut leaves no path, and a forgotten one is a leak", async () => {
    for (const cut of [true, false]) {
      const { encoder, groups, loss } = house();
      const features = () => vectorOf(encoder);
      const fit = loss(cut ? () => detached(features) : features);
      const owner = new Owner("head", groups, { learningRate: 0.1 });
      const rows = await measured(groups, (meter) => {
        meter.measure(headUpdate("zero"), fit, () => owner.step(fit)).dispose();
      });
      const updates = [headUpdate("zero"), still];
      const report = judgeFlow(rows, groups, updates);
      const entry = report.entries.find((one) => one.group === "encoder")!;
      expect([entry.flow, entry.verdict]).toEqual(cut ? ["none", "ok"] : ["flows", "leak"]);
      expect(flowError(report)?.code).toBe(cut ? undefined : "leak");
      expect(report.unmeasured).toEqual(["later"]);
    }
  });

  it("parameters that move without being claimed are a leak, of an EMA copy they may", async () => {
    const { encoder, copy, groups, loss } = house();
    const fit = loss(() => vectorOf(encoder));
    const owner = new Owner("head", groups, { learningRate: 0.1 });
    const nudge = tf.tensor1d([1e-30, 0]);
    const zero = tf.tensor1d([0, 2]);
    encoder.parameters[0]!.value.assign(zero);
    const rows = await measured(groups, (meter) => {
      meter
        .measure(headUpdate("pass"), fit, () => {
          encoder.parameters[0]!.value.assign(tf.tidy(() => tf.add(vectorOf(encoder), nudge)));
          followSlowly(copy, encoder, 0.5);
          return owner.step(fit);
        })
        .dispose();
    });
    const report = judgeFlow(rows, groups, [headUpdate("pass"), encoderUpdate]);
    expect(faultsOf(report)).toMatchObject([{ group: "encoder", verdict: "leak" }]);
    expect(faultsOf(report)[0]!.note).toMatch(/move by 1.00e-30/);
  });

  it("a gradient that nobody steps is an orphan", async () => {
    const { encoder, groups, loss } = house();
    const fit = loss(() => vectorOf(encoder));
    const owner = new Owner("head", groups, { learningRate: 0.1 });
    const rows = await measured(groups, (meter) => {
      meter.measure(headUpdate("pass"), fit, () => owner.step(fit)).dispose();
    });
    const report = judgeFlow(rows, groups, [headUpdate("pass")]);
    expect(faultsOf(report)).toMatchObject([{ group: "encoder", verdict: "orphan" }]);
    expect(flowError(report)!.message).toMatch(/orphan: a gradient of norm 3.35 arrives/);
  });

  it("an owner that steps without a gradient is starved", async () => {
    const { encoder, groups, loss } = house();
    const cut = loss(() => detached(() => vectorOf(encoder)));
    const dead = loss(() => tf.mul(vectorOf(encoder), 0));
    const owner = new Owner("encoder", groups, { learningRate: 0.1 });
    const meter = new FlowMeter(groups);
    expect(() => meter.measure(encoderUpdate, cut, () => owner.step(cut))).toThrow(/^starved/);
    const unreached = judgeFlow(await meter.rows(), groups, [encoderUpdate, headUpdate("pass")]);
    expect(faultsOf(unreached)).toMatchObject([{ flow: "none", verdict: "starved" }]);
    meter.measure(encoderUpdate, dead, () => owner.step(dead)).dispose();
    const multiplied = judgeFlow(await meter.rows(), groups, [encoderUpdate, headUpdate("pass")]);
    expect(faultsOf(multiplied)).toMatchObject([{ flow: "zero", verdict: "starved" }]);
  });
});

describe("measuring", () => {
  it("changes no bit of what the step does, and leaves no tensor", async () => {
    const walk = async (meter?: (groups: readonly ParameterGroup[]) => FlowMeter) => {
      const { encoder, head, groups, loss } = house();
      const owner = new Owner("head", groups, { learningRate: 0.07, maxGradNorm: 0.3 });
      const random = new Random(3);
      const measuring = meter?.(groups);
      const before = tf.memory().numTensors;
      for (let i = 0; i < 5; i += 1) {
        const noise = tf.tensor1d([random.normal(), random.normal()]);
        const fit = loss(() => tf.add(vectorOf(encoder), noise));
        const step = () => owner.step(fit);
        (measuring ? measuring.measure(headUpdate("pass"), fit, step) : step()).dispose();
        noise.dispose();
      }
      await measuring?.rows();
      expect(tf.memory().numTensors).toBe(before);
      return valuesOf(encoder, head);
    };
    expect(await walk((groups) => new FlowMeter(groups, { most: 2 }))).toEqual(await walk());
  });

  it("refuses a loss that draws while it is computed", async () => {
    const { encoder, groups, loss } = house();
    const random = new Random(3);
    const fit = loss(() => tf.add(vectorOf(encoder), random.normal()));
    const meter = new FlowMeter(groups);
    meter.measure(headUpdate("pass"), fit, () => undefined);
    await expect(meter.rows()).rejects.toThrow(/'head' is .* when it is computed again/);
  });

  it("works through a recurrent student's own way back, window after window", async () => {
    const walk = async (measuring: boolean) => {
      const random = new Random(5);
      const uniform = random.uniform;
      const network = createRecurrent({
        ...{ inputWidth: 3, outputWidth: 2, hidden: [4], activation: "elu", random: uniform },
        rnn: { type: "gru", width: 5, layers: 1 },
      });
      const student = { name: "student", owner: "student", parameters: network.parameters };
      const optimiser = new Optimiser("adam", network.parameters, 0.01);
      const unroll = createUnroll(network, createLoss("mse", { student: 0 }));
      const matrix = (rows: number, columns: number) =>
        tf.tensor2d(Float32Array.from({ length: rows * columns }, random.normal), [rows, columns]);
      const batch = {
        ...{ inputs: matrix(12, 3), targets: matrix(12, 2), numEnvs: 2 },
        ...{ ended: new Array(6).fill(false), memory: [matrix(2, 5)] },
      };
      const meter = new FlowMeter([student], { most: 9 });
      const update: Update = {
        ...{ name: "imitate", owner: "student", terms: ["behavior"] },
        claims: { student: "step" },
      };
      let held: tf.Tensor2D[] = [];
      for (const [from, to] of [
        [0, 3],
        [3, 6],
      ] as const) {
        const { tensors, form } = unroll.cut(batch, [{ from, to }], held);
        const terms = () => {
          const { loss, memory } = unroll.loss(tensors, form)();
          return { loss, besides: memory };
        };
        const step = () =>
          tf.tidy(() => {
            const { loss, besides } = optimiser.descend(terms, {
              maxGradNorm: null,
              scalars: optimiser.nextStep(),
            });
            return [loss, ...besides];
          });
        const loss = () => terms().loss;
        const [sum, ...behind] = measuring ? meter.measure(update, loss, step) : step();
        sum!.dispose();
        held = behind as tf.Tensor2D[];
      }
      const rows = await meter.rows();
      const memory = held.map((state) => [...state.dataSync()]);
      return { rows, weights: await valuesOf(student), memory };
    };
    const [plain, measured] = [await walk(false), await walk(true)];
    expect(measured.weights).toEqual(plain.weights);
    expect(measured.memory).toEqual(plain.memory);
    expect(measured.rows).toHaveLength(2);
    for (const row of measured.rows) {
      expect(row.gradient).toBeGreaterThan(0.01);
      expect(row.change).toBeGreaterThan(0.01);
    }
  });
});

describe("the verdict", () => {
  const groups = () => [group("critic", "critic", [1]), group("actor", "actor", [1])];
  const update: Update = {
    ...{ name: "critic", owner: "critic", terms: ["critic"] },
    claims: { critic: "step", actor: "zero" },
  };
  const other: Update = {
    ...{ name: "actor", owner: "actor", terms: ["actor"] },
    claims: { critic: "pass", actor: "step" },
  };
  const row = (changes: Partial<FlowRow>): FlowRow => ({
    ...{ update: "critic", group: "actor", gradient: 0, change: 0, scale: 2 },
    ...changes,
  });
  const verdict = (...rows: FlowRow[]) => judgeFlow(rows, groups(), [update, other]).entries[0]!;

  it("takes rounding for no leak, and a small gradient for one", () => {
    expect(verdict(row({ gradient: 1e-8 }))).toMatchObject({ flow: "tiny", verdict: "ok" });
    expect(verdict(row({ gradient: 1e-5 }))).toMatchObject({ flow: "flows", verdict: "leak" });
    expect(verdict(row({ gradient: Number.NaN }))).toMatchObject({
      flow: "flows",
      verdict: "leak",
    });
  });

  it("takes one leaking measurement for a leak, and one without a gradient for no starving", () => {
    expect(verdict(row({}), row({ gradient: 1 }), row({}))).toMatchObject({ verdict: "leak" });
    const critic = (gradient: number | null) => row({ group: "critic", gradient, change: 0.1 });
    expect(verdict(critic(0), critic(1))).toMatchObject({ verdict: "ok", measured: 2 });
    expect(verdict(critic(0), critic(null))).toMatchObject({ verdict: "starved" });
  });

  it("takes a step that moves nothing for an orphan", () => {
    expect(verdict(row({ group: "critic", gradient: 1 }))).toMatchObject({ verdict: "orphan" });
  });

  it("is written for programs and for people", () => {
    const rows = [
      row({ gradient: Number.NaN }),
      row({ group: "critic", gradient: 1, change: 0.5 }),
    ];
    const report = judgeFlow(rows, groups(), [update, other]);
    expect(JSON.parse(JSON.stringify(flowJson(report)))).toMatchObject({
      passed: false,
      entries: [
        { group: "critic", gradient: 1, change: 0.5, verdict: "ok" },
        { group: "actor", gradient: "NaN", verdict: "leak" },
      ],
      unmeasured: ["actor"],
    });
    expect(flowTable(report).split("\n")).toEqual([
      "update  group   owner   claim  gradient  change   verdict",
      "critic  critic  critic  step   1.00e+0   5.00e-1  ok",
      "critic  actor   actor   zero   NaN       0        leak: a gradient of norm NaN arrives",
      "not measured: actor",
    ]);
  });
});
