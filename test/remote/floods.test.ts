import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { widthOf } from "../../protocol/env-spec.ts";
import type { RemoteEnv } from "../../sim-adapters/remote/remote-env.ts";
import { StrangerLimit } from "../../sim-adapters/serve/stranger-limit.ts";
import { pythonEnv } from "../python-env.ts";
import { atEnd, connect, pythonServer, servedProcess } from "./servers.ts";

/** Peers that send pings as fast as they can and never read; with `leave` they go and come again. */
const flood = `
import sys, time, msgpack, zmq
endpoint, peers, count, leave = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "leave"
context = zmq.Context()
ping = msgpack.packb({"type": "ping", "seq": 1})
def peer():
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0 if leave else -1
    dealer.rcvhwm = 1
    dealer.sndtimeo = 200
    dealer.connect(endpoint)
    return dealer
peers = [peer() for _ in range(peers)]
print("ready", flush=True)
for i in range(count):
    for n, dealer in enumerate(peers):
        try:
            dealer.send(ping, zmq.NOBLOCK)
        except zmq.Again:
            time.sleep(0.0001)
        if leave and i % 500 == 499:
            dealer.close(0)
            peers[n] = globals()["peer"]()
print("done", flush=True)
time.sleep(60)
`;

const idle = ({ spec }: RemoteEnv) => new Float32Array(spec.numEnvs * widthOf(spec.action));

const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

describe.each([
  ["in Node", servedProcess],
  ["in Python", pythonServer],
] as const)("a server %s", (_, start) => {
  it.each([["stay"], ["leave"]])(
    "serves its driver while ten peers ping, never read and %s",
    async (manner) => {
      const { endpoint, child } = await start();
      const env = await connect({ endpoint, stepTimeout: 20 });
      await env.reset(0);
      const before = memoryOf(child.pid!);
      const script = ["-u", "-c", flood, endpoint, "10", "20000", manner];
      const crowd = spawn(await pythonEnv(), script, { stdio: ["ignore", "pipe", "inherit"] });
      atEnd(() => {
        crowd.kill("SIGKILL");
      });
      await new Promise((resolve) => crowd.stdout.once("data", resolve));
      let longest = 0;
      for (let step = 0; step < 200; step++) {
        const since = performance.now();
        await env.step(idle(env));
        longest = Math.max(longest, performance.now() - since);
        await sleep(10);
      }
      crowd.kill("SIGKILL");
      await sleep(300);
      for (let step = 0; step < 20; step++) {
        const since = performance.now();
        await env.step(idle(env));
        longest = Math.max(longest, performance.now() - since);
      }
      expect(longest).toBeLessThan(900);
      expect(memoryOf(child.pid!) - before).toBeLessThan(100);
      // Another runner is heard as well.
      await env.close();
      await (await connect({ endpoint })).reset(0);
    },
    60_000,
  );
});

describe("the limit for strangers", () => {
  it("drops what one peer sends beyond its share, and lets a newcomer greet", () => {
    const limit = new StrangerLimit();
    let passed = 0;
    for (let i = 0; i < 100_000; i++) if (limit.admits("loud", i / 10_000)) passed++;
    // Ten seconds of it.
    expect(passed).toBeLessThan(100 + 50 * 10 + 1);
    for (let n = 0; n < 2000; n++) for (let i = 0; i < 10; i++) limit.admits(`peer ${n}`, 10);
    expect(limit.admits("newcomer", 10)).toBe(true);
  });

  it("bounds them all together", () => {
    const limit = new StrangerLimit();
    let passed = 0;
    for (let i = 0; i < 100_000; i++) if (limit.admits(`peer ${i % 100}`, i / 10_000)) passed++;
    expect(passed).toBeLessThan(500 + 200 * 10 + 5 * 100 + 1);
  });
});
