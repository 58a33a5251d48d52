import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { readRunCheckpoint } from "../../src/algorithms/distillation/run-checkpoint.ts";
import { compiledProgram } from "../compiled.ts";
import { CommandServer, type Ended } from "./commands.ts";

type Row = Readonly<Record<string, number>> & { readonly iteration: number };
export type Event = Readonly<Record<string, unknown>> & { type: string; message: string };

/** A training session, read from `--ui jsonl`. */
export interface Session extends Ended {
  readonly rows: readonly Row[];
  readonly events: readonly Event[];
  /** Run folder. */
  readonly run: string;
}

export interface Watch {
  /** At every row, from the outside: `send` reaches the runner, or its whole process group. */
  readonly onRow?: (row: Row, runner: ChildProcess, events: readonly Event[]) => void;
  readonly onStderr?: (text: string, runner: ChildProcess) => void;
}

/** Small enough for a second: 12 environments, of which 8 train and 4 measure, in episodes of 20 steps. */
export const small: readonly string[] = [
  ..."--num_envs 12 --max_iterations 6 --num_steps_per_env 10 --phase1_iterations 3".split(" "),
  "policy.student_hidden_dims=[16,16]",
  "algorithm.num_learning_epochs=2",
  "evaluation.env_share=0.34",
  "evaluation.window=1",
  "evaluation.final_episodes=0",
  "env.episode_length_s=0.4",
  // Half a second of processor time less; who tests the pipeline switches it on.
  ...["--pipeline", "off"],
];

/** Where several run at a time on few cores, TensorFlow's threads mostly wait for each other, and busily. */
const oneThread = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "-1" };

/** The whole program in processes of its own, with a folder for runs and one for temporary files. */
export function openHangar() {
  const program = compiledProgram();
  const work = mkdtempSync(join(tmpdir(), "firstsolo-flights-"));
  const temporary = join(work, "tmp");
  mkdirSync(temporary);
  const processes = new Set<ChildProcess>();
  const env = { ...process.env, ...oneThread, TMPDIR: temporary, CI: "1" };
  const main = join(dirname(program), "../../dist/src/cli/main.js");
  const server = new CommandServer({ main, cwd: work, env });
  afterAll(() => {
    server.close();
    for (const child of processes) if (child.exitCode === null) child.kill("SIGKILL");
    rmSync(work, { recursive: true, force: true });
  });

  const start = (...args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: work,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    processes.add(child);
    return child;
  };

  /** What starts another engine than the others (`export`) needs a process of its own. */
  const runAlone = async (...args: readonly string[]): Promise<Ended> => ended(start(...args));

  /** In a process that several commands share, one after the other. */
  const run = async (...args: readonly string[]): Promise<Ended> =>
    server.isBusy ? runAlone(...args) : server.run(args);

  /** In a process of its own where it is watched, which may hurt it. */
  const train = async (args: readonly string[], watch?: Watch): Promise<Session> => {
    const words = ["train", "--ui", "jsonl", "--log_root", join(work, "logs"), ...args];
    const heard = { rows: [] as Row[], events: [] as Event[] };
    const end = watch ? await watched(start(...words), watch, heard) : await run(...words);
    if (!watch) for (const line of end.stdout.split("\n")) hear(line, heard);
    const first = heard.events.find(({ type }) => type === "start");
    return { ...end, ...heard, run: String(first?.run ?? "") };
  };

  return { program, work, temporary, start, run, runAlone, train };
}

interface Heard {
  readonly rows: Row[];
  readonly events: Event[];
}

/** A line of `--ui jsonl`; gives the row that it holds. */
function hear(line: string, { rows, events }: Heard): Row | undefined {
  if (line === "") return undefined;
  const record = JSON.parse(line);
  if ("type" in record) events.push(record);
  else rows.push(record);
  return "type" in record ? undefined : record;
}

async function watched(runner: ChildProcess, watch: Watch, heard: Heard): Promise<Ended> {
  createInterface({ input: runner.stdout! }).on("line", (line) => {
    const row = hear(line, heard);
    if (row) watch.onRow?.(row, runner, heard.events);
  });
  runner.stderr?.on("data", (data: Buffer) => watch.onStderr?.(String(data), runner));
  return ended(runner);
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (data: Buffer) => {
      said[name] += data;
    });
  }
  const [code, signal] = await once(child, "close");
  return { code, signal, ...said };
}

/** Resolves when a process has said something that matches. */
export async function saying(child: ChildProcess, pattern: RegExp): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: Buffer) => {
        said += data;
        if (pattern.test(said)) resolve(said);
      });
    }
    child.once("close", () => reject(new Error(`ended without saying ${pattern}:\n${said}`)));
  });
}

/** Seconds differ from run to run; everything else must not. */
export function timeless(rows: readonly Row[]): readonly Readonly<Record<string, number>>[] {
  const isTime = (name: string) =>
    name.startsWith("Perf/") || name === "time" || name === "Distillation/seconds";
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !isTime(name))),
  );
}

export function rowsOf(run: string): readonly Row[] {
  const text = readFileSync(join(run, "metrics.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

export function summaryOf(run: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(run, "summary.json"), "utf8"));
}

export async function checkpointOf(path: string) {
  const file = await readCheckpointFile(path);
  if (file.kind !== "distillation") throw new Error(`${path} is no run's`);
  const { state, own } = readRunCheckpoint(file, path);
  const { seconds: _, ...progress } = state.progress;
  return { ...state, progress, own };
}

export function namesIn(folder: string): readonly string[] {
  return readdirSync(folder).sort();
}

/** An error for people: what, an arrow and the next step, and no stack. */
export const humanError = /^firstsolo: .+\n(?: {2}\|.*\n)* {2}→ .+\n$/m;
