import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { FaultProxy } from "../../sim-adapters/chaos/fault-proxy.ts";
import { Mischief } from "../../sim-adapters/chaos/mischief.ts";
import { parseScript } from "../../sim-adapters/chaos/script.ts";
import { flownWhole } from "../../sim-adapters/env-revived.ts";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import { waitForOther } from "../../sim-adapters/remote/revival-plan.ts";
import { RevivingEnv } from "../../sim-adapters/remote/reviving-env.ts";
import { compiledProgram } from "../compiled.ts";
import fc from "../properties.ts";
import { PointMass } from "../remote/point-mass.ts";
import { atEnd, connect, nodeServer, pythonServer, socketFile } from "../remote/servers.ts";

const push = () => new Float32Array(8).fill(0.5);

async function between(server: string, script: string, more: { onKill?: () => void } = {}) {
  const proxy = await FaultProxy.open({
    listen: socketFile(),
    server,
    rules: parseScript(script),
    seed: 7,
    ...more,
  });
  atEnd(() => proxy.close());
  return proxy;
}

describe("a script of faults", () => {
  it("says what goes wrong, in which direction, and when", () => {
    const text = "drop 3%; requests delay=0.2 at 5, 9 # twice\n replies flip=8 every 100;";
    expect(parseScript(text)).toEqual([
      { fault: "drop", amount: 0, direction: "both", when: { kind: "share", share: 0.03 } },
      { fault: "delay", amount: 0.2, direction: "requests", when: { kind: "at", numbers: [5, 9] } },
      { fault: "flip", amount: 8, direction: "replies", when: { kind: "every", every: 100 } },
    ]);
  });

  it.each([
    "",
    "dropp 3%",
    "drop",
    "drop 300%",
    "drop at 0",
    "cut every 0",
    "up drop 3%",
    "drop=-1 3%",
  ])("is refused when it is %j", (text) => {
    const hint = expect.stringContaining("faults: delay drop");
    expect(() => parseScript(text)).toThrow(expect.objectContaining({ code: "bad-script", hint }));
  });

  it("is read or refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        try {
          expect(parseScript(text).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ name: "ChaosError" });
        }
      }),
    );
  });
});

describe("mischief", () => {
  const messages = Array.from({ length: 60 }, (_, i) => [Uint8Array.of(i, 1, 2), Uint8Array.of(3)]);
  const all = parseScript("drop 20%; duplicate 20%; reorder 20%; flip=3 20%; truncate=2 20%");
  const fates = (seed: number) => {
    const mischief = new Mischief(all, "requests", seed);
    return messages.map((message) => mischief.judge(message));
  };

  it("is the same for the same seed, and another for another", () => {
    expect(fates(1)).toEqual(fates(1));
    expect(fates(1)).not.toEqual(fates(2));
  });

  it("loses nothing but what it drops, and leaves the message it was handed alone", () => {
    const before = structuredClone(messages);
    const mischief = new Mischief(parseScript("reorder 50%; duplicate at 3"), "replies", 3);
    const seen = messages.flatMap((message) => mischief.judge(message).messages);
    const last = mischief.judge([Uint8Array.of(255)]).messages;
    const firsts = [...seen, ...last].map(([frame]) => frame![0]!);
    expect(firsts.filter((n) => n < 255).length).toBeGreaterThanOrEqual(60);
    expect(new Set(firsts.filter((n) => n < 255)).size).toBe(60);
    fates(5);
    expect(messages).toEqual(before);
  });
});

describe.each([
  ["Node", nodeServer],
  ["Python", pythonServer],
] as const)("between a runner and a simulator in %s", (_, start) => {
  it.each([
    "duplicate every 3",
    "replies delay=0.15 every 7",
    "drop at 6,17",
    "reorder at 5,11",
    "requests stall=0.4 every 10; replies stall=0.3 at 8",
    "requests cut at 9; replies cut at 21",
    "drop 4%; duplicate 10%; delay=0.05 10%; reorder 4%",
  ])("'%s' changes no bit of what is flown", async (script) => {
    const proxy = await between((await start()).endpoint, script);
    const env = await connect({ endpoint: proxy.endpoint });
    const plain = await connect({ endpoint: (await start()).endpoint });
    expect(await env.reset(4)).toEqual(await plain.reset(4));
    for (let step = 0; step < 25; step++) {
      const [there, here] = [await env.step(push()), await plain.step(push())];
      expect({ ...there, timing: 0 }).toEqual({ ...here, timing: 0 });
    }
    expect(proxy.counts.size).toBeGreaterThan(0);
  });

  it.each(["flip=3 20%", "truncate=2 20%", "requests flip=40 30%", "replies truncate=5 30%"])(
    "'%s' ends in an error that has words, or not at all; the simulator serves on",
    async (script) => {
      const server = await start();
      const proxy = await between(server.endpoint, script);
      for (let flight = 0; flight < 4; flight++) {
        const options = { endpoint: proxy.endpoint, stepTimeout: 4, startupTimeout: 4 };
        const fly = async () => {
          const env = await connectRemote({ ...options, resetTimeout: 4, run: "chaos0001" });
          try {
            await env.reset(1);
            for (let step = 0; step < 10; step++) await env.step(push());
          } finally {
            await env.close();
          }
        };
        await fly().catch((error) => {
          expect(error).toMatchObject({ name: "RemoteError", hint: expect.stringMatching(/./) });
        });
      }
      await proxy.close();
      const env = await connect({ endpoint: server.endpoint, run: "chaos0001" });
      await env.reset(0);
      await env.step(push());
    },
  );
});

it("a simulator killed at a step of the script is revived, and all that was asked is flown", async () => {
  const bind = socketFile();
  let server = await pythonServer("--bind", bind);
  const proxy = await between(bind, "requests kill at 8", {
    onKill: () => {
      server.child.kill("SIGKILL");
      setTimeout(async () => {
        server = await pythonServer("--bind", bind);
      }, 500);
    },
  });
  const env = await RevivingEnv.open({
    plan: waitForOther(20),
    open: ({ patience = 20 }) =>
      connectRemote({ endpoint: proxy.endpoint, startupTimeout: patience, stepTimeout: 3 }),
  });
  atEnd(() => env.close());
  let revived = 0;
  const rollout = async () => {
    for (let step = 0; step < 20; step++) await env.step(push());
    return "whole";
  };
  const onRevived = () => void revived++;
  expect(await flownWhole(rollout, await env.reset(0), { onRevived })).toBe("whole");
  expect(revived).toBe(1);
});

it("the command stands between two addresses and says at the end what it did", async () => {
  const { endpoint } = await nodeServer();
  const listen = socketFile();
  const words = ["chaos", "--between", listen, endpoint, "--script", "duplicate every 2"];
  const child = spawn(process.execPath, [compiledProgram(), ...words]);
  atEnd(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    said += data;
  });
  const env = await connect({ endpoint: listen });
  await env.reset(0);
  for (let step = 0; step < 4; step++) await env.step(push());
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(said).toMatch(/chaos: between .*\nchaos: duplicate \d+\n/);
});

it("is the same mass as in this process, without a fault", async () => {
  const { endpoint } = await nodeServer();
  const proxy = await between(endpoint, "drop at 1000000");
  const env = await connect({ endpoint: proxy.endpoint });
  expect(await env.reset(9)).toEqual(await new PointMass({ settings: {} }).reset(9));
});
