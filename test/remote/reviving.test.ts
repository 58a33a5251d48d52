import { describe, expect, it } from "vitest";
import { EnvRevived, flownWhole, type Revival } from "../../sim-adapters/env-revived.ts";
import { connectRemote, type RemoteEnv } from "../../sim-adapters/remote/remote-env.ts";
import {
  isLoss,
  type RevivalPlan,
  restartOwn,
  revivedSeed,
  waitForOther,
} from "../../sim-adapters/remote/revival-plan.ts";
import { type Attempt, RevivingEnv } from "../../sim-adapters/remote/reviving-env.ts";
import type { OpenRequest } from "../../sim-adapters/serve/serve-env.ts";
import { PointMass } from "./point-mass.ts";
import { atEnd, nodeServer, type PythonServer, pythonServer, socketFile } from "./servers.ts";

const push = () => new Float32Array(8).fill(0.5);
const quick: RevivalPlan = { attempts: 5, patience: Number.POSITIVE_INFINITY, pause: () => 0.05 };

/** A simulator of our own: each time it is opened a new process is started. */
async function own(plan = quick, more: { stepTimeout?: number } = {}) {
  const processes: PythonServer[] = [];
  const lines: string[] = [];
  const env = await RevivingEnv.open<RemoteEnv>({
    plan,
    onLost: (line) => lines.push(line),
    open: async ({ expected }) => {
      const server = await pythonServer();
      processes.push(server);
      const { endpoint, exited } = server;
      const given = expected === undefined ? {} : { expected };
      return connectRemote({ endpoint, exited, startupTimeout: 20, ...more, ...given });
    },
  });
  atEnd(() => env.close());
  return { env, lines, last: () => processes.at(-1)!.child, processes };
}

async function revival(call: Promise<unknown>): Promise<EnvRevived> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EnvRevived);
  return error as EnvRevived;
}

describe("a simulator that is lost", () => {
  it("by a kill is started again, and the step says which frame to go on from", async () => {
    const { env, last, lines } = await own();
    await env.reset(7);
    await env.step(push());
    last().kill("SIGKILL");
    const revived = await revival(env.step(push()));
    expect(revived).toMatchObject({ restored: false, count: 1, code: "env-revived" });
    expect(revived.frame.started.every((flag) => flag === 1)).toBe(true);
    expect(revived.message).toContain("SIGKILL");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("try 1 of 5");
    const { frame } = await env.step(push());
    expect(frame.observations.policy).not.toEqual(revived.frame.observations.policy);
  });

  it("by hanging is started again when the step's time is up", async () => {
    const { env, last, processes } = await own(quick, { stepTimeout: 1 });
    await env.reset(7);
    last().kill("SIGSTOP");
    await revival(env.step(push()));
    await env.step(push());
    expect(processes).toHaveLength(2);
  });

  it("during a reset gets it in the new process, without a word to the caller", async () => {
    const { env, last } = await own();
    const first = await env.reset(7);
    last().kill("SIGKILL");
    expect(await env.reset(7)).toEqual(first);
    expect(env.revivals).toBe(1);
  });

  it("again and again is given up after as many tries, with all that is known", async () => {
    let opened = 0;
    const env = await RevivingEnv.open<RemoteEnv>({
      plan: { ...quick, attempts: 3 },
      open: async () => {
        if (++opened > 1) throw (await lost()) as Error;
        const { endpoint, exited, child } = await pythonServer();
        const first = await connectRemote({ endpoint, exited, startupTimeout: 20 });
        setTimeout(() => child.kill("SIGKILL"), 100);
        return first;
      },
    });
    await env.reset(0);
    const steps = async () => {
      for (;;) await env.step(push());
    };
    await expect(steps()).rejects.toMatchObject({
      code: "simulator-lost",
      message: expect.stringMatching(/SIGKILL.*\n.*did not come back in 3 tries/),
    });
    expect(opened).toBe(4);
  });

  it("is an error as before where nobody asked for more", async () => {
    const { env, last } = await own(restartOwn(0));
    await env.reset(0);
    last().kill("SIGKILL");
    await expect(env.step(push())).rejects.toMatchObject({
      name: "RemoteError",
      code: "simulator-lost",
    });
  });
});

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, now: () => controller.abort() };
}

async function lost(): Promise<unknown> {
  return connectRemote({ endpoint: socketFile(), startupTimeout: 0.05 }).catch((error) => error);
}

