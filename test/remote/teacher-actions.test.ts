import { describe, expect, it } from "vitest";
import { createHover } from "../../policies/pilots/hover.ts";
import { createSimulatorTeacher } from "../../policies/pilots/simulator-teacher.ts";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import type { OpenRequest, ServedEnv } from "../../sim-adapters/serve/serve-env.ts";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import { chooseTeacher } from "../../src/algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../../src/algorithms/distillation/settings.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { connectWanted } from "../../src/training/connect-wanted.ts";
import { connect, nodeServer } from "./servers.ts";

const configOf = (...overrides: string[]) =>
  resolveConfig({ overrides }).config as DistillationConfig;
const wishes = (config: DistillationConfig) => distillation.wishes(config);
const hover = createHover("teacher");

/** The noisy quadcopter with the hover controller beside it. */
async function taught({ numEnvs = 8, settings }: OpenRequest): Promise<ServedEnv> {
  const env = await openMujoco({ task: "quadcopter-noisy", numEnvs, settings });
  const shown = async (frame: Frame): Promise<Frame> => {
    const { actions } = await hover.act(frame, []);
    return { ...frame, teacherActions: actions };
  };
  return {
    spec: { ...env.spec, capabilities: [...env.spec.capabilities, "teacher_actions"] },
    settings: env.settings,
    notices: env.notices,
    reset: async (seed) => shown(await env.reset(seed)),
    step: async (actions) => {
      const result = await env.step(actions);
      return { ...result, frame: await shown(result.frame) };
    },
    close: () => env.close(),
  };
}

/** Twelve numbers for the student, 24 for the teacher: the wire's yardstick. */
class Wide implements ServedEnv {
  readonly settings = {};
  readonly notices: readonly string[] = [];
  readonly spec: EnvSpec;

  constructor(numEnvs: number) {
    this.spec = {
      task: "wide",
      numEnvs,
      controlPeriod: 0.02,
      maxEpisodeSteps: 500,
      autoreset: "same_step",
      observations: {
        policy: { dtype: "<f4", shape: [12] },
        teacher: { dtype: "<f4", shape: [24] },
      },
      action: { dtype: "<f4", shape: [4], low: [-1, -1, -1, -1], high: [1, 1, 1, 1] },
      capabilities: ["teacher_actions"],
    };
  }

  async reset(): Promise<Frame> {
    const { numEnvs } = this.spec;
    return {
      observations: {
        policy: new Float32Array(numEnvs * 12),
        teacher: new Float32Array(numEnvs * 24),
      },
      started: new Uint8Array(numEnvs).fill(1),
      teacherActions: new Float32Array(numEnvs * 4).fill(0.5),
    };
  }

  async step(): Promise<StepResult> {
    const { numEnvs } = this.spec;
    const flags = new Uint8Array(numEnvs);
    return {
      frame: await this.reset(),
      rewards: new Float32Array(numEnvs),
      terminated: flags,
      truncated: flags.slice(),
    };
  }

  async close(): Promise<void> {}
}

