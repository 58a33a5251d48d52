import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, rmSync, type WriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readClientCurve } from "../../sim-adapters/curve-keys.ts";
import type { RemoteEnv, RemoteOptions } from "../../sim-adapters/remote/remote-env.ts";
import type { Wish } from "../algorithms/algorithm.ts";
import type { Config } from "../config/schema.ts";
import { connectWanted } from "./connect-wanted.ts";

export interface SimulatorOptions {
  /** What the algorithm reads. */
  readonly wishes: readonly Wish[];
  readonly onNotice: (line: string) => void;
  readonly onWaiting: (line: string) => void;
  /** Ours, for the simulator's log. */
  readonly version: string;
  /** Ends connecting and every waiting call. */
  readonly signal: AbortSignal;
}

/** A connected simulator, and how to be rid of it. */
export interface Simulator {
  readonly env: RemoteEnv;
  /** One line for people. */
  readonly description: string;
  /** The latest lines a simulator of our own printed. */
  readonly log: () => readonly string[];
  /** Writes those, and all it prints from now on, to a file. */
  readonly logTo: (path: string) => void;
  close(): Promise<void>;
}

/** Connects to the simulator the configuration names, or starts the built-in one in its own process. */
export async function openSimulator(config: Config, options: SimulatorOptions): Promise<Simulator> {
  return config.sim.endpoint === null
    ? startOwn(config, options)
    : connectNamed(config, config.sim.endpoint, options);
}

async function connectNamed(
  config: Config,
  endpoint: string,
  options: SimulatorOptions,
): Promise<Simulator> {
  const { curve_server_key_file, curve_client_key_file, listen } = config.sim;
  const curve =
    curve_server_key_file && curve_client_key_file
      ? await readClientCurve(curve_server_key_file, curve_client_key_file)
      : undefined;
  const env = await connectWanted(options.wishes, {
    ...remoteOptions(config, options),
    endpoint,
    listen,
    ...(curve ? { curve } : {}),
  });
  const { name, version } = env.welcome.server;
  if (env.spec.task !== config.task) {
    options.onNotice(
      `the simulator flies its own task '${env.spec.task}'; '${config.task}' is for the one built in`,
    );
  }
  return {
    env,
    description: `${name} ${version} at ${env.endpoint}`,
    log: () => [],
    logTo: () => {},
    close: () => env.close(),
  };
}

async function startOwn(config: Config, options: SimulatorOptions): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), "firstsolo-"));
  const endpoint = `ipc://${folder}/sim.ipc`;
  const child = spawnSimulator(config, endpoint);
  const output = keepOutput(child);
  const exited = new Promise<string>((resolve) => {
    child.once("error", ({ message }) =>
      resolve(`the built-in simulator could not be started: ${message}`),
    );
    child.once("exit", (code, signal) =>
      resolve(
        [
          `the built-in simulator ended with ${signal ?? `exit code ${code}`}`,
          ...output.tail(6),
        ].join("\n  | "),
      ),
    );
  });
  // Also when a second Ctrl-C leaves no time to close anything.
  const sweep = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", sweep);
  const close = async () => {
    child.stdin?.end();
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await exited;
    clearTimeout(killer);
    await rm(folder, { recursive: true, force: true });
    process.off("exit", sweep);
  };
  try {
    const env = await connectWanted(options.wishes, {
      ...remoteOptions(config, options),
      endpoint,
      exited,
    });
    const closeAll = () => env.close().finally(close);
    const description = `the built-in MuJoCo simulator, process ${child.pid}`;
    return { env, description, log: () => output.tail(200), logTo: output.to, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

function remoteOptions(config: Config, options: SimulatorOptions): Omit<RemoteOptions, "endpoint"> {
  return {
    settings: config.env,
    numEnvs: config.num_envs,
    startupTimeout: config.sim.startup_timeout,
    stepTimeout: config.sim.step_timeout,
    signal: options.signal,
    client: { name: "firstsolo", version: options.version },
    onNotice: options.onNotice,
    onWaiting: options.onWaiting,
  };
}

/** Our own simulator ends when its standard input does: it never outlives us. */
function spawnSimulator(config: Config, endpoint: string): ChildProcess {
  const program = fileURLToPath(new URL("../../../src/cli/firstsolo.mjs", import.meta.url));
  const what = ["--task", config.task, "--num_envs", String(config.num_envs)];
  const args = [program, "sim", ...what, "--bind", endpoint, "--exit-with-stdin"];
  // In a group of its own, Ctrl-C at the terminal reaches us alone: the simulator is told when we are done.
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
}

function keepOutput(child: ChildProcess) {
  const lines: string[] = [];
  let file: WriteStream | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data: Buffer) => {
      file?.write(data);
      lines.push(...data.toString().split("\n").filter(Boolean));
      if (lines.length > 200) lines.splice(0, lines.length - 200);
    });
  }
  child.once("exit", () => file?.end());
  return {
    tail: (count: number): readonly string[] => lines.slice(-count),
    to: (path: string) => {
      file = createWriteStream(path, { flags: "a" });
      // A log that can't be kept is no reason to land.
      file.on("error", () => {});
      file.write(lines.map((line) => `${line}\n`).join(""));
    },
  };
}
