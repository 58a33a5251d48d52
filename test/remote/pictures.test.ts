import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pictureGroups } from "../../protocol/env-spec.ts";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { Request } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { conform } from "../../sim-adapters/conform/conform.ts";
import { FlightRecorder } from "../../src/datasets/flight-recorder.ts";
import { FlightWriter } from "../../src/datasets/flight-writer.ts";
import { openFlights } from "../../src/datasets/open-flights.ts";
import { summarise } from "../../src/datasets/summary.ts";
import { summaryText } from "../../src/datasets/summary-text.ts";
import { Transitions } from "../../src/datasets/transitions.ts";
import { Recorder } from "../../src/running/recorder.ts";
import { pythonEnv } from "../python-env.ts";
import { PointMass } from "./point-mass.ts";
import { atEnd, connect, nodeServer, RawClient, socketFile } from "./servers.ts";

const shape = [4, 6, 2];
const bytes = 48;

/** A mass with a camera that shows where it is: one bright column, and the clock in the other channel. */
class FilmedMass extends PointMass {
  override readonly spec: EnvSpec;

  constructor(asked: ConstructorParameters<typeof PointMass>[0]) {
    super(asked);
    const { spec } = new PointMass(asked);
    const camera = { dtype: "|u1", shape, names: ["mass", "ramp"] } as const;
    const wanted = { ...spec.observations, camera };
    const chosen = Object.entries(wanted).filter(([name]) => asked.groups?.includes(name) ?? true);
    this.spec = { ...spec, observations: Object.fromEntries(chosen) };
  }

  override async reset(seed: number) {
    return filmed(await super.reset(seed));
  }

  override async step(actions: Float32Array): Promise<StepResult> {
    const result = await super.step(actions);
    const { final } = result;
    if (!final) return { ...result, frame: filmed(result.frame) };
    const observations = { ...final.observations, camera: pictures(final.observations.exact!) };
    return { ...result, frame: filmed(result.frame), final: { ...final, observations } };
  }

  override async restore(state: Uint8Array) {
    return filmed(await super.restore(state));
  }
}

function filmed(frame: Frame): Frame {
  const camera = pictures(frame.observations.exact!);
  return { ...frame, observations: { ...frame.observations, camera } };
}

function pictures(positions: ArrayLike<number>): Uint8Array {
  const all = new Uint8Array(positions.length * bytes);
  for (let i = 0; i < positions.length; i++) {
    const column = Math.min(5, Math.max(0, Math.floor((positions[i]! + 2) * 1.5)));
    for (let row = 0; row < 4; row++) all[i * bytes + (row * 6 + column) * 2] = 255;
    for (let at = 0; at < 24; at++) all[i * bytes + 2 * at + 1] = at;
  }
  return all;
}

/** Those that look at observations. */
const only = [
  ...["specification", "groups", "frame", "result", "seeds", "bitwise", "bounds", "snapshot"],
  ...["same-step", "final-observations", "pictures", "picture-group", "older-driver"],
];
const filmedServer = () => nodeServer({ open: async (asked) => new FilmedMass(asked) });
const hello = {
  type: "hello",
  seq: 1,
  session: "a-session-of-1-1",
  client: { name: "older", version: "0.1" },
  capabilities: ["teacher_actions"] as string[],
  settings: {},
} as const satisfies Partial<Request>;

describe("pictures on the wire", () => {
  it("come in the bytes of this process, at the end of an episode too, and keep every law", async () => {
    const { endpoint } = await filmedServer();
    const findings = await conform({ endpoint, startupTimeout: 20, steps: 60, only });
    expect(findings.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
    expect(findings).toHaveLength(only.length);
    const [env, here] = [await connect({ endpoint, numEnvs: 3 }), new FilmedMass(asked(3))];
    expect(await env.reset(5)).toEqual(await here.reset(5));
    let ended = 0;
    for (let step = 0; step < 45; step++) {
      const actions = Float32Array.of(1, -1, 0);
      const [far, near] = [await env.step(actions.slice()), await here.step(actions)];
      expect(far.final).toEqual(near.final);
      expect(far.frame).toEqual(near.frame);
      ended += far.final?.rows.length ?? 0;
    }
    expect(ended).toBeGreaterThan(2);
  });

  it("are not offered to a driver of 1.1, which is told so where it asks for them", async () => {
    const { endpoint } = await filmedServer();
    const client = new RawClient(endpoint);
    const protocol = { major: 1, minor: 1 };
    const refused = await client.ask({ ...hello, protocol, groups: ["camera", "policy"] });
    expect(refused.header).toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/camera.*1\.1/),
      hint: expect.stringContaining("policy"),
    });
    const { header } = await client.ask({ ...hello, protocol });
    if (header.type !== "welcome") throw new Error(header.type);
    expect(Object.keys(header.spec.observations)).toEqual(["policy", "exact"]);
    expect(header.notices[0]).toContain("camera");
    await client.ask({ type: "close", seq: 2, session: hello.session });
  });
});

