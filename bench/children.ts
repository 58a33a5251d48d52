/** Processes of our own that measure or are measured. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runCommand } from "../src/engine/install/command.ts";

/** The project's folder, seen from the compiled benchmark. */
export const projectFolder = fileURLToPath(new URL("../..", import.meta.url));

/** The command line, as users start it. */
export const program = fileURLToPath(new URL("../../src/cli/firstsolo.mjs", import.meta.url));

/** A Node module of this folder, compiled. */
export function benchModule(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

/** A Python script of this folder; those are not compiled. */
export function benchScript(name: string): string {
  return `${projectFolder}/bench/${name}.py`;
}

/** Runs a program to its end; its last line of output is JSON. */
export async function askChild<T>(
  command: string,
  args: readonly string[],
  { seconds, env = {} }: { seconds: number; env?: Readonly<Record<string, string>> },
): Promise<T> {
  const result = await runCommand(command, args, { env, timeout: seconds * 1000 });
  if (result.stopped === "timeout") throw new Error(`no result within ${seconds} s`);
  if (result.status !== 0) throw new Error(lastLine(result.stderr) || `${command} failed`);
  return JSON.parse(lastLine(result.stdout)) as T;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

export interface Server {
  /** What it printed when it was ready. */
  readonly ready: string;
  stop(): Promise<void>;
}

/** Starts a program that serves, and waits for the line that says it is ready. */
export async function startServer(
  command: string,
  args: readonly string[],
  options: {
    readonly ready: RegExp;
    readonly env?: Readonly<Record<string, string>>;
    /** Where it leaves its own logs. Default: here. */
    readonly cwd?: string;
    /** Until it is ready. Default: 60. */
    readonly seconds?: number;
  },
): Promise<Server> {
  const { ready, env = {}, cwd, seconds = 60 } = options;
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("error", (error) => lines.push(error.message));
  const stop = async () => {
    const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
    child.kill("SIGTERM");
    await exited;
    clearTimeout(killer);
  };
  const late = setTimeout(() => child.kill("SIGKILL"), 1000 * seconds);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (ready.test(line)) return { ready: line, stop };
    }
  } finally {
    clearTimeout(late);
  }
  await exited;
  throw new Error(`${command} ${args[0]} did not start: ${lines.at(-1) ?? "it said nothing"}`);
}
