import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTeacher } from "../../../policies/checkpoint/load-teacher.ts";
import { recordExample } from "../../../policies/flight-example.ts";
import { buildGraph } from "../../../policies/graph/build-graph.ts";
import { modelError } from "../../../policies/graph/model-error.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { openOnnx } from "../../../policies/onnx/onnx-runtime.ts";
import { writeOnnx } from "../../../policies/onnx/write-onnx.ts";
import { Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { checkFit } from "../../../src/algorithms/fit.ts";
import { createLapo } from "../../../src/algorithms/lapo/learner.ts";
import { type EncoderOwner, lapoSettings } from "../../../src/algorithms/lapo/settings.ts";
import { bytesOf } from "../../../src/algorithms/offline/run-checkpoint.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import type { Experience } from "../../../src/learning/experience.ts";
import { FlowMeter } from "../../../src/learning/flow-meter.ts";
import { faultsOf, judgeFlow } from "../../../src/learning/gradient-flow.ts";
import type { OfflineSite } from "../../../src/learning/offline/site.ts";
import { stage } from "../offline-laws.ts";

beforeAll(() => startEngine("auto"));

const [rows, pixels] = [6, 8 * 8 * 2];
const width = pixels + 3;
const site: OfflineSite = {
  reads: ["camera", "proprioception"],
  observationWidth: width,
  shapes: { camera: [8, 8, 2], proprioception: [3] },
  action: { low: [-1, 0], high: [1, 4] },
  statistics: {
    mean: Float32Array.from({ length: width }, (_, i) => (i < pixels ? 120 : 2)),
    std: Float32Array.from({ length: width }, (_, i) => (i < pixels ? 70 : 0.5)),
    count: 100,
  },
  actionStatistics: { mean: [0.1, 2], std: [0.5, 1], count: 100 },
  seed: 3,
};

const small = {
  actor_hidden_dims: [8],
  critic_hidden_dims: [8],
  vae_hidden_dims: [8],
  encoder_dim: 6,
};
const make = (encoder_owner: EncoderOwner = "critic", at = site) =>
  createLapo(lapoSettings.parse({ ...small, encoder_owner }), at);

function flown(steps: number): Experience {
  const random = new Random(5);
  const bytes = () =>
    Uint8Array.from({ length: steps * rows * pixels }, () => 255 * random.uniform());
  const numbers = (size: number) =>
    Float32Array.from({ length: steps * rows * size }, () => 2 * random.uniform() - 1);
  const arrays = {
    ...{ "obs/camera": bytes(), "next/camera": bytes() },
    ...{ "obs/proprioception": numbers(3), "next/proprioception": numbers(3) },
    ...{ actions: numbers(2), rewards: numbers(1) },
    terminated: new Uint8Array(steps * rows),
    truncated: new Uint8Array(steps * rows),
  };
  return { steps, numEnvs: rows, arrays };
}

describe("LAPO from pictures", () => {
  it("comes to the same bits compiled as operation by operation", async () => {
    const learned = async (mode: "on" | "off") => {
      const learner = make("critic", { ...site, compile: compileWith(mode) });
      const figures = await learner.update(flown(4), stage);
      const state = await learner.save();
      learner.dispose();
      return { figures, state };
    };
    expect(await learned("on")).toEqual(await learned("off"));
  });

  it.each([
    ["critic", [true, false]],
    ["vae", [false, true]],
    ["both", [true, true]],
    ["none", [false, false]],
  ] as const)("moves its convolutions as their owner %s has it", async (owner, steps) => {
    const learner = make(owner);
    const meter = new FlowMeter(learner.groups);
    await learner.update(flown(2), stage, meter);
    const report = judgeFlow(await meter.rows(), learner.groups, learner.updates);
    const at = (update: string) =>
      report.entries.find((entry) => entry.update === update && entry.group === "encoder")!;
    expect([at("critic").change > 0, at("vae").change > 0]).toEqual(steps);
    expect(faultsOf(report).map(({ verdict }) => verdict)).toEqual(
      owner === "vae" ? ["orphan"] : [],
    );
    learner.dispose();
  });

  it("acts on bytes as they come, and is the same as an ONNX model and from its checkpoint", async () => {
    const work = mkdtempSync(join(tmpdir(), "firstsolo-lapo-pictures-"));
    const learner = make();
    await learner.update(flown(2), stage);
    const student = learner.policies.student as NetworkPolicy;
    const { arrays } = flown(1);
    const observations = {
      camera: arrays["obs/camera"] as Uint8Array,
      proprioception: arrays["obs/proprioception"] as Float32Array,
    };
    const frame = { observations, started: new Uint8Array(rows) };
    const { actions } = await student.act(frame, []);
    expect(new Set(actions).size).toBeGreaterThan(rows);
    const dark = { ...observations, camera: new Uint8Array(rows * pixels) };
    expect((await student.act({ ...frame, observations: dark }, [])).actions).not.toEqual(actions);

    const graph = await learner.graph();
    const bytes = await bytesOf(
      {
        progress: { iteration: 1, environmentSteps: 0, seconds: 0, best: null },
        ...{ plan: null, source: { facts: {}, bytes: {} }, learner: await learner.save() },
      },
      { algorithm: "lapo", student, graph },
    );
    const path = join(work, "model_0.pt");
    writeFileSync(path, bytes);
    const loaded = await loadTeacher(path);
    expect(loaded.policy.reads).toEqual(["camera", "proprioception"]);
    const again = await loaded.policy.act(frame, []);
    for (const [i, value] of actions.entries()) expect(again.actions[i]).toBeCloseTo(value, 5);
    // As many numbers in other pictures are other pictures.
    const shown = (camera: readonly number[]) =>
      ({
        ...{ task: "hall", numEnvs: 1, controlPeriod: 0.02, autoreset: "same_step" },
        ...{ maxEpisodeSteps: 9, capabilities: [] },
        observations: {
          camera: { dtype: "|u1", shape: camera },
          proprioception: { dtype: "<f4", shape: [3] },
        },
        action: { dtype: "<f4", shape: [2], low: [-1, 0], high: [1, 4] },
      }) as EnvSpec;
    expect(() => checkFit("It", loaded.policy, shown([8, 8, 2]))).not.toThrow();
    expect(() => checkFit("It", loaded.policy, shown([4, 4, 8]))).toThrow(/\[8,8,2\].*\[4,4,8\]/);
    loaded.policy.dispose();

    const options = { batch: "dynamic", metadata: {}, producerVersion: "" } as const;
    const built = buildGraph(graph);
    const onnx = await openOnnx(writeOnnx(built, options), "the model");
    const example = await recordExample(student);
    expect(await modelError(built, example, { run: onnx.run, together: true })).toBeLessThan(1e-5);
    onnx.dispose();
    learner.dispose();
    rmSync(work, { recursive: true, force: true });
  });

  it("has features of 256 where nobody says otherwise", () => {
    const { encoder_dim: _, ...rest } = small;
    const learner = createLapo(lapoSettings.parse(rest), site);
    const encoder = learner.groups.find(({ name }) => name === "encoder")!;
    const joined = encoder.parameters.find(({ name }) => name === "encoder.features.weight")!;
    expect(joined.value.shape).toEqual([256, 3 + 32 * 2 * 2]);
    learner.dispose();
  });

  it("weighs the latent's distance with half of what it has without pictures", async () => {
    const loss = async (changes: object) => {
      const learner = createLapo(lapoSettings.parse({ ...small, ...changes }), site);
      const metrics = await learner.update(flown(1), stage);
      learner.dispose();
      return metrics["Loss/vae"];
    };
    const usual = await loss({});
    expect(await loss({ kl_beta: 0.5 })).toBe(usual);
    expect(await loss({ kl_beta: 1 })).not.toBe(usual);
  });
});
