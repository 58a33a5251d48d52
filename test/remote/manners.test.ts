import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { curveKeyPair } from "zeromq";
import { protocolVersion } from "../../protocol/limits.ts";
import type { Request } from "../../protocol/messages.ts";
import { readKeyFile } from "../../sim-adapters/curve-keys.ts";
import { ServeError } from "../../sim-adapters/serve/serve-error.ts";
import { compiledProgram } from "../compiled.ts";
import { pythonEnv } from "../python-env.ts";
import { PointMass } from "./point-mass.ts";
import { atEnd, connect, nodeServer, pythonServer, RawClient } from "./servers.ts";

const push = () => new Float32Array(8).fill(0.5);
const run = "run0000001";

describe.each([
  ["in Node", nodeServer],
  ["in Python", pythonServer],
] as const)("a simulator %s that a killed runner held", (_, start) => {
  const hello = (session: string, more: object = {}) =>
    ({
      type: "hello",
      seq: 1,
      session,
      protocol: protocolVersion,
      client: { name: "test", version: "1" },
      capabilities: [],
      settings: {},
      ...more,
    }) as Request;

  it("is taken over at once by the same run, and the dead session is over", async () => {
    const { endpoint } = await start();
    const dead = new RawClient(endpoint);
    expect((await dead.ask(hello("aaaaaaaa", { run }))).header.type).toBe("welcome");
    const since = performance.now();
    const env = await connect({ endpoint, run });
    await env.reset(0);
    expect(performance.now() - since).toBeLessThan(1500);
    const { header } = await dead.ask({ type: "reset", seq: 2, session: "aaaaaaaa", seed: 0 });
    expect(header).toMatchObject({ type: "error", code: "unknown-session", fatal: true });
    await env.step(push());
  });

  it("is kept from another run, from one without a name, and from an older client", async () => {
    const { endpoint } = await start();
    const client = new RawClient(endpoint);
    await client.ask(hello("aaaaaaaa", { run }));
    const others = [hello("bbbbbbbb", { run: "run0000002" }), hello("cccccccc")];
    for (const other of others) {
      expect((await client.ask(other)).header).toMatchObject({ type: "error", code: "busy" });
    }
    const nameless = new RawClient((await start()).endpoint);
    await nameless.ask(hello("aaaaaaaa"));
    expect((await nameless.ask(hello("bbbbbbbb"))).header).toMatchObject({ code: "busy" });
  });
});

it("a step under way for a killed runner ends before its successor's environment is made", async () => {
  const order: string[] = [];
  class Slow extends PointMass {
    override async step(actions: Float32Array) {
      await sleep(600);
      order.push("step ended");
      return super.step(actions);
    }
  }
  const { endpoint } = await nodeServer({
    open: async (asked) => {
      order.push("opened");
      return new Slow(asked);
    },
  });
  const dead = await connect({ endpoint, run });
  await dead.reset(0);
  dead.step(push()).catch(() => {});
  await sleep(100);
  const env = await connect({ endpoint, run });
  await env.reset(0);
  expect(order).toEqual(["opened", "step ended", "opened"]);
});

it("a server that ends says so to whoever still asks", async () => {
  class Slow extends PointMass {
    override async step(actions: Float32Array) {
      await sleep(500);
      return super.step(actions);
    }
  }
  const server = await nodeServer({ open: async (asked) => new Slow(asked) });
  const env = await connect({ endpoint: server.endpoint });
  await env.reset(0);
  const last = env.step(push());
  await sleep(50);
  const closed = server.close();
  await last;
  const refused = { code: expect.stringMatching(/^(closing|simulator-lost)$/) };
  await expect(env.step(push())).rejects.toMatchObject(refused);
  await closed;
});

