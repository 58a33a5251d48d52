import { describe, expect, it } from "vitest";
import type { StepResult } from "../../protocol/frame.ts";
import { PointMass } from "./point-mass.ts";
import { connect, nodeServer, proxy, pythonServer } from "./servers.ts";

const numEnvs = 16;

/** The same pushes every time, some beyond the bounds. */
function pushes(step: number): Float32Array {
  return Float32Array.from({ length: numEnvs }, (_, i) => Math.sin(i + step * 0.7) * 1.5);
}

const bitsOf = ({ frame, ...rest }: Omit<StepResult, "timing">) => ({ ...frame, ...rest });

describe.each(["ipc", "tcp"])("over %s", (transport) => {
  const where = transport === "tcp" ? { bind: "tcp://127.0.0.1:0" } : {};

  it("gives the same bits as the environment in this process, episodes' ends included", async () => {
    const { endpoint } = await nodeServer(where);
    const settings = { max_steps: 7 };
    const remote = await connect({ endpoint, numEnvs, settings });
    const local = new PointMass({ settings, numEnvs });
    expect(remote.spec).toEqual(local.spec);
    for (const seed of [5, 2147483647]) {
      expect(await remote.reset(seed)).toEqual(await local.reset(seed));
      let ended = 0;
      for (let step = 0; step < 40; step++) {
        const { timing: _, ...here } = await local.step(pushes(step));
        const { timing, ...there } = await remote.step(pushes(step));
        expect(bitsOf(there)).toEqual(bitsOf(here));
        expect(timing?.total).toBeGreaterThan(0);
        ended += here.final?.rows.length ?? 0;
      }
      expect(ended).toBeGreaterThan(numEnvs);
    }
  });
});

