import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../protocol/codec.ts";
import { PointMass } from "./point-mass.ts";
import { connect, nodeServer, proxy, pythonServer, socketFile } from "./servers.ts";

const push = () => new Float32Array(8).fill(0.5);

describe("a simulator that is late", () => {
  it("is waited for, with lines that say for what", async () => {
    const bind = socketFile();
    const lines: string[] = [];
    const waiting = connect({ endpoint: bind, onWaiting: (line) => lines.push(line) });
    await sleep(3500);
    await nodeServer({ bind });
    const env = await waiting;
    await env.reset(0);
    expect(lines[0]).toMatch(/^waiting for ipc:\/\/.* to answer hello \(3 s of 20 s\)$/);
  });

  it("that never comes is an error that says where it was looked for", async () => {
    const endpoint = socketFile();
    await expect(connect({ endpoint, startupTimeout: 0.5 })).rejects.toMatchObject({
      code: "not-started",
      message: expect.stringContaining(endpoint),
    });
  });

  it("that loads longer than the budget is waited for as long as it beats", async () => {
    const { endpoint } = await pythonServer();
    const lines: string[] = [];
    const env = await connect({
      endpoint,
      settings: { load_seconds: 4 },
      startupTimeout: 2,
      onWaiting: (line) => lines.push(line),
    });
    expect(env.spec.task).toBe("point-mass");
    expect(lines[0]).toContain("it is loading (");
  });
});

describe("a simulator that dies", () => {
  it("in the middle of a step ends the call as lost once its process has ended", async () => {
    const { endpoint, child, exited } = await pythonServer();
    const env = await connect({ endpoint, exited });
    await env.reset(0);
    child.kill("SIGSTOP");
    const step = env.step(push());
    child.kill("SIGKILL");
    await expect(step).rejects.toMatchObject({
      code: "simulator-lost",
      message: "the simulator ended (SIGKILL)",
    });
    await expect(env.step(push())).rejects.toMatchObject({ code: "simulator-lost" });
    await env.close();
  });

  it("unseen is lost as soon as the connection stays down", async () => {
    const { endpoint, child } = await pythonServer();
    const env = await connect({ endpoint });
    await env.reset(0);
    child.kill("SIGSTOP");
    const step = env.step(push());
    child.kill("SIGKILL");
    await expect(step).rejects.toMatchObject({
      code: "simulator-lost",
      message: expect.stringContaining("the connection broke"),
    });
    await env.close();
  });

  it("by hanging is lost when the step's budget is spent, and closing does not hang", async () => {
    const { endpoint, child } = await pythonServer();
    const env = await connect({ endpoint, stepTimeout: 1 });
    await env.reset(0);
    child.kill("SIGSTOP");
    await expect(env.step(push())).rejects.toMatchObject({
      code: "simulator-lost",
      hint: expect.stringContaining("resume"),
    });
    await env.close();
  });

  it("and comes back is known by its epoch", async () => {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const env = await connect({ endpoint: bind });
    await env.reset(0);
    await first.close();
    await nodeServer({ bind });
    await expect(env.step(push())).rejects.toMatchObject({ code: "epoch-changed" });
    await expect(env.reset(0)).rejects.toMatchObject({ code: "epoch-changed" });
    await env.close();
    const again = await connect({ endpoint: bind });
    await again.reset(0);
  });

  it("with an exception is an error of one line, without a stack", async () => {
    class Crashing extends PointMass {
      override async step(): Promise<never> {
        throw new Error("the floor is lava\n    at nowhere");
      }
    }
    const logged: string[] = [];
    const { endpoint } = await nodeServer({
      open: async (asked) => new Crashing(asked),
      onLog: (line) => logged.push(line),
    });
    const env = await connect({ endpoint });
    await env.reset(0);
    await expect(env.step(push())).rejects.toMatchObject({
      code: "simulator-failed",
      message: "the floor is lava at nowhere",
    });
    expect(logged.some((line) => line.includes("step failed: Error: the floor is lava"))).toBe(
      true,
    );
  });
});