const asked = (numEnvs: number) => ({ settings: {}, numEnvs });

describe("pictures served from Python", () => {
  const program = (more: string) => `
import sys, numpy as np
from firstsolo_sim import Client, serve
N = 4
class Env:
    spec = {"task": "film", "num_envs": N, "control_period": 0.02, "max_episode_steps": 3, "autoreset": "same_step",
            "observations": {"camera": {"dtype": "|u1", "shape": [2, 3, 1]}, "age": {"dtype": "<f4", "shape": [1]}},
            "action": {"dtype": "<f4", "shape": [1], "low": -1, "high": 1}, "capabilities": ["bitwise"]}
    def see(self, prefix, ages):
        film = (np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1) + 100 * ages.reshape(-1, 1, 1, 1)).astype(np.uint8)
        return {prefix + "/camera": film, prefix + "/age": ages.reshape(-1, 1)}
    def reset(self, seed):
        self.ages = np.zeros(N)
        return self.see("obs", self.ages)
    def step(self, actions):
        self.ages += 1
        ends, rows = self.ages >= 3, np.flatnonzero(self.ages >= 3)
        last = {"final/rows": rows, **self.see("final", self.ages[rows])} if len(rows) else {}
        self.ages[rows] = 0
        return {"reward": np.clip(actions[:, 0], -1, 1), "terminated": ~ends & False, "truncated": ends, **last, **self.see("obs", self.ages)}
${more}
serve(Env(), bind=sys.argv[1])`;

  async function served(more = "") {
    const endpoint = socketFile();
    const child = spawn(await pythonEnv(), ["-u", "-c", program(more), endpoint], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    atEnd(() => void child.kill("SIGKILL"));
    return endpoint;
  }

  it("keep every law", async () => {
    const endpoint = await served();
    const findings = await conform({ endpoint, startupTimeout: 30, steps: 10, only });
    expect(findings.filter(({ verdict }) => verdict === "broken")).toEqual([]);
    const env = await connect({ endpoint });
    await env.reset(1);
    const { frame } = await env.step(new Float32Array(4));
    expect(frame.observations.camera!.slice(0, 6)).toEqual(
      Uint8Array.of(100, 101, 102, 103, 104, 105),
    );
  });

  it("are refused as numbers of another kind, by name", async () => {
    const endpoint = await served(`
    def see(self, prefix, ages):
        return {prefix + "/camera": np.zeros((len(ages), 2, 3, 1)), prefix + "/age": ages.reshape(-1, 1)}`);
    const env = await connect({ endpoint });
    await expect(env.reset(0)).rejects.toMatchObject({
      message: expect.stringContaining("obs/camera as float64"),
    });
  });
});

describe("recorded pictures", () => {
  it("come back from a compressed file as the bytes they were, and count as bytes in memory", async () => {
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-film-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "film.hdf5");
    const env = new FilmedMass(asked(4));
    const { spec } = env;
    const recorder = new FlightRecorder(await FlightWriter.create(path, spec), { episodes: 8 });
    const groups = Object.keys(spec.observations);
    const needs = { groups, successors: groups, notes: [] };
    let frame = await env.reset(3);
    while (!recorder.isDone) {
      const rollout = new Recorder({ spec, notes: {}, needs, steps: 5, rows: 4, memory: [] });
      for (let i = 0; i < 5; i++) {
        const actions = Float32Array.of(1, -1, 0.5, 0);
        const result = await env.step(actions);
        rollout.record(i, { frame, acted: { actions, notes: {} }, result });
        frame = result.frame;
      }
      const experience = rollout.finish(frame);
      expect(experience.arrays["obs/camera"]).toBeInstanceOf(Uint8Array);
      recorder.add(experience);
    }
    const { steps } = recorder.close("drop");
    const flights = await openFlights(path);
    atEnd(() => flights.close());
    expect(flights.spec.groups.camera).toMatchObject({ kept: "uint8", width: bytes, shape });
    expect(pictureGroups(flights.spec.env!)).toEqual(["camera"]);
    const { lengths, observed } = flights.episodes;
    for (const [episode, length] of lengths.entries()) {
      const count = observed[episode]!;
      expect(count).toBe(length + 1);
      const [film, exact] = [new Uint8Array(count * bytes), new Float32Array(count)];
      flights.read("obs/camera", { episode, from: 0, count }, film, 0);
      flights.read("obs/exact", { episode, from: 0, count }, exact, 0);
      expect(film).toEqual(pictures(exact));
    }
    const transitions = new Transitions(flights, { ...needs, notes: [] }, { batch: 16, seed: 1 });
    const { arrays } = transitions.draw(2);
    expect(arrays["next/camera"]).toEqual(pictures(arrays["next/exact"]!));
    expect(transitions.facts.bytes / (steps + lengths.length)).toBe(bytes + 4 * 4 + 2 + 4 + 4);
    expect(summaryText(summarise(flights))).toContain("pictures of 4 × 6, 2 channels, bytes");
    expect(statSync(path).size).toBeLessThan(steps * bytes + 200_000);
  });
});
