import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curveKeyPair } from "zeromq";
import { isLocal } from "../../sim-adapters/endpoint.ts";
import { pythonEnv } from "../python-env.ts";
import { PointMass } from "./point-mass.ts";
import { connect, nodeServer, pythonServer, socketFile } from "./servers.ts";

describe("dial-out", () => {
  it("lets a Node server come to a client that listens", async () => {
    let served: Promise<unknown> = Promise.resolve();
    const env = await connect({
      endpoint: "tcp://127.0.0.1:0",
      listen: true,
      onListening: (endpoint) => {
        served = nodeServer({ connect: endpoint });
      },
    });
    await served;
    const local = new PointMass({ settings: {} });
    expect(await env.reset(4)).toEqual(await local.reset(4));
  });

  it("lets a Python server come to a client that listens", async () => {
    let server: Promise<unknown> = Promise.resolve();
    const env = await connect({
      endpoint: socketFile(),
      listen: true,
      onListening: (endpoint) => {
        server = pythonServer("--connect", endpoint);
      },
    });
    await server;
    await env.reset(4);
    await env.step(new Float32Array(8));
  });
});

describe("CURVE", () => {
  const keys = curveKeyPair();
  const friend = curveKeyPair();
  const curve = { ...keys, allowedClients: [friend.publicKey] };
  const knowing = { serverKey: keys.publicKey };

  it("lets a listed client in, and the bits are the same", async () => {
    const { endpoint } = await nodeServer({ bind: "tcp://127.0.0.1:0", curve });
    const env = await connect({ endpoint, curve: { ...knowing, ...friend } });
    expect(await env.reset(4)).toEqual(await new PointMass({ settings: {} }).reset(4));
  });

  it("turns away a client that knows the server's key but is not listed", async () => {
    const { endpoint } = await nodeServer({ bind: "tcp://127.0.0.1:0", curve });
    const stranger = connect({ endpoint, curve: { ...knowing, ...curveKeyPair() } });
    await expect(stranger).rejects.toMatchObject({
      code: "curve-refused",
      hint: expect.stringContaining("list of allowed clients"),
    });
  });

  it("turns away a client without keys", async () => {
    const { endpoint } = await nodeServer({ bind: "tcp://127.0.0.1:0", curve });
    await expect(connect({ endpoint, startupTimeout: 3 })).rejects.toMatchObject({
      code: expect.stringMatching(/^(curve-refused|not-started)$/),
    });
  });

  it("protects a client that listens from simulators without the right key", async () => {
    const clientKeys = { ...knowing, ...friend };
    const listening = (server: typeof curve) =>
      connect({
        endpoint: "tcp://127.0.0.1:0",
        listen: true,
        startupTimeout: 3,
        curve: clientKeys,
        onListening: (endpoint) => void nodeServer({ connect: endpoint, curve: server }),
      });
    const env = await listening(curve);
    await env.reset(0);
    const impostor = { ...curveKeyPair(), allowedClients: [friend.publicKey] };
    await expect(listening(impostor)).rejects.toMatchObject({ code: "not-started" });
  });
});

