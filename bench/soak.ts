/**
 * A run that is hurt every few seconds, for ten minutes: `npm run bench -- soak [--minutes 10] [--seeds 1]`. Between
 * runner and simulator stands the fault proxy; the simulator's process is killed and started again. At the end the
 * student must fly as well as ever, and memory must be where it was. The picture goes to bench/soak.svg.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultProxy } from "../sim-adapters/chaos/fault-proxy.ts";
import { parseScript } from "../sim-adapters/chaos/script.ts";
import { askChild, program, projectFolder } from "./children.ts";
import { lookAt } from "./process-memory.ts";
import type { Bench, BenchOptions, Row } from "./report.ts";
import { type SoakSample, soakPicture } from "./soak-picture.ts";
import { iterationsIn, runFolder } from "./training.ts";

/** About 200 messages a second go each way: something every few seconds, a death every half minute. */
const script = [
  ...["drop every 1900", "requests duplicate every 1300", "replies duplicate every 1700"],
  ...["reorder every 2300", "replies delay=0.5 every 1100", "cut every 5300"],
  ...["stall=2 every 7900", "kill every 7100"],
].join("; ");
const task = "quadcopter-noisy";
const lookEvery = 2;

export const soakBench: Bench = {
  title: "soak: a run that is hurt every few seconds",
  run: async (options) => {
    const rows: Row[] = [];
    for (const seed of options.seeds) rows.push(await soak(seed, options));
    return rows;
  },
};

async function soak(seed: number, { minutes, say }: BenchOptions): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-soak-"));
  const simulator = new Simulator(`ipc://${folder}/sim.ipc`);
  await simulator.ready();
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const faults: SoakSample["faults"] = [];
  const proxy = await FaultProxy.open({
    ...{ listen: `ipc://${folder}/front.ipc`, server: simulator.endpoint, seed },
    rules: parseScript(script),
    onKill: () => simulator.kill(),
    onFault: (line) => faults.push({ at: seconds(), fault: line }),
  });
  const logs = join(folder, "logs");
  const runner = train(["--sim", proxy.endpoint, "--log_root", logs, "--seed", String(seed)]);
  const samples: SoakSample["looks"] = [];
  while (seconds() < minutes * 60 && runner.child.exitCode === null) {
    await sleep(lookEvery * 1000);
    const figures = lookAt(runner.child.pid ?? 0);
    if (!figures) continue;
    const descriptors = descriptorsOf(runner.child.pid ?? 0);
    const iteration = iterationsIn(logs);
    samples.push({ at: seconds(), resident: figures.resident, descriptors, iteration });
  }
  say(`${proxy.counts.size} kinds of faults in ${seconds().toFixed(0)} s; landing`);
  const run = runFolder(logs)!;
  await ctl(run, "stop");
  const code = await runner.ended;
  await proxy.close();
  writeFileSync(join(projectFolder, "bench", "soak.svg"), soakPicture({ looks: samples, faults }));
  const { counts } = proxy;
  const judging = { run, code, counts, samples, stderr: runner.said(), sim: simulator.endpoint };
  const row = await judged(judging).finally(() => simulator.close());
  rmSync(folder, { recursive: true, force: true });
  return { ...row, what: `seed ${seed}, ${minutes} minutes` };
}

interface Soaked {
  readonly run: string;
  readonly code: number | null;
  readonly counts: ReadonlyMap<string, number>;
  readonly samples: SoakSample["looks"];
  readonly stderr: string;
  readonly sim: string;
}

/** The student flies again, on a simulator that nobody hurts. */
async function judged({
  run,
  code,
  counts,
  samples,
  stderr,
  sim,
}: Soaked): Promise<Omit<Row, "what">> {
  const words = [program, "eval", run, "--last", "--sim", sim, "--episodes", "400", "--json"];
  const told = await askChild<{ student_vs_teacher: number }>(process.execPath, words, {
    seconds: 600,
  });
  const rows = rowsOf(run);
  const gaps = rows.filter((iteration, i) => iteration !== i).length;
  const quarter = samples.slice(Math.floor(samples.length / 4));
  const first = quarter[0]!;
  const last = samples.at(-1)!;
  return {
    figures: {
      "faults made": [...counts.values()].reduce((sum, count) => sum + count, 0),
      ...{ iterations: rows.length, "rows missing or double": gaps, "exit code": code ?? -1 },
      "student, % of teacher": 100 * told.student_vs_teacher,
      "memory after a quarter, MB": Math.round(first.resident),
      "at the end, MB": Math.round(last.resident),
      "descriptors then": first.descriptors,
      "and at the end": last.descriptors,
    },
    note: `${[...counts].map(([fault, count]) => `${fault} ${count}`).join(", ")}${code === 0 ? "" : `; ${stderr}`}`,
  };
}

function train(flags: readonly string[]) {
  const fixed = ["--task", task, "--num_envs", "100", "--max_iterations", "1000000"];
  fixed.push("--phase1_iterations", "100");
  const waits = ["--sim_wait", "120", "--ui", "none", "--keep_checkpoints", "3"];
  const words = [program, "train", ...fixed, ...waits, "evaluation.final_episodes=100", ...flags];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    text = `${text}${piece}`.slice(-2000);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, said: () => text.trim().split("\n").at(-1) ?? "" };
}

async function ctl(run: string, request: string): Promise<void> {
  const child = spawn(process.execPath, [program, "ctl", run, request], { stdio: "ignore" });
  await new Promise((resolve) => child.once("close", resolve));
}

/** A server that is started again whenever it dies. */
class Simulator {
  readonly endpoint: string;
  #child: ChildProcess | undefined;
  #ready: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#start();
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child?.kill("SIGTERM");
    await sleep(200);
  }

  #start(): void {
    const words = [program, "sim", "--task", task, "--num_envs", "100", "--bind", this.endpoint];
    const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    this.#ready = new Promise((resolve) => child.stdout.once("data", () => resolve()));
    child.once("exit", () => {
      if (!this.#closed) this.#start();
    });
  }
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Iterations of the rows, in the file's order. */
function rowsOf(run: string): readonly number[] {
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  return lines.filter(Boolean).map((line) => (JSON.parse(line) as { iteration: number }).iteration);
}