describe("a teacher in the simulator", () => {
  it("halves a step at 4096 environments: 614 KB become less than 300", async () => {
    const { endpoint } = await nodeServer({ open: async () => new Wide(4096) });
    const bytesOfStep = async (wanted: object) => {
      const env = await connect({ endpoint, sharedMemory: "off", ...wanted });
      await env.reset(1);
      const before = env.stats.bytesReceived;
      await env.step(new Float32Array(4096 * 4));
      await env.close();
      return env.stats.bytesReceived - before;
    };
    expect(await bytesOfStep({})).toBeGreaterThan(614_400);
    const less = await bytesOfStep({ groups: ["policy"], teacherActions: true });
    expect(less).toBeGreaterThan(4096 * (12 * 4 + 4 * 4 + 6));
    expect(less).toBeLessThan(290_000);
  });

  it("shows what it would do with each frame, and the runner's teacher repeats it", async () => {
    const { endpoint } = await nodeServer({ open: taught });
    const all = await connect({ endpoint, teacherActions: true });
    const teacher = createSimulatorTeacher(4);
    let frame = await all.reset(3);
    for (let i = 0; i < 30; i++) {
      const { actions } = await teacher.act(frame, []);
      expect(actions).toEqual((await hover.act(frame, [])).actions);
      frame = (await all.step(actions)).frame;
    }
  });

  it("is silent for a driver that did not ask", async () => {
    const { endpoint } = await nodeServer({ open: taught });
    const env = await connect({ endpoint });
    expect(env.spec.capabilities).toContain("teacher_actions");
    expect(await env.reset(1)).not.toHaveProperty("teacherActions");
  });

  it("is missed by name where there is none", async () => {
    const { endpoint } = await nodeServer();
    const asked = connect({ endpoint, teacherActions: true });
    await expect(asked).rejects.toMatchObject({ code: "no-teacher" });
    const env = await connect({ endpoint });
    const hired = chooseTeacher(configOf("checkpoint=simulator"), env.spec);
    await expect(hired).rejects.toMatchObject({ code: "no-teacher", hint: /--checkpoint/ });
    const act = createSimulatorTeacher(1).act(await env.reset(1), []);
    await expect(act).rejects.toMatchObject({ code: "no-teacher-actions" });
  });

  it("is flown by --checkpoint simulator, with the student's groups alone on the wire", async () => {
    const { endpoint } = await nodeServer({ open: taught });
    const config = configOf("checkpoint=simulator");
    const env = await connectWanted(wishes(config), { endpoint, startupTimeout: 20 });
    const { policy, facts } = await chooseTeacher(config, env.spec);
    const frame = await env.reset(1);
    expect(Object.keys(frame.observations)).toEqual(["policy"]);
    expect((await policy.act(frame, [])).actions).toEqual(frame.teacherActions);
    expect(facts).toEqual({ kind: "simulator", activation: "identity", reads: [] });
    await env.close();
  });
});

describe("a simulator in which nobody is named to teach", () => {
  it("teaches itself where it can, and else is flown by the usual teacher", async () => {
    const { endpoint } = await nodeServer({ open: taught });
    const config = configOf(`sim.endpoint=${endpoint}`);
    const env = await connectWanted(wishes(config), { endpoint, startupTimeout: 20 });
    expect(await env.reset(1)).toHaveProperty("teacherActions");
    expect((await chooseTeacher(config, env.spec)).facts.kind).toBe("simulator");
    await env.close();
    const other = await nodeServer();
    const untaught = configOf(`sim.endpoint=${other.endpoint}`);
    const options = { endpoint: other.endpoint, startupTimeout: 20 };
    const plain = await connectWanted(wishes(untaught), options);
    expect(await plain.reset(1)).not.toHaveProperty("teacherActions");
    await plain.close();
  });
});

describe("groups nobody reads", () => {
  it("are not asked for", () => {
    const asked = (...overrides: string[]) => wishes(configOf(...overrides)).map((w) => w.groups);
    const pictured = ["camera", "proprioception"];
    expect(asked()).toEqual([
      ["policy", "teacher"],
      ["policy"],
      [...pictured, "teacher"],
      [...pictured, "policy"],
    ]);
    expect(asked("obs_groups.teacher=[a,b]", "obs_groups.student=[b]")).toEqual([["b", "a"]]);
    expect(asked("checkpoint=simulator", "obs_groups.student=[x]")).toEqual([["x"]]);
  });

  it("stay away where there is no group for the teacher, and all come where the student's is missing", async () => {
    const { endpoint } = await nodeServer();
    const options = { endpoint, startupTimeout: 20 };
    const env = await connectWanted(wishes(configOf()), options);
    expect(Object.keys(env.spec.observations)).toEqual(["policy"]);
    await env.close();
    const all = await connectWanted(wishes(configOf("obs_groups.student=[camera]")), options);
    expect(Object.keys(all.spec.observations)).toEqual(["policy", "exact"]);
    await all.close();
  });
});
