import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { curveKeyPair } from "zeromq";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import { compiledProgram } from "../compiled.ts";
import { atEnd, socketFile } from "../remote/servers.ts";
import { bitsOf, livelyActions, record, withEnv } from "./flying.ts";

let program = "";

beforeAll(() => {
  program = compiledProgram();
});

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, "sim", ...args]);
  atEnd(() => void child.kill("SIGKILL"));
  const said = { out: "", err: "" };
  child.stdout.on("data", (data) => {
    said.out += data;
  });
  child.stderr.on("data", (data) => {
    said.err += data;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, said, ended };
}

/** A simulator that has said that it is ready. */
async function ready(...args: readonly string[]) {
  const bind = socketFile();
  const sim = start("--bind", bind, ...args);
  const line = await firstLine(sim.child);
  return { ...sim, bind, line };
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  return "";
}

test("says where it is and what it flies, then flies it as this process does", async () => {
  const { line, bind, child, ended } = await ready("--task", "distillation", "--num_envs", "8");
  expect(line).toContain(`ready at ${bind}: quadcopter-noisy, 8 environments, 0.02 s per step`);
  expect(line).toContain(
    "500 steps per episode, observations teacher [12] policy [12], action [4]",
  );
  const env = await connectRemote({ endpoint: bind });
  const here = await withEnv({ task: "quadcopter-noisy", numEnvs: 8 }, (own) => record(own, 3, 60));
  expect(await record(env, 3, 60)).toEqual(here);
  await env.close();
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
});

test("takes settings with and without env., the runner's before its own", async () => {
  const { bind } = await ready(
    "--task",
    "quadcopter",
    "decimation=4",
    "env.goal.z=[1,1]",
    "env.sim.dt=0.005",
  );
  const env = await connectRemote({ endpoint: bind, numEnvs: 5, settings: { "sim.dt": 0.002 } });
  atEnd(() => env.close());
  expect(env.spec).toMatchObject({ numEnvs: 5, controlPeriod: 0.008 });
  expect(env.welcome.settings).toMatchObject({ "goal.z": [1, 1], decimation: 4, "sim.dt": 0.002 });
});

test("refuses a runner that wants another number of environments, and serves the next one", async () => {
  const { bind } = await ready("--num_envs", "6");
  const refused = connectRemote({ endpoint: bind, numEnvs: 7 });
  await expect(refused).rejects.toMatchObject({
    code: "num-envs-refused",
    message: expect.stringMatching(/7 environments were asked for, the simulator has 6/),
  });
  const env = await connectRemote({ endpoint: bind, numEnvs: 6 });
  atEnd(() => env.close());
  expect((await env.reset(1)).started.length).toBe(6);
});

test("dials out to a runner that listens, and --once ends with it", async () => {
  const endpoint = socketFile();
  const { ended } = start("--task", "quadcopter", "--connect", endpoint, "--once");
  const env = await connectRemote({ endpoint, listen: true, numEnvs: 4 });
  await env.reset(1);
  expect(bitsOf(await env.step(livelyActions(4, 0)))).toContain("rewards");
  await env.close();
  expect(await ended).toBe(0);
});

test("lets in over CURVE only the runners whose keys it was given", async () => {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-keys-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const [own, friend, stranger] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
  const certificate = (name: string, ...lines: readonly string[]) => {
    writeFileSync(join(folder, name), ["curve", ...lines.map((line) => `    ${line}`)].join("\n"), {
      mode: 0o600,
    });
    return join(folder, name);
  };
  const publicLine = ({ publicKey }: typeof own) => `public-key = "${publicKey}"`;
  const secret = `secret-key = "${own.secretKey}"`;
  const server = certificate("sim.key_secret", publicLine(own), secret);
  const client = certificate("runner.key", publicLine(friend));
  const keys = ["--curve_server_key_file", server, "--curve_client_key_file", client];
  const sim = start("--bind", "tcp://127.0.0.1:0", "--num_envs", "2", ...keys);
  const endpoint = /tcp:\/\/[\d.:]+\d/.exec(await firstLine(sim.child))![0];
  const knock = ({ publicKey, secretKey }: typeof own) =>
    connectRemote({
      endpoint,
      curve: { serverKey: own.publicKey, publicKey, secretKey },
      startupTimeout: 2,
    });
  await expect(knock(stranger)).rejects.toMatchObject({ code: "curve-refused" });
  const env = await knock(friend);
  expect((await env.reset(1)).started.length).toBe(2);
  await env.close();

  const theirs = certificate("sim.key", publicLine(own));
  const friendly = certificate(
    "runner.key_secret",
    publicLine(friend),
    `secret-key = "${friend.secretKey}"`,
  );
  const files = ["--curve_server_key_file", theirs, "--curve_client_key_file", friendly];
  const words = ["conform", endpoint, "--law", "specification", ...files];
  const judged = spawnSync(process.execPath, [program, ...words], { encoding: "utf8" });
  expect(judged.stdout).toContain("1 laws hold, 0 are broken");
});

test("Ctrl-C in the middle of a flight ends it well", async () => {
  const { bind, child, ended } = await ready("--num_envs", "4");
  const env = await connectRemote({ endpoint: bind });
  atEnd(() => env.close());
  await env.reset(1);
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

test("ends when the process that started it is killed", async () => {
  const args = [program, "sim", "--bind", socketFile(), "--exit-with-stdin"];
  const script = `
    const { spawn } = require("node:child_process");
    const sim = spawn(process.execPath, ${JSON.stringify(args)}, { stdio: ["pipe", "inherit", "ignore"] });
    console.log(sim.pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", script]);
  atEnd(() => void parent.kill("SIGKILL"));
  const lines: string[] = [];
  for await (const line of createInterface({ input: parent.stdout })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  const pid = Number(lines[0]);
  expect(lines[1]).toContain("ready at");
  expect(alive(pid)).toBe(true);
  parent.kill("SIGKILL");
  for (let tries = 0; tries < 100 && alive(pid); tries++) await pause(100);
  expect(alive(pid)).toBe(false);
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each([
  [
    ["--task", "quadcoptre", "--bind", "ipc:///tmp/x.ipc"],
    "there is no task",
    "Did you mean quadcopter?",
  ],
  [["--num_envs", "0", "--bind", "ipc:///tmp/x.ipc"], "got 0 environments", "--num_envs"],
  [["--num_envs", "many", "--bind", "ipc:///tmp/x.ipc"], "Expected a whole number", "--help"],
  [["--bind", "ipc:///tmp/x.ipc", "decimaton=2"], "env.decimaton", "Did you mean env.decimation?"],
  [["--bind", "ipc:///tmp/x.ipc", "sim.dt"], "not KEY=VALUE", "KEY=VALUE"],
  [["--bind", "tcp://0.0.0.0:0"], "can be reached from the network", "CURVE"],
  [
    ["--bind", "tcp://0.0.0.0:0", "--curve_client_key_file", "a.key"],
    "CURVE needs",
    "--curve_server_key_file",
  ],
  [["--bind", "here"], "not an endpoint", "Write ipc://"],
  [[], "bind", "bind"],
] as const)("%j ends at once with a message, a hint and no stack", async (args, message, hint) => {
  const { said, ended } = start(...args);
  expect(await ended).toBe(2);
  expect(said.err).toContain(message);
  expect(said.err).toContain(hint);
  expect(said.err).not.toMatch(/^ +at /m);
  expect(said.out).toBe("");
});