describe("a remote environment", () => {
  it("goes back to a snapshot, started flags included", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint, numEnvs, settings: { max_steps: 5 } });
    await env.reset(1);
    for (let step = 0; step < 5; step++) await env.step(pushes(step));
    const state = await env.snapshot!();
    const first = await env.step(pushes(9));
    const frame = await env.restore!(state);
    expect(frame.started.every((flag) => flag === 1)).toBe(true);
    const again = await env.step(pushes(9));
    expect(again.frame).toEqual(first.frame);
    const middle = await env.restore!(await env.snapshot!());
    expect(middle.started.some((flag) => flag === 1)).toBe(false);
  });

  it("asks for episodes with a seed below 2^31, whatever it is given", async () => {
    const seeds: number[] = [];
    class Noting extends PointMass {
      override async reset(seed: number) {
        seeds.push(seed);
        return super.reset(seed);
      }
    }
    const { endpoint } = await nodeServer({ open: async (asked) => new Noting(asked) });
    const env = await connect({ endpoint });
    for (const seed of [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) await env.reset(seed);
    expect(seeds).toEqual([0, 2 ** 31 - 1, 0, 2 ** 31 - 1]);
  });

  it("sends only the groups that were asked for", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint, groups: ["exact"] });
    expect(Object.keys(env.spec.observations)).toEqual(["exact"]);
    expect(Object.keys((await env.reset(0)).observations)).toEqual(["exact"]);
  });

  it("tells what the simulator said about itself", async () => {
    const { endpoint } = await nodeServer({ name: "mass", version: "7" });
    const notices: string[] = [];
    const settings = { mass: 2 };
    const env = await connect({ endpoint, settings, onNotice: (line) => notices.push(line) });
    expect(env.welcome).toMatchObject({
      server: { name: "mass", version: "7" },
      settings: { mass: 2, max_steps: 20 },
      capabilities: ["bitwise", "snapshot"],
    });
    expect(env.welcome.specHash).toMatch(/^sha256:/);
    expect(notices).toEqual(["the point mass is ready"]);
    await env.reset(0);
    expect(env.stats.bytesReceived).toBeGreaterThan(100);
    expect(env.stats.lastRoundTrip).toBeGreaterThan(0);
    expect(env.stats.serverTiming.total).toBeGreaterThan(0);
  });

  it("never changes a frame that was handed over", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint, numEnvs });
    const kept = [(await env.reset(2)).observations.policy!];
    const copies = [kept[0]!.slice()];
    for (let step = 0; step < 60; step++) {
      const { policy } = (await env.step(pushes(step))).frame.observations;
      kept.push(policy!);
      copies.push(policy!.slice());
    }
    expect(kept).toEqual(copies);
  });

  it.each([
    [
      "a setting it does not know",
      { settings: { mas: 1 } },
      "unknown-setting",
      "Did you mean env.mass?",
    ],
    ["a group it does not have", { groups: ["camera"] }, "unknown-group", "policy, exact"],
  ])("is refused %s, with what there is", async (_, wanted, code, hint) => {
    const { endpoint } = await nodeServer();
    const attempt = connect({ endpoint, ...wanted });
    await expect(attempt).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
    await connect({ endpoint });
  });

  it("is refused a number of environments the simulator does not have", async () => {
    const open = async () => new PointMass({ settings: {}, numEnvs: 3 });
    const { endpoint } = await nodeServer({ open });
    await expect(connect({ endpoint, numEnvs: 4 })).rejects.toMatchObject({
      code: "num-envs-refused",
    });
  });

  it("shows how a simulator differs from the one expected", async () => {
    const { endpoint } = await nodeServer();
    const expected = new PointMass({ settings: {}, numEnvs: 9 }).spec;
    await expect(connect({ endpoint, numEnvs: 8, expected })).rejects.toMatchObject({
      code: "spec-changed",
      message: expect.stringContaining("num_envs: 9 became 8"),
    });
  });

  it("refuses a second call while one is under way, and both sides go on", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint, numEnvs });
    const first = env.reset(0);
    await expect(env.reset(1)).rejects.toMatchObject({ code: "call-in-flight" });
    await first;
    await expect(env.step(new Float32Array(3))).rejects.toMatchObject({ code: "malformed" });
    await env.step(pushes(0));
  });

  it("passes on what the simulator refuses, and goes on where it may", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint, numEnvs });
    await expect(env.step(pushes(0))).rejects.toMatchObject({ code: "not-reset" });
    await env.reset(0);
    const spoilt = pushes(0).fill(Number.NaN, 3, 4);
    await expect(env.step(spoilt)).rejects.toMatchObject({
      code: "bad-value",
      message: expect.stringContaining("environment 3, component 0 (force) is NaN"),
    });
    await env.step(pushes(0));
  });

  it("may be closed twice", async () => {
    const { endpoint } = await nodeServer();
    const env = await connect({ endpoint });
    await env.close();
    await env.close();
    await expect(env.reset(0)).rejects.toMatchObject({ code: "closed" });
  });

  it("steps the physics once though requests and replies are lost and repeated", async () => {
    const { endpoint: server } = await nodeServer();
    const endpoint = await proxy(server, {
      requests: (frames, count) =>
        count % 5 === 4 ? [] : count % 3 === 0 ? [frames, frames] : [frames],
      replies: (frames, count) =>
        count % 7 === 3 ? [] : count % 4 === 0 ? [frames, frames] : [frames],
    });
    const remote = await connect({ endpoint, numEnvs });
    const local = new PointMass({ settings: {}, numEnvs });
    expect(await remote.reset(3)).toEqual(await local.reset(3));
    for (let step = 0; step < 8; step++) {
      const there = await remote.step(pushes(step));
      expect(there.frame).toEqual((await local.step(pushes(step))).frame);
    }
  });
});

describe("a Python server", () => {
  it("flies: reset is repeatable, dynamics are Euler's, ends come with final observations", async () => {
    const { endpoint } = await pythonServer();
    const settings = { mass: 2, max_steps: 6, "start.spread": 0.5 };
    const env = await connect({ endpoint, numEnvs, settings });
    expect(env.spec).toMatchObject({ task: "point-mass", numEnvs, maxEpisodeSteps: 6 });
    const first = await env.reset(11);
    let policy = first.observations.policy!;
    let ends = 0;
    for (let step = 0; step < 12; step++) {
      const push = pushes(step);
      const { frame, rewards, final, truncated, log } = await env.step(push);
      for (let i = 0; i < numEnvs; i++) {
        const force = Math.max(-1, Math.min(1, push[i]!));
        const speed = policy[2 * i + 1]! + (force / 2) * 0.05;
        expect(rewards[i]).toBeCloseTo(-Math.abs(policy[2 * i]! + speed * 0.05), 5);
      }
      if (final !== undefined) {
        ends += 1;
        expect([...final.rows]).toEqual([...truncated.keys()]);
        expect(log).toEqual({ episode_length: 6 });
        expect(Math.abs(final.observations.exact![3]!)).toBeCloseTo(-rewards[3]!, 6);
        expect(frame.started).toEqual(new Uint8Array(numEnvs).fill(1));
      }
      policy = frame.observations.policy!;
    }
    expect(ends).toBe(2);
    expect(await env.reset(11)).toEqual(first);
    expect(env.snapshot).toBeUndefined();
  });
});
