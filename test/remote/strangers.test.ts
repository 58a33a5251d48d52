import { connect as dial, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Context, curveKeyPair, Dealer, Router } from "zeromq";
import type { RemoteEnv } from "../../sim-adapters/remote/remote-env.ts";
import { PointMass } from "./point-mass.ts";
import { atEnd, connect, nodeServer, pythonServer } from "./servers.ts";

const push = () => new Float32Array(8).fill(0.5);

function addressOf(endpoint: string): { port: number; host: string } {
  const { port, hostname } = new URL(endpoint.replace("tcp:", "http:"));
  return { port: Number(port), host: hostname };
}

function knock(endpoint: string, bytes: Buffer = Buffer.alloc(0)): Socket {
  const socket = dial(addressOf(endpoint));
  socket.on("error", () => {}).on("data", () => {});
  socket.write(bytes);
  atEnd(() => {
    socket.destroy();
  });
  return socket;
}

const signature = Buffer.from("ff00000000000000017f", "hex");
const greeting = Buffer.concat([
  signature,
  Buffer.from([3, 0]),
  Buffer.from("NULL".padEnd(20, "\0")),
  Buffer.alloc(32),
]);

/** What may come to an open port, other than a simulator. */
const strangers: Record<string, (endpoint: string) => Promise<void>> = {
  "a port scan": async (endpoint) => {
    for (let i = 0; i < 30; i++) knock(endpoint).end();
  },
  "a connection that says nothing": async (endpoint) => void knock(endpoint),
  "a web browser": async (endpoint) => void knock(endpoint, Buffer.from("GET / HTTP/1.1\r\n\r\n")),
  "half a greeting": async (endpoint) => void knock(endpoint, greeting.subarray(0, 20)),
  "a greeting and nothing more": async (endpoint) => void knock(endpoint, greeting),
  "a greeting that is cut off": async (endpoint) => {
    const socket = knock(endpoint, greeting);
    await sleep(100);
    socket.destroy();
  },
  "a plain peer that is silent": async (endpoint) => void peer(endpoint),
  "a plain peer that talks nonsense": async (endpoint) => {
    const router = peer(endpoint);
    for await (const [from] of router) await router.send([from!, "hello?"]).catch(() => {});
  },
  "a plain peer that shouts first": async (endpoint) => {
    const dealer = new Dealer({ context: new Context(), linger: 0 });
    atEnd(() => dealer.close());
    dealer.connect(endpoint);
    await dealer.send("hello?");
  },
  "a peer that comes and goes": async (endpoint) => {
    const router = peer(endpoint);
    await sleep(200);
    router.close();
  },
  "a peer with a wrong key": async (endpoint) => {
    await nodeServer({
      connect: endpoint,
      curve: { ...curveKeyPair(), allowedClients: [curveKeyPair().publicKey] },
    });
  },
};

function peer(endpoint: string): Router {
  const router = new Router({ context: new Context(), linger: 0, mandatory: true });
  router.connect(endpoint);
  atEnd(() => router.close());
  return router;
}

async function flies(env: RemoteEnv): Promise<void> {
  const local = new PointMass({ settings: {} });
  expect(await env.reset(4)).toEqual(await local.reset(4));
  for (let step = 0; step < 12; step++) {
    const before = performance.now();
    const { frame } = await env.step(push());
    expect(performance.now() - before).toBeLessThan(800);
    expect(frame).toEqual((await local.step(push())).frame);
    await sleep(20);
  }
}

describe.each([
  ["plain", undefined],
  ["with CURVE", { keys: curveKeyPair(), friend: curveKeyPair() }],
] as const)("a runner that listens, %s", (_, curve) => {
  const server = curve && {
    curve: { ...curve.keys, allowedClients: [curve.friend.publicKey] },
  };
  const client = curve && {
    curve: { serverKey: curve.keys.publicKey, ...curve.friend },
  };
  const open = (onListening: (endpoint: string) => void) =>
    connect({ endpoint: "tcp://127.0.0.1:0", listen: true, ...client, onListening });

  it.each(Object.entries(strangers))(
    "does not notice %s, before or in flight",
    async (__, come) => {
      const env = await open((endpoint) => {
        come(endpoint).catch(() => {});
        setTimeout(() => void nodeServer({ connect: endpoint, ...server }), 300);
      });
      come(env.endpoint).catch(() => {});
      await flies(env);
      come(env.endpoint).catch(() => {});
      await flies(env);
    },
  );

  it("is not kept from its simulator by a crowd at the door", async () => {
    const env = await open((endpoint) => {
      for (let i = 0; i < 40; i++) knock(endpoint, greeting);
      setTimeout(() => void nodeServer({ connect: endpoint, ...server }), 300);
    });
    for (let i = 0; i < 40; i++) knock(env.endpoint, greeting);
    await flies(env);
  });
});

describe("a second simulator that dials in", () => {
  it.each([["Node"], ["Python"]])("is told that the place is taken (%s)", async (kind) => {
    const lines: string[] = [];
    const env = await connect({
      endpoint: "tcp://127.0.0.1:0",
      listen: true,
      onListening: (endpoint) => void nodeServer({ connect: endpoint }),
    });
    if (kind === "Node") {
      await nodeServer({ connect: env.endpoint, onLog: (line) => lines.push(line) });
    } else {
      await pythonServer("--connect", env.endpoint, { onLog: (line) => lines.push(line) });
    }
    await flies(env);
    await expect.poll(() => lines.join("\n"), { timeout: 5000 }).toContain("spare");
    await flies(env);
  });

  it("flies for the next who listens there", async () => {
    const opened: string[] = [];
    const serve = (name: string) => (endpoint: string) =>
      void nodeServer({
        connect: endpoint,
        open: async (asked) => {
          opened.push(name);
          return new PointMass(asked);
        },
      });
    const env = await connect({
      endpoint: "tcp://127.0.0.1:0",
      listen: true,
      onListening: serve("first"),
    });
    serve("second")(env.endpoint);
    await flies(env);
    expect(opened).toEqual(["first"]);
    const { endpoint } = env;
    await env.close();
    await flies(await connect({ endpoint, listen: true }));
    expect(opened).toHaveLength(2);
  });
});

it("a simulator that was cut off and dials again goes on where it was", async () => {
  const { Cable } = await import("./cable.ts");
  const env = await connect({
    endpoint: "tcp://127.0.0.1:0",
    listen: true,
    onListening: async (endpoint) => {
      const cable = await Cable.lay(addressOf(endpoint));
      await nodeServer({ connect: cable.endpoint });
      setTimeout(() => cable.cut(), 700);
    },
  });
  const local = new PointMass({ settings: {} });
  await local.reset(4);
  await env.reset(4);
  for (let step = 0; step < 40; step++) {
    const there = (await env.step(push())).frame;
    expect(there).toEqual((await local.step(push())).frame);
    await sleep(50);
  }
});
