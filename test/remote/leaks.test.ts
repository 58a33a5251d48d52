import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { curveKeyPair } from "zeromq";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import { serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { PointMass } from "./point-mass.ts";
import { nodeServer, pythonServer, socketFile } from "./servers.ts";

const descriptors = () => readdirSync("/proc/self/fd").length;
const threads = () =>
  Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

/** What is open once ZeroMQ's own thread has had time to reap. */
async function settled() {
  await sleep(900);
  return { descriptors: descriptors(), threads: threads(), timers: timers() };
}

async function expectFlat(times: number, once: () => Promise<void>): Promise<void> {
  for (let i = 0; i < 5; i++) await once();
  const before = await settled();
  for (let i = 0; i < times; i++) await once();
  const after = await settled();
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 8);
  expect(after.threads).toBeLessThanOrEqual(before.threads + 1);
  expect(after.timers).toBeLessThanOrEqual(before.timers + 1);
}

it.runIf(process.platform === "linux")(
  "300 connections opened and closed give back all they took",
  async () => {
    const { endpoint } = await pythonServer();
    const stop = new AbortController();
    await expectFlat(300, async () => {
      const env = await connectRemote({ endpoint, signal: stop.signal, startupTimeout: 20 });
      await env.close();
    });
  },
);

it.runIf(process.platform === "linux")(
  "so do connections that nobody answered, and listeners",
  async () => {
    const endpoint = socketFile();
    await expectFlat(8, async () => {
      await connectRemote({ endpoint, startupTimeout: 0.01 }).catch(() => {});
      await connectRemote({
        endpoint: "tcp://127.0.0.1:0",
        listen: true,
        startupTimeout: 0.01,
      }).catch(() => {});
    });
  },
);

it.runIf(process.platform === "linux")("so do servers, with CURVE and without", async () => {
  const keys = curveKeyPair();
  const curve = { ...keys, allowedClients: [keys.publicKey] };
  const open = async () => new PointMass({ settings: {} });
  await expectFlat(40, async () => {
    for (const more of [{}, { curve }]) {
      const server = await serveEnv({ bind: "tcp://127.0.0.1:0", open, ...more });
      const client = "curve" in more ? { curve: { serverKey: keys.publicKey, ...keys } } : {};
      const env = await connectRemote({ endpoint: server.endpoint, ...client });
      await env.close();
      await server.close();
    }
  });
});

it.runIf(process.platform === "linux")("so do simulators that dialled in", async () => {
  await expectFlat(30, async () => {
    let server: ReturnType<typeof nodeServer> | undefined;
    const env = await connectRemote({
      endpoint: "tcp://127.0.0.1:0",
      listen: true,
      onListening: (endpoint) => {
        server = nodeServer({ connect: endpoint });
      },
    });
    await env.close();
    await (await server)?.close();
  });
});
