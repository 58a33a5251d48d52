/**
 * Exact resume: `npm run fuzz -- kill [--seed 1] [--from 0] [--count 30]`. Each run is killed with -9 at moments drawn
 * by its number, alone or with its simulator, and gone on with after each; it must end with the weights, the plan,
 * the places and the rows, times aside, of one that was left alone: bit for bit.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { deriveSeed, Random } from "../../policies/random.ts";
import { readRunCheckpoint } from "../../src/algorithms/distillation/run-checkpoint.ts";
import { program } from "../children.ts";
import { below } from "./mutate.ts";

const iterations = 14;
const small = [
  ..."--num_envs 12 --num_steps_per_env 10 --phase1_iterations 3 --save_interval 3".split(" "),
  ..."policy.student_hidden_dims=[16,16] algorithm.num_learning_epochs=2".split(" "),
  ..."evaluation.env_share=0.34 evaluation.window=1 evaluation.final_episodes=4".split(" "),
  ...["env.episode_length_s=0.4", "--max_iterations", String(iterations)],
];
/** What a run may keep beside its weights: past rollouts, a thread that learns, memory, moments of observations. */
const kinds: readonly (readonly string[])[] = [
  ["--pipeline", "off"],
  ["--pipeline", "off", "algorithm.buffer_size=300"],
  ["--pipeline", "on"],
  ["--pipeline", "on", "algorithm.buffer_size=300", "policy.student_obs_normalization=true"],
  ["--pipeline", "off", "policy.rnn_type=gru", "policy.rnn_hidden_dim=8"],
];
const mostKills = 4;

interface Kill {
  /** Rows of the session after which it is killed; 0: from its start on. */
  readonly row: number;
  /** Milliseconds after that row. */
  readonly delay: number;
  readonly whom: "runner" | "runner-and-simulator";
}

interface End {
  readonly state: unknown;
  readonly rows: readonly unknown[];
}

/** Gives the number of faults. */
export async function killAll(order: {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), "firstsolo-kill-"));
  mkdirSync(join(work, "tmp"));
  const since = performance.now();
  const wholes = new Map<number, End>();
  let [faults, kills] = [0, 0];
  try {
    for (let index = order.from; index < order.from + order.count; index += 1) {
      const random = new Random(deriveSeed(order.seed, `kill ${index}`));
      const kind = below(random, kinds.length);
      const whole = wholes.get(kind) ?? (await undisturbed(work, kind));
      wholes.set(kind, whole);
      const moments = Array.from({ length: 1 + below(random, mostKills) }, () => momentOf(random));
      const { problem, killed } = await tryOne(work, { kind, index, moments, whole });
      kills += killed;
      if (problem === undefined) continue;
      faults += 1;
      const again = `npm run fuzz -- kill --seed ${order.seed} --from ${index} --count 1`;
      console.log(`kill ${index} (${kinds[kind]!.join(" ")}): ${problem}\n  → ${again}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  const all = `${order.count} runs, ${kills} kills, seed ${order.seed}`;
  console.log(`kill: ${all}: ${faults} faults; ${seconds} s in all`);
  return faults;
}

/** A third of them before the first row: while it starts, before there is a folder, or in its first rollout. */
function momentOf(random: Random): Kill {
  const row = Math.max(0, below(random, 12) - 3);
  const delay = row === 0 ? below(random, 4000) : below(random, 60);
  return { row, delay, whom: random.uniform() < 0.5 ? "runner" : "runner-and-simulator" };
}

async function undisturbed(work: string, kind: number): Promise<End> {
  const name = `whole-${kind}`;
  const { code, stderr } = await fly(work, fresh(kind, name));
  if (code !== 0) throw new Error(`a run that nobody disturbs ended with ${code}: ${stderr}`);
  return endOf(runNamed(work, name)!);
}

interface Trial {
  readonly kind: number;
  readonly index: number;
  readonly moments: readonly Kill[];
  readonly whole: End;
}

async function tryOne(work: string, { kind, index, moments, whole }: Trial) {
  const name = `run-${index}`;
  let killed = 0;
  for (const moment of [...moments, undefined]) {
    const run = runNamed(work, name);
    const words = run === undefined ? fresh(kind, name) : ["--resume", run];
    const { code, stderr } = await fly(work, words, moment);
    if (code === null) killed += 1;
    // Killed before its first checkpoint a run has nothing to go on from, and says so.
    else if (code === 2 && run !== undefined && /There is no checkpoint in/.test(stderr)) {
      rmSync(run, { recursive: true });
      if (moment === undefined) await fly(work, fresh(kind, name));
    } else if (code !== 0)
      return { killed, problem: `ended with ${code}: ${stderr.slice(0, 500)}` };
  }
  const end = await endOf(runNamed(work, name)!);
  return { killed, problem: difference(end, whole) };
}

function difference(end: End, whole: End): string | undefined {
  if (!isDeepStrictEqual(end.state, whole.state)) return "its state is another at the end";
  const at = whole.rows.findIndex((row, i) => !isDeepStrictEqual(row, end.rows[i]));
  if (at < 0 && end.rows.length === whole.rows.length) return undefined;
  return `${end.rows.length} rows of ${whole.rows.length}; the first that differs is ${at}`;
}

function fresh(kind: number, name: string): string[] {
  return [...small, ...kinds[kind]!, "--run_name", name];
}

function runNamed(work: string, name: string): string | undefined {
  const experiments = readFolder(join(work, "logs"));
  return experiments.flatMap(readFolder).find((path) => path.endsWith(`_${name}`));
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** One session; `code` is null where it was killed. */
async function fly(work: string, words: readonly string[], kill?: Kill) {
  const args = ["train", "--ui", "jsonl", "--log_root", join(work, "logs"), ...words];
  const threads = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "-1" };
  const env = { ...process.env, ...threads, TMPDIR: join(work, "tmp"), CI: "1" };
  const options = { cwd: work, env, detached: true };
  const child = spawn(process.execPath, [program, ...args], options);
  let [stderr, rows] = ["", 0];
  child.stderr.on("data", (data: Buffer) => {
    stderr += data;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    // A line that a kill has cut is none.
    if (line.endsWith("}") && !/"type":"/.test(line)) rows += 1;
    if (kill && rows >= kill.row) killLater(child, kill);
  });
  if (kill?.row === 0) killLater(child, kill);
  const [code] = await once(child, "close");
  return { code: code as number | null, stderr };
}

const doomed = new WeakSet<ChildProcess>();

function killLater(child: ChildProcess, { delay, whom }: Kill): void {
  if (doomed.has(child)) return;
  doomed.add(child);
  setTimeout(() => {
    if (child.exitCode !== null) return;
    try {
      process.kill(whom === "runner" ? child.pid! : -child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }, delay);
}

async function endOf(run: string): Promise<End> {
  const path = join(run, `model_${iterations - 1}.pt`);
  const file = await readCheckpointFile(path);
  if (file.kind !== "distillation") throw new Error(`${path} is no run's`);
  const { learner, plan, source, progress } = readRunCheckpoint(file, path).state;
  const { seconds: _, ...counted } = progress;
  const rows = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  return { state: { learner, plan, source, progress: counted }, rows: rows.map(timeless) };
}

function timeless(line: string): unknown {
  const isTime = (name: string) =>
    name.startsWith("Perf/") || name === "time" || name === "Distillation/seconds";
  const row = Object.entries(JSON.parse(line) as object);
  return Object.fromEntries(row.filter(([name]) => !isTime(name)));
}