describe("time spent standing still", () => {
  class Slow extends PointMass {
    override async step(actions: Float32Array) {
      await sleep(300);
      return super.step(actions);
    }
  }
  const slow = () => nodeServer({ open: async (asked) => new Slow(asked) });

  /** Stops the process for longer than its step's budget, in the middle of steps, twice. */
  async function stopAndGo(command: string, args: string[]): Promise<string> {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    atEnd(() => {
      child.kill("SIGKILL");
    });
    let said = "";
    child.stdout.on("data", (data: Buffer) => {
      said += data;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await expect.poll(() => said, { timeout: 20_000 }).toContain("flying");
    for (let i = 0; i < 2; i++) {
      await sleep(330);
      child.kill("SIGSTOP");
      await sleep(2500);
      child.kill("SIGCONT");
    }
    await ended;
    return said;
  }

  async function runner(): Promise<string> {
    const { endpoint } = await slow();
    const file = join(compiledProgram(), "../../../dist/sim-adapters/remote/remote-env.js");
    const script = `
      const { connectRemote } = await import(${JSON.stringify(pathToFileURL(file).href)});
      const env = await connectRemote({ endpoint: ${JSON.stringify(endpoint)}, stepTimeout: 1 });
      await env.reset(0);
      console.log("flying");
      for (let i = 0; i < 8; i++) await env.step(new Float32Array(8));
      await env.close();
      console.log("landed");`;
    return stopAndGo(process.execPath, ["--input-type=module", "-e", script]);
  }

  async function pythonClient(): Promise<string> {
    const { endpoint } = await slow();
    const script = `
import sys, numpy as np
from firstsolo_sim import Client
with Client(sys.argv[1], startup_timeout=10, step_timeout=1) as env:
    env.reset(0)
    print("flying", flush=True)
    for _ in range(8):
        env.step(np.zeros((8, 1)))
print("landed", flush=True)
`;
    return stopAndGo(await pythonEnv(), ["-c", script, endpoint]);
  }

  it("does not count for a runner that was stopped (Ctrl-Z, fg), nor for a Python client", async () => {
    for (const said of await Promise.all([runner(), pythonClient()])) {
      expect(said).toContain("landed");
    }
  });

  it("does not count while a long computation holds the thread", async () => {
    const { endpoint } = await slow();
    const env = await connect({ endpoint, stepTimeout: 1 });
    await env.reset(0);
    const step = env.step(push());
    const until = performance.now() + 2500;
    while (performance.now() < until);
    await step;
  });
});

describe("an error that says the same may succeed later", () => {
  /** Refuses the first `times` calls of each kind. */
  class Moody extends PointMass {
    asked = { reset: 0, step: 0 };
    readonly #times: number;

    constructor(times: number) {
      super({ settings: {} });
      this.#times = times;
    }

    override async reset(seed: number) {
      this.#refuse("reset");
      return super.reset(seed);
    }

    override async step(actions: Float32Array) {
      this.#refuse("step");
      return super.step(actions);
    }

    #refuse(what: "reset" | "step"): void {
      if (++this.asked[what] > this.#times) return;
      const hint = "Ask again.";
      throw new ServeError("no-licence", "all licences are taken", { hint, retryable: true });
    }
  }

  it("is asked again under a new number until it does", async () => {
    const moody = new Moody(2);
    const { endpoint } = await nodeServer({ open: async () => moody });
    const env = await connect({ endpoint });
    const local = new PointMass({ settings: {} });
    expect(await env.reset(3)).toEqual(await local.reset(3));
    expect((await env.step(push())).frame).toEqual((await local.step(push())).frame);
    expect((await env.step(push())).frame).toEqual((await local.step(push())).frame);
    expect(moody.asked).toEqual({ reset: 3, step: 4 });
  });

  it("counts for hello, too", async () => {
    let asked = 0;
    const { endpoint } = await nodeServer({
      open: async (request) => {
        const detail = { hint: "Ask again.", retryable: true };
        if (++asked < 3) throw new ServeError("loading-licence", "not yet", detail);
        return new PointMass(request);
      },
    });
    await (await connect({ endpoint })).reset(0);
    expect(asked).toBe(3);
  });

  it("is the error in the end when the budget is spent", async () => {
    const { endpoint } = await nodeServer({ open: async () => new Moody(1000) });
    const env = await connect({ endpoint, resetTimeout: 2.5 });
    await expect(env.reset(0)).rejects.toMatchObject({ code: "no-licence", hint: "Ask again." });
  });

  it("is asked again by a Python client", async () => {
    const moody = new Moody(1);
    const { endpoint } = await nodeServer({ open: async () => moody });
    const script = `
import sys, numpy as np
from firstsolo_sim import Client
with Client(sys.argv[1], startup_timeout=10) as env:
    env.reset(0)
    env.step(np.zeros((8, 1)))
    env.step(np.zeros((8, 1)))
print("landed")
`;
    const { stdout } = await promisify(execFile)(await pythonEnv(), ["-c", script, endpoint]);
    expect(stdout).toContain("landed");
    expect(moody.asked).toEqual({ reset: 2, step: 3 });
  });
});

it("what a simulator says is shown as visible characters", async () => {
  class Rude extends PointMass {
    override async step(): Promise<never> {
      const hint = "Look \u001b]0;title\u0007 here.";
      throw new ServeError("rude", "\u001b[31mred\u001b[0m", { hint });
    }
  }
  const logged: string[] = [];
  const { endpoint } = await nodeServer({
    open: async () => new Rude({ settings: {} }),
    onLog: (line) => logged.push(line),
  });
  const client = { name: "\u001b[2Jme", version: "1" };
  const env = await connect({ endpoint, client });
  await env.reset(0);
  const error = await env.step(push()).catch((reason: Error) => reason);
  expect(error).toMatchObject({ message: "\\x1b[31mred\\x1b[0m" });
  expect(JSON.stringify(logged)).not.toContain("\\u001b");
});

describe("beyond this machine", () => {
  it.each(["tcp://192.0.2.1:5555", "tcp://simulator.example:5555"])(
    "%s is not dialled without CURVE",
    async (endpoint) => {
      const refused = { code: "unprotected-endpoint", hint: expect.stringContaining("--insecure") };
      await expect(connect({ endpoint, startupTimeout: 0.1 })).rejects.toMatchObject(refused);
      const started = { code: "not-started" };
      const aloud = connect({ endpoint, startupTimeout: 0.1, insecure: true });
      await expect(aloud).rejects.toMatchObject(started);
      const keys = curveKeyPair();
      const curve = { serverKey: curveKeyPair().publicKey, ...keys };
      await expect(connect({ endpoint, startupTimeout: 0.1, curve })).rejects.toMatchObject(
        started,
      );
    },
  );

  it("no Python client dials without CURVE either", async () => {
    const script = `
from firstsolo_sim import Client, ServeError
try:
    Client("tcp://192.0.2.1:5555", startup_timeout=0.1)
except ServeError as error:
    print(error.code)
try:
    Client("tcp://192.0.2.1:5555", startup_timeout=0.1, insecure=True)
except ServeError as error:
    print(error.code)
`;
    const { stdout } = await promisify(execFile)(await pythonEnv(), ["-c", script]);
    expect(stdout.split("\n")).toEqual(["unprotected-endpoint", "simulator-lost", ""]);
  });

  it("a secret key that others may read is refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-keys-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "me.key_secret");
    const { publicKey, secretKey } = curveKeyPair();
    writeFileSync(
      file,
      `curve\n    public-key = "${publicKey}"\n    secret-key = "${secretKey}"\n`,
    );
    for (const mode of [0o644, 0o640, 0o604, 0o660]) {
      chmodSync(file, mode);
      const refused = { code: "bad-key-file", hint: expect.stringContaining("chmod 600") };
      await expect(readKeyFile(file, { secret: true })).rejects.toMatchObject(refused);
    }
    chmodSync(file, 0o600);
    expect(await readKeyFile(file, { secret: true })).toEqual({ publicKey, secretKey });
    chmodSync(file, 0o644);
    expect(await readKeyFile(file, { secret: false })).toEqual({ publicKey });
  });
});