describe("a client that leaves", () => {
  it("by closing while a call waits ends the call", async () => {
    const { endpoint, child } = await pythonServer();
    const env = await connect({ endpoint });
    child.kill("SIGSTOP");
    const reset = env.reset(0);
    const [outcome] = await Promise.allSettled([reset, env.close()]);
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "closed" } });
    await expect(env.reset(0)).rejects.toMatchObject({ code: "closed" });
  });

  it("by its signal stops waiting for a simulator", async () => {
    const stop = new AbortController();
    const attempt = connect({ endpoint: socketFile(), signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(attempt).rejects.toMatchObject({ code: "aborted" });
    const late = connect({ endpoint: socketFile(), signal: stop.signal });
    await expect(late).rejects.toMatchObject({ code: "aborted" });
  });

  it("by its signal in the middle of a flight says so", async () => {
    const { endpoint, child } = await pythonServer();
    const stop = new AbortController();
    const env = await connect({ endpoint, signal: stop.signal });
    child.kill("SIGSTOP");
    const reset = env.reset(0);
    stop.abort();
    const error = { code: "aborted", message: "stopped before the flight was over" };
    await expect(reset).rejects.toMatchObject(error);
    await env.close();
  });

  it("frees the simulator for the next, who waits until then", async () => {
    const { endpoint } = await nodeServer();
    const first = await connect({ endpoint });
    const lines: string[] = [];
    const second = connect({ endpoint, onWaiting: (line) => lines.push(line) });
    await sleep(3500);
    expect(lines[0]).toContain("another session drives");
    await first.close();
    const env = await second;
    await env.reset(0);
  });
});

describe("a simulator that lies", () => {
  class Spoilt extends PointMass {
    override async step(actions: Float32Array) {
      const result = await super.step(actions);
      result.frame.observations.policy![2 * 5 + 1] = Number.NaN;
      return result;
    }
  }

  it("about a value is told which environment and component", async () => {
    const { endpoint } = await nodeServer({ open: async (asked) => new Spoilt(asked) });
    const env = await connect({ endpoint });
    await env.reset(0);
    await expect(env.step(push())).rejects.toMatchObject({
      code: "bad-value",
      message: expect.stringContaining("obs/policy: environment 5, component 1 (speed) is NaN"),
    });
  });

  const lies: [string, (frames: Buffer[]) => Buffer[], string][] = [
    [
      "widths",
      (frames) => change(frames, (_, t) => ({ ...t, "obs/policy": vector(8) })),
      "obs/policy",
    ],
    ["rewards", (frames) => change(frames, (_, { reward: __, ...t }) => t), "reward"],
    [
      "what it answers",
      (frames) => change(frames, (_, t) => t, { type: "state" }),
      "type is state",
    ],
    [
      "a frame's size",
      ([header, frame, ...rest]) => [header!, frame!.subarray(4), ...rest],
      "shape",
    ],
    ["its header", ([header, ...rest]) => [header!.subarray(1), ...rest], "header"],
    ["how many frames follow", (frames) => [...frames, Buffer.alloc(1)], "tensors"],
    ["the length of its header", () => [Buffer.alloc(70_000)], "header"],
    ["how many frames may come", () => Array(70).fill(Buffer.alloc(1)), "frames"],
  ];

  it.each(lies)("about %s is refused, naming the field", async (_, tamper, field) => {
    const { endpoint: server } = await nodeServer();
    const replies = (frames: Buffer[], count: number) => [count === 3 ? tamper(frames) : frames];
    const env = await connect({ endpoint: await proxy(server, { replies }), stepTimeout: 1.5 });
    await env.reset(0);
    const step = env.step(push());
    await expect(step).rejects.toMatchObject({
      code: "bad-reply",
      message: expect.stringContaining(field),
    });
  });
});

type Sent = Record<string, { shape: readonly number[]; data: Float32Array }>;

function vector(length: number) {
  return { shape: [length], data: new Float32Array(length) };
}

function change(
  frames: Buffer[],
  tensors: (header: object, sent: Sent) => Sent,
  header: object = {},
): Buffer[] {
  const message = decodeMessage(frames);
  const changed = { ...message.header, ...header };
  const sent = tensors(changed, message.tensors as Sent);
  return encodeMessage(changed, sent).map((frame) => Buffer.from(frame));
}
