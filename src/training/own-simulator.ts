import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../config/config-error.ts";
import { makeTemporaryFolder } from "../disk/temporary-folder.ts";
import { exitCodes } from "./exit-codes.ts";
import type { SimulatorLog } from "./simulator-log.ts";

export interface OwnSimulator {
  readonly endpoint: string;
  readonly pid: number | undefined;
  /** Settles when its process has ended, with lines that say how. */
  readonly exited: Promise<string>;
  /** Once it has ended: what it found wrong with how it was started, in its own words. */
  readonly refusal: () => ConfigError | undefined;
  /** Why its socket is not where TMPDIR says. */
  readonly remark?: string;
  /** Ends it, by force after three seconds, and sweeps up. */
  close(): Promise<void>;
}

interface Flown {
  readonly task: string;
  readonly num_envs: number;
  /** Cores; null: its own choice. */
  readonly sim: { readonly threads: number | null };
}

/** Starts the built-in simulator in its own process. */
export async function startSimulator(what: Flown, log: SimulatorLog): Promise<OwnSimulator> {
  const { path: folder, remark } = makeTemporaryFolder("firstsolo-");
  const endpoint = `ipc://${folder}/sim.ipc`;
  const child = spawnSimulator(what, endpoint);
  log.follow(child);
  const exited = endOf(child, log);
  // Also when a second Ctrl-C leaves no time to close anything.
  const sweep = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", sweep);
  const close = async () => {
    child.stdin?.end();
    child.kill("SIGTERM");
    // One that is stopped hears SIGTERM only when it goes on.
    child.kill("SIGCONT");
    const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await exited;
    clearTimeout(killer);
    await rm(folder, { recursive: true, force: true });
    process.off("exit", sweep);
  };
  const refusal = () => refusalOf(child.exitCode, log);
  const own = { endpoint, pid: child.pid, exited, refusal, close };
  return remark === undefined ? own : { ...own, remark };
}

/** Wrong usage is the same whoever finds it: this process, or the simulator that it started. */
function refusalOf(exitCode: number | null, log: SimulatorLog): ConfigError | undefined {
  if (exitCode !== exitCodes.badInput) return undefined;
  const lines = log.tail(2);
  const [message, hint] = [/^firstsolo: (.*)/, /^\s*→ (.*)/].map((pattern) =>
    lines.map((line) => pattern.exec(line)?.[1]).find((text) => text !== undefined),
  );
  if (message === undefined || hint === undefined) return undefined;
  return new ConfigError("refused-by-simulator", message, hint);
}

function endOf(child: ChildProcess, log: SimulatorLog): Promise<string> {
  return new Promise<string>((resolve) => {
    child.once("error", ({ message }) =>
      resolve(`the built-in simulator could not be started: ${message}`),
    );
    // Not "exit": what it printed last is still to be read then.
    child.once("close", (code, signal) =>
      resolve([`the built-in simulator ${ending(code, signal)}`, ...log.tail(6)].join("\n  | ")),
    );
  });
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  // SIGTERM and SIGINT it obeys, and ends as after a flight.
  if (signal === null && code === 0) return "was told to end by somebody else, and did";
  return `ended with ${signal ?? `exit code ${code}`}`;
}

/** Our own simulator ends when its standard input does: it never outlives us. */
function spawnSimulator({ task, num_envs, sim }: Flown, endpoint: string): ChildProcess {
  const program = fileURLToPath(new URL("../../../src/cli/firstsolo.mjs", import.meta.url));
  const threads = sim.threads === null ? [] : ["--threads", String(sim.threads)];
  const what = ["--task", task, "--num_envs", String(num_envs), ...threads];
  const args = [program, "sim", ...what, "--bind", endpoint, "--exit-with-stdin"];
  // In a group of its own, Ctrl-C at the terminal reaches us alone: the simulator is told when we are done.
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
}
