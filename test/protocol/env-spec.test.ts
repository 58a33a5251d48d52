import { describe, expect, it } from "vitest";
import {
  checkSpec,
  fromWireSpec,
  hashSpec,
  specDifferences,
  toWireSpec,
} from "../../protocol/env-spec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { nearest } from "../../protocol/nearest.ts";
import {
  allWithin,
  fromFrame,
  fromStepResult,
  toActions,
  toFrame,
  toStepResult,
} from "../../protocol/payload.ts";
import { checkSettingNames } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import fc from "../properties.ts";
import { wireSpec } from "./arbitrary.ts";

const spec: EnvSpec = {
  task: "test",
  numEnvs: 2,
  controlPeriod: 0.02,
  maxEpisodeSteps: 10,
  autoreset: "same_step",
  observations: { policy: { dtype: "<f4", shape: [2], names: ["x", "y"], units: ["m", "m"] } },
  action: { dtype: "<f4", shape: [1], low: [-1], high: [1] },
  capabilities: [],
};
const group = spec.observations.policy!;
const action = spec.action;

function refusal(attempt: () => unknown): ProtocolError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("specification", () => {
  it("comes back from the wire as it was", () => {
    fc.assert(
      fc.property(wireSpec, (wire) => {
        fc.pre(wire.num_envs * 6 * 4 <= 2 ** 28);
        expect(toWireSpec(fromWireSpec(wire))).toEqual(wire);
      }),
    );
  });

  it("has pictures only from who speaks a version that knows them", () => {
    const camera = { dtype: "|u1", shape: [8, 8, 3], names: ["r", "g", "b"] } as const;
    const wire = toWireSpec({ ...spec, observations: { ...spec.observations, camera } });
    expect(fromWireSpec(wire).observations.camera).toEqual(camera);
    const { field, message } = refusal(() => fromWireSpec(wire, 1));
    expect(field).toBe("spec.observations.camera.dtype");
    expect(message).toContain("pictures need 1.2");
  });

  it.each<[string, Partial<EnvSpec>, string]>([
    ["no environments", { numEnvs: 0 }, "spec.num_envs"],
    ["more environments than may travel", { numEnvs: 2_000_000 }, "spec.num_envs"],
    ["no time between actions", { controlPeriod: 0 }, "spec.control_period"],
    ["endless time between actions", { controlPeriod: Infinity }, "spec.control_period"],
    ["episodes of no steps", { maxEpisodeSteps: 0 }, "spec.max_episode_steps"],
    ["another autoreset", { autoreset: "next_step" as "same_step" }, "spec.autoreset"],
    ["no group", { observations: {} }, "spec.observations"],
    ["a group's name with a slash", { observations: { "a/b": group } }, "spec.observations.a/b"],
    ["no shape", { observations: { p: { dtype: "<f4", shape: [] } } }, "spec.observations.p.shape"],
    [
      "an empty width",
      { observations: { p: { dtype: "<f4", shape: [0] } } },
      "spec.observations.p.shape.0",
    ],
    [
      "bytes that are no picture",
      { observations: { p: { dtype: "|u1", shape: [1] } } },
      "spec.observations.p.shape",
    ],
    [
      "whole numbers as observations",
      { observations: { p: { dtype: "<i4", shape: [1] } } },
      "spec.observations.p.dtype",
    ],
    [
      "pictures too large",
      { observations: { p: { dtype: "|u1", shape: [1024, 1025, 1] } } },
      "spec.observations.p.shape",
    ],
    [
      "a channel's name too few",
      { observations: { p: { dtype: "|u1", shape: [4, 4, 2], names: ["depth"] } } },
      "spec.observations.p.names",
    ],
    [
      "pictures of a fleet too large for one frame",
      { numEnvs: 300, observations: { p: { dtype: "|u1", shape: [1024, 1024, 1] } } },
      "spec.observations.p.shape",
    ],
    [
      "groups too large together",
      {
        numEnvs: 256,
        observations: Object.fromEntries(
          ["a", "b", "c", "d", "e"].map((name) => [name, { dtype: "|u1", shape: [512, 512, 4] }]),
        ),
      },
      "spec.observations",
    ],
    [
      "bytes as actions",
      { action: { ...action, dtype: "|u1", shape: [1, 1, 1] } },
      "spec.action.dtype",
    ],
    [
      "a name too few",
      { observations: { p: { ...group, names: ["x"] } } },
      "spec.observations.p.names",
    ],
    [
      "a name twice",
      { observations: { p: { ...group, names: ["x", "x"] } } },
      "spec.observations.p.names",
    ],
    [
      "a unit too few",
      { observations: { p: { ...group, units: ["m"] } } },
      "spec.observations.p.units",
    ],
    [
      "a width beyond all frames",
      { observations: { p: { dtype: "<f4", shape: [2 ** 20] } } },
      "spec.observations.p.shape",
    ],
    [
      "frames too large together",
      { numEnvs: 2 ** 20, observations: { p: { dtype: "<f4", shape: [65] } } },
      "spec.observations.p.shape",
    ],
    ["a bound too few", { action: { ...action, low: [] } }, "spec.action.low"],
    ["bounds the wrong way round", { action: { ...action, low: [1], high: [-1] } }, "spec.action"],
    ["equal bounds", { action: { ...action, low: [1], high: [1] } }, "spec.action"],
    ["no bound", { action: { ...action, high: [Infinity] } }, "spec.action.high.0"],
  ])("refuses %s and names the field", (_, change, field) => {
    expect(refusal(() => checkSpec({ ...spec, ...change })).field).toBe(field);
  });

  it("has a hash that ignores the order of keys and sees every change", () => {
    const { task, ...rest } = spec;
    expect(hashSpec({ ...rest, task })).toBe(hashSpec(spec));
    expect(hashSpec({ ...spec, controlPeriod: 0.01 })).not.toBe(hashSpec(spec));
    expect(hashSpec(spec)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("shows a difference as lines a person can read", () => {
    const other = { ...spec, numEnvs: 4, action: { ...action, low: [-2] } };
    expect(specDifferences(spec, other)).toEqual([
      "num_envs: 2 became 4",
      "action.low.0: -1 became -2",
    ]);
    expect(specDifferences(spec, spec)).toEqual([]);
  });
});

describe("payload", () => {
  const policy = Float32Array.of(1, 2, 3, 4);
  const frame = { observations: { policy }, started: Uint8Array.of(0, 1) };
  const result = {
    frame,
    rewards: Float32Array.of(1, 2),
    terminated: Uint8Array.of(0, 1),
    truncated: Uint8Array.of(0, 0),
    final: { rows: Int32Array.of(1), observations: { policy: Float32Array.of(5, 6) } },
  };
  const header = { type: "result", seq: 1, epoch: "abcdefgh" } as const;

  it("brings frames and results back as they were", () => {
    expect(toFrame(fromFrame(frame, spec), spec)).toEqual(frame);
    expect(toStepResult(header, fromStepResult(result, spec), spec)).toEqual(result);
  });

  it("says group, environment and component of a value that is not finite", () => {
    const bad = fromFrame(
      { ...frame, observations: { policy: Float32Array.of(1, 2, 3, NaN) } },
      spec,
    );
    const error = refusal(() => toFrame(bad, spec));
    expect(error).toMatchObject({ code: "bad-value", field: "tensors.obs/policy" });
    expect(error.message).toContain("environment 1, component 1 (y) is NaN");
    const reward = fromStepResult({ ...result, rewards: Float32Array.of(0, -Infinity) }, spec);
    expect(refusal(() => toStepResult(header, reward, spec)).message).toContain("environment 1");
    const actions = { shape: [2, 1], data: Float32Array.of(NaN, 0) };
    expect(refusal(() => toActions({ actions }, spec)).message).toContain("environment 0");
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a group that is not there", { "obs/policy": undefined }, "tensors.obs/policy"],
    [
      "a narrower group",
      { "obs/policy": { shape: [2, 1], data: new Float32Array(2) } },
      "tensors.obs/policy",
    ],
    [
      "whole numbers for a group",
      { "obs/policy": { shape: [2, 2], data: new Int32Array(4) } },
      "tensors.obs/policy",
    ],
    ["a reward too many", { reward: { shape: [3], data: new Float32Array(3) } }, "tensors.reward"],
    ["a flag of 2", { truncated: { shape: [2], data: Uint8Array.of(0, 2) } }, "tensors.truncated"],
    [
      "final rows out of range",
      { "final/rows": { shape: [1], data: Int32Array.of(7) } },
      "tensors.final/rows",
    ],
    [
      "final rows of a flight that goes on",
      { "final/rows": { shape: [1], data: Int32Array.of(0) } },
      "tensors.final/rows",
    ],
    [
      "a final row twice",
      { "final/rows": { shape: [2], data: Int32Array.of(1, 1) } },
      "tensors.final/rows",
    ],
    ["final observations without rows", { "final/rows": undefined }, "tensors.final/rows"],
    ["a tensor nobody knows", { extra: { shape: [1], data: new Uint8Array(1) } }, "tensors.extra"],
  ])("refuses %s and names the tensor", (_, change, field) => {
    const merged = Object.entries({ ...fromStepResult(result, spec), ...change });
    const sent = Object.fromEntries(merged.filter(([, tensor]) => tensor !== undefined));
    expect(refusal(() => toStepResult(header, sent as never, spec)).field).toBe(field);
  });

  it.each([["obs/policy"], ["reward"]])("names a quantity that is none as that, in %s", (name) => {
    const tensors = fromStepResult(result, spec);
    const { shape, data } = tensors[name]!;
    const spoilt = (data as Float32Array).slice().fill(3e38, 1, 2);
    const change = { ...tensors, [name]: { shape, data: spoilt } };
    const { message, code } = refusal(() => toStepResult(header, change, spec));
    expect(code).toBe("bad-value");
    expect(message).toMatch(/environment \d.* is 3.00e\+38, which no quantity is/);
  });

  it("finds a value that is not finite, or no quantity, wherever it hides", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ noNaN: true, min: -Math.fround(9e14), max: Math.fround(9e14) }),
        fc.nat(),
        (data, at) => {
          expect(allWithin(data)).toBe(true);
          for (const value of [Number.NaN, Infinity, -Infinity, 3e38, -1.01e15]) {
            const spoilt = data.slice();
            if (spoilt.length === 0) return;
            spoilt[at % spoilt.length] = value;
            expect(allWithin(spoilt)).toBe(false);
          }
        },
      ),
    );
  });
});

describe("settings", () => {
  it("names the nearest known setting and lists them all", () => {
    const known = ["noise.position", "robot.mass"];
    const error = refusal(() => checkSettingNames({ "robot.mas": 1 }, known));
    expect(error).toMatchObject({ code: "unknown-setting", field: "env.robot.mas" });
    expect(error.hint).toContain("env.noise.position, env.robot.mass");
    expect(error.hint).toContain("Did you mean env.robot.mass?");
    expect(() => checkSettingNames({ "robot.mass": 1 }, known)).not.toThrow();
  });

  it("does not guess from a word that resembles none", () => {
    expect(nearest("xyz", ["gravity"])).toBeUndefined();
    expect(nearest("xyz", ["gravity"], { within: Infinity })).toBe("gravity");
    expect(nearest("", [], { within: Infinity })).toBeUndefined();
  });

  it("takes the first of equally near words, in letters of either case", () => {
    expect(nearest("Robot.Mas", ["robot.mask", "robot.mass", "mass"])).toBe("robot.mask");
    expect(nearest(`mass${"s".repeat(1e6)}`, ["mass"])).toBeUndefined();
  });
});
