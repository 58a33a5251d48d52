import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { conform } from "../../sim-adapters/conform/conform.ts";
import { pythonEnv } from "../python-env.ts";
import { atEnd, connect, pythonServer, socketFile } from "../remote/servers.ts";

const run = promisify(execFile);
const standin = join(import.meta.dirname, "standin");
const isaac = ["firstsolo_sim.isaaclab", "--task", "Isaac-Quadcopter-Direct-v0", "--headless"];
let python = "";

beforeAll(async () => {
  python = await pythonEnv("test");
}, 300_000);

interface Served {
  readonly endpoint: string;
  readonly lines: readonly string[];
  readonly ended: Promise<number | null>;
  readonly interrupt: () => void;
}

/** A program of the package in a process of its own. */
async function serving(...words: string[]): Promise<Served> {
  return servingWith({}, ...words);
}

async function servingWith(env: NodeJS.ProcessEnv, ...words: string[]): Promise<Served> {
  const args = ["-u", "-m", ...words, "--bind", socketFile()];
  const child = spawn(python, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYTHONPATH: standin, ...env },
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  atEnd(() => {
    child.kill("SIGKILL");
  });
  const output = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    const interrupt = () => child.kill("SIGINT");
    output.on("line", (line) => {
      lines.push(line);
      if (line.startsWith("ready ")) resolve({ endpoint: line.slice(6), lines, ended, interrupt });
    });
    ended.then((code) => reject(new Error(`ended with ${code}: ${lines.join("\n")}`)));
  });
}

const broken = async (endpoint: string) =>
  (await conform({ endpoint, startupTimeout: 60 })).filter(({ verdict }) => verdict === "broken");

describe("simulators of others keep the protocol", () => {
  it.each([
    ["Pendulum", ["--env", "Pendulum-v1", "--num_envs", "3", "--bitwise"]],
    ["a MuJoCo task", ["--env", "InvertedPendulum-v5", "--num_envs", "2", "--bitwise"]],
  ])("Gymnasium: %s", async (_, words) => {
    const { endpoint } = await serving("firstsolo_sim.gymnasium", ...words);
    expect(await broken(endpoint)).toEqual([]);
  });

  it("Isaac Lab: a class with DirectRLEnv's documented behaviour", async () => {
    const { endpoint, lines } = await serving(...isaac, "--num_envs", "4");
    expect(await broken(endpoint)).toEqual([]);
    expect(lines).toContain("launched headless=True device=cpu");
    // One environment served all of them: making one takes minutes there.
    expect(lines.filter((line) => line === "environment closed")).toEqual([]);
  });
});

describe("firstsolo_sim.isaaclab", () => {
  it("makes the environment anew for other settings, and closes all at the end", async () => {
    const { endpoint, lines, ended, interrupt } = await serving(...isaac, "env.decimation=4");
    const first = await connect({ endpoint, numEnvs: 3 });
    expect(first.spec).toMatchObject({ numEnvs: 3, controlPeriod: 0.04 });
    await first.close();
    const settings = { "sim.dt": 0.005, "robot.spawn.usd_path": "other.usd" };
    const second = await connect({ endpoint, numEnvs: 3, settings });
    expect(second.spec.controlPeriod).toBe(0.02);
    expect(second.welcome.settings).toMatchObject({ ...settings, decimation: 4 });
    await second.close();
    interrupt();
    expect(await ended).toBe(0);
    expect(lines.filter((line) => line.endsWith("closed"))).toEqual([
      "environment closed",
      "environment closed",
      "app closed",
    ]);
  });

  it("launches Isaac Lab 3 for the configuration, once, and hands the choice of engines on", async () => {
    const words = [...isaac, "--viz", "none", "physics=newton_mjwarp", "env.decimation=4"];
    const served = await servingWith({ STANDIN_ISAACLAB: "3" }, ...words);
    for (const numEnvs of [2, 3]) {
      const env = await connect({ endpoint: served.endpoint, numEnvs });
      expect(env.spec).toMatchObject({ numEnvs, controlPeriod: 0.04 });
      await env.close();
    }
    served.interrupt();
    expect(await served.ended).toBe(0);
    const told = served.lines.filter((line) =>
      /^(launched|engines|runtime|environment)/.test(line),
    );
    expect(told).toEqual([
      "engines physics=newton_mjwarp",
      "launched for HopperEnvCfg viz=none",
      "engines physics=newton_mjwarp",
      "environment closed",
      "environment closed",
      "runtime closed",
    ]);
  });

  it("refuses a setting the task has not, names the nearest, and goes on", async () => {
    const { endpoint } = await serving(...isaac);
    const asked = connect({ endpoint, numEnvs: 2, settings: { "robot.usd_path": "x" } });
    await expect(asked).rejects.toMatchObject({
      code: "unknown-setting",
      hint: expect.stringContaining("env.robot.spawn.usd_path"),
    });
    await connect({ endpoint, numEnvs: 2 });
  });

  it("says in two lines that Isaac Lab is not there", async () => {
    const args = ["-m", ...isaac, "--bind", socketFile()];
    await expect(run(python, args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^firstsolo_sim: Isaac Lab is not there.*\n {2}→ .*\n$/),
    });
  });
});

describe("firstsolo_sim.gymnasium", () => {
  it("takes the constructor's arguments as settings and refuses others", async () => {
    const { endpoint } = await serving("firstsolo_sim.gymnasium", "--env", "Pendulum-v1", "g=9.0");
    const env = await connect({ endpoint, numEnvs: 2, settings: { g: 1.5 } });
    expect(env.welcome.settings).toEqual({ g: 1.5 });
    expect(env.spec).toMatchObject({ numEnvs: 2, controlPeriod: 0.05, maxEpisodeSteps: 200 });
    await env.close();
    await expect(connect({ endpoint, settings: { gg: 1 } })).rejects.toMatchObject({
      code: "unknown-setting",
      hint: expect.stringContaining("env.g"),
    });
  });

  it.each([
    ["what is no number", "Blackjack-v1", "unsupported-space"],
    ["no such environment", "Pendolum-v1", "unknown-task"],
  ])("refuses %s", async (_, name, code) => {
    const starting = serving("firstsolo_sim.gymnasium", "--env", name).then(({ endpoint }) =>
      connect({ endpoint }),
    );
    const error = await starting.then(
      () => undefined,
      (reason) => reason,
    );
    expect(error.code ?? error.message).toMatch(code === "unknown-task" ? /Pendolum-v1/ : code);
  });
});

describe("in Python", () => {
  it.each([
    "test_agent_config.py",
    "test_isaaclab.py",
    "test_gymnasium.py",
    "test_rsl_rl.py",
    "test_step_memory.py",
    "test_checked_actions.py",
    "test_served_socket.py",
  ])("%s", async (file) => {
    const { stderr } = await run(python, [join(import.meta.dirname, file)]);
    expect(stderr).toMatch(/^OK$/m);
  });

  it("test_clients.py", async () => {
    const { endpoint } = await pythonServer();
    const args = [join(import.meta.dirname, "test_clients.py"), endpoint];
    const { stderr } = await run(python, args);
    expect(stderr).toMatch(/^OK$/m);
  });
});