describe("somebody else's simulator", () => {
  const open =
    (bind: string, more: object = {}) =>
    async ({ expected, patience = 20, signal }: Attempt) =>
      connectRemote({
        endpoint: bind,
        startupTimeout: patience,
        ...more,
        ...(signal === undefined ? {} : { signal }),
        ...(expected === undefined ? {} : { expected }),
      });

  it("is waited for, and its state is put back where it was remembered", async () => {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const env = await RevivingEnv.open({ plan: waitForOther(20), open: open(bind) });
    atEnd(() => env.close());
    await env.reset(3);
    await env.step(push());
    await env.remember();
    const there = (await env.step(push())).frame;
    await first.close();
    setTimeout(() => void nodeServer({ bind }), 1500);
    const revived = await revival(env.step(push()));
    expect(revived.restored).toBe(true);
    expect(revived.outage).toBeGreaterThan(1);
    expect((await env.step(push())).frame).toEqual(there);
  });

  it("is waited for no longer than was said", async () => {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const env = await RevivingEnv.open({ plan: waitForOther(1), open: open(bind) });
    atEnd(() => env.close());
    await env.reset(3);
    await first.close();
    await expect(env.step(push())).rejects.toMatchObject({ code: "simulator-lost" });
  });

  /** Its simulator is gone, and would be waited for so many seconds. */
  async function lostInFlight(patience: number) {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const landing = new AbortController();
    const env = await RevivingEnv.open({
      plan: waitForOther(patience),
      open: open(bind),
      landing: landing.signal,
    });
    atEnd(() => env.close());
    await env.reset(3);
    await first.close();
    return { env, landing, bind };
  }

  it("is waited for no longer once the flight is to land", async () => {
    const { env, landing } = await lostInFlight(300);
    const step = env.step(push());
    setTimeout(() => landing.abort(), 200);
    await expect(step).rejects.toMatchObject({ code: "simulator-lost" });
  });

  it.each([
    ["between two tries", 60],
    ["within a try", 0.01],
  ])("that was flown in is not said to be untouched by who stops %s", async (_, pause) => {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const { signal, ...stop } = stoppable();
    const env = await RevivingEnv.open({
      plan: { ...waitForOther(300), pause: () => pause },
      open: (attempt) => open(bind)({ ...attempt, signal }),
      signal,
    });
    atEnd(() => env.close());
    await env.reset(3);
    await first.close();
    const step = env.step(push());
    setTimeout(stop.now, 300);
    await expect(step).rejects.toMatchObject({
      code: "aborted",
      hint: expect.stringContaining("not whole"),
    });
  });

  it("that was revived flies on while the flight lands", async () => {
    const { env, landing, bind } = await lostInFlight(20);
    await nodeServer({ bind });
    await revival(env.step(push()));
    landing.abort();
    await env.step(push());
  });

  it("that comes back as another one is refused", async () => {
    const bind = socketFile();
    const first = await nodeServer({ bind });
    const env = await RevivingEnv.open({ plan: waitForOther(20), open: open(bind) });
    atEnd(() => env.close());
    await env.reset(3);
    await first.close();
    const smaller = async (asked: OpenRequest) => new PointMass({ ...asked, numEnvs: 4 });
    await nodeServer({ bind, open: smaller });
    await expect(env.step(push())).rejects.toMatchObject({ code: "spec-changed" });
  });

  it("has a spare: the one that waits at the door flies on", async () => {
    let first: Awaited<ReturnType<typeof nodeServer>> | undefined;
    const env = await RevivingEnv.open({
      plan: waitForOther(20),
      open: open("tcp://127.0.0.1:47613", {
        listen: true,
        onListening: (endpoint: string) => {
          if (first === undefined) void nodeServer({ connect: endpoint }).then((s) => (first = s));
        },
      }),
    });
    atEnd(() => env.close());
    await env.reset(3);
    await nodeServer({ connect: "tcp://127.0.0.1:47613" });
    await env.step(push());
    await first!.close();
    await revival(env.step(push()));
    await env.step(push());
  });
});

describe("a rollout", () => {
  it("is flown again from the frame of the revival, and comes through whole", async () => {
    const { env, last, processes } = await own();
    const start = await env.reset(1);
    const revivals: Revival[] = [];
    let flown = 0;
    const rollout = async (from: typeof start) => {
      const frames = [from];
      for (let step = 0; step < 10; step++) {
        if (processes.length === 1 && step === 6) last().kill("SIGKILL");
        frames.push((await env.step(push())).frame);
        flown++;
      }
      return frames;
    };
    const frames = await flownWhole(rollout, start, { onRevived: (it) => void revivals.push(it) });
    expect(frames).toHaveLength(11);
    expect(flown).toBe(16);
    expect(revivals).toHaveLength(1);
    expect(frames[0]).toBe(revivals[0]!.frame);
  });

  it("hands on every other error", async () => {
    const broken = async () => {
      throw new Error("no");
    };
    const start = { observations: {}, started: new Uint8Array(0) };
    await expect(flownWhole(broken, start, { onRevived: () => {} })).rejects.toThrow("no");
  });
});

describe("the plan", () => {
  it("backs off, and knows a loss from a refusal", async () => {
    const { pause } = restartOwn(9);
    expect([1, 2, 3, 4, 5, 9].map(pause)).toEqual([0, 1, 2, 4, 8, 30]);
    expect(isLoss(await lost())).toBe(true);
    expect(isLoss(new Error("simulator-lost"))).toBe(false);
  });

  it("draws other episodes each time, with seeds that fit 31 bits", () => {
    const seeds = Array.from({ length: 1000 }, (_, count) => revivedSeed(42, count));
    expect(new Set(seeds).size).toBe(1000);
    expect(Math.max(...seeds)).toBeLessThan(2 ** 31);
    expect(Math.min(...seeds)).toBeGreaterThanOrEqual(0);
  });
});