describe("addresses", () => {
  it.each(["tcp://0.0.0.0:0", "tcp://*:5555", "tcp://192.168.1.5:5555", "tcp://[::]:5555"])(
    "refuses to bind %s without keys and a list of clients",
    async (bind) => {
      const unprotected = { code: "unprotected-endpoint", hint: expect.stringContaining("CURVE") };
      await expect(nodeServer({ bind })).rejects.toMatchObject(unprotected);
      await expect(connect({ endpoint: bind, listen: true })).rejects.toMatchObject(unprotected);
      const curve = { ...curveKeyPair(), allowedClients: [] };
      await expect(nodeServer({ bind, curve })).rejects.toMatchObject(unprotected);
    },
  );

  it("knows what only this machine reaches", () => {
    const local = ["ipc:///tmp/a", "tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://[::1]:1"];
    const open = ["tcp://127.0.0.1.example.com:1", "tcp://10.0.0.1:1", "tcp://127.0.0.1@evil:1"];
    expect(local.map(isLocal)).toEqual(local.map(() => true));
    expect(open.map(isLocal)).toEqual(open.map(() => false));
  });

  it("does not take over a socket file that another server listens on", async () => {
    const bind = socketFile();
    await nodeServer({ bind });
    await expect(nodeServer({ bind })).rejects.toMatchObject({ code: "address-in-use" });
    await expect(pythonServer("--bind", bind)).rejects.toThrow("did not start");
  });

  it.each(["udp://127.0.0.1:1", "tcp://127.0.0.1", "nonsense", `ipc:///${"x".repeat(120)}`])(
    "refuses %s and says how to write one",
    async (endpoint) => {
      const bad = { code: "bad-endpoint", hint: expect.stringMatching(/tcp:|ipc:|\/tmp/) };
      await expect(connect({ endpoint })).rejects.toMatchObject(bad);
      await expect(nodeServer({ bind: endpoint })).rejects.toMatchObject(bad);
    },
  );

  it("says so when a port is taken", async () => {
    const { endpoint } = await nodeServer({ bind: "tcp://127.0.0.1:0" });
    await expect(nodeServer({ bind: endpoint })).rejects.toMatchObject({ code: "bind-failed" });
  });
});

describe("the Python client", () => {
  it("flies a Node server to the same bits", async () => {
    const { endpoint } = await nodeServer();
    const script = `
import json, sys, numpy as np
from firstsolo_sim import Client, ServeError
try:
    Client(sys.argv[1], settings={"mas": 1}, startup_timeout=10)
except ServeError as error:
    refused = error.code
with Client(sys.argv[1], num_envs=3, settings={"max_steps": 4}, startup_timeout=10) as env:
    seen = [env.reset(9)["policy"].tobytes().hex()]
    for _ in range(6):
        step = env.step(np.full((3, 1), 0.25))
        seen.append(step.observations["policy"].tobytes().hex())
    print(json.dumps([refused, env.spec["names"] if "names" in env.spec else None, seen]))
`;
    const python = await pythonEnv();
    // The server lives in this process: its loop must turn while Python runs.
    const { promisify } = await import("node:util");
    const { execFile } = await import("node:child_process");
    const { stdout } = await promisify(execFile)(python, ["-c", script, endpoint], {
      timeout: 20_000,
    });
    const local = new PointMass({ settings: { max_steps: 4 }, numEnvs: 3 });
    const bits = [await local.reset(9)];
    for (let i = 0; i < 6; i++) bits.push((await local.step(new Float32Array(3).fill(0.25))).frame);
    const expected = bits.map(({ observations }) =>
      Buffer.from(observations.policy!.buffer).toString("hex"),
    );
    expect(JSON.parse(stdout)).toEqual(["unknown-setting", null, expected]);
  });
});

it("serves from Python behind CURVE, to listed clients only", async () => {
  const [server, friend] = [curveKeyPair(), curveKeyPair()];
  const python = await pythonEnv();
  const script = join(import.meta.dirname, "curve_server.py");
  const { spawn } = await import("node:child_process");
  const { createInterface } = await import("node:readline");
  const args = [script, server.publicKey, server.secretKey, friend.publicKey];
  const child = spawn(python, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    for await (const endpoint of createInterface({ input: child.stdout })) {
      const serverKey = server.publicKey;
      const stranger = connect({ endpoint, curve: { serverKey, ...curveKeyPair() } });
      await expect(stranger).rejects.toMatchObject({ code: "curve-refused" });
      const env = await connect({ endpoint, curve: { serverKey, ...friend } });
      await env.reset(0);
      break;
    }
  } finally {
    child.kill("SIGKILL");
  }
  expect(() => execFileSync(python, [script], { stdio: "pipe" })).toThrow("unprotected");
});
