/**
 * One real run, stopped by Ctrl-C, gone on with, killed, and gone on with to its end: whatever reads
 * its figures finds those of metrics.jsonl, each once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decodeRow, type MetricRow } from "../../src/metrics/files/jsonl-row.ts";
import { compiledProgram } from "../compiled.ts";
import { metricsTools, type Tools } from "../metrics/python.ts";
import { readEvents } from "../metrics/tensorboard-tools.ts";
import { historyOf, inspect, sync } from "../metrics/wandb-tools.ts";

let tools: Tools;
let program = "";
let work = "";
let run = "";
let rows: readonly MetricRow[] = [];
/** Lines of metrics.jsonl after each of the three sessions. */
const lengths: number[] = [];
let page = "";
const exits: unknown[] = [];

const ownSink = `
import { appendFileSync } from "node:fs";
import { join } from "node:path";
export function openSink(options, run) {
  const put = (row) => appendFileSync(join(run.folder, options.file), JSON.stringify(row) + "\\n");
  if (run.resumeAt !== undefined) put({ resumeAt: run.resumeAt });
  return { write: (iteration, metrics) => put({ iteration, metrics }), event() {}, close() {} };
}
`;

const wandbEnv = {
  WANDB_PROJECT: "not this one",
  WANDB_ENTITY: "a-team",
  WANDB_RUN_GROUP: "gusts",
  WANDB_TAGS: "blind,gru",
  WANDB_NOTES: "into the wind",
  WANDB_NAME: "first try",
};

function start(...args: readonly string[]): ChildProcess {
  const env = { ...process.env, ...wandbEnv, CI: "1" };
  const words = [program, "train", "--ui", "jsonl", "--device", "cpu", ...args];
  return spawn(process.execPath, words, { cwd: work, env, stdio: ["ignore", "pipe", "pipe"] });
}

interface Session {
  readonly args: readonly string[];
  /** Ends it after so many rows of its own. */
  readonly signal?: NodeJS.Signals;
  readonly after?: number;
}

/** Flies until the end or until it is ended; `onRow` sees every row as the console does. */
async function fly({ args, signal, after = 0 }: Session, onRow?: (err: string) => Promise<void>) {
  const child = start(...args);
  let err = "";
  child.stderr!.on("data", (data) => {
    err += data;
  });
  const ended = once(child, "close");
  let count = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!decodeRow(line)) continue;
    count += 1;
    if (count === 1) await onRow?.(err);
    if (count === after && signal) child.kill(signal);
  }
  const [code, by] = await ended;
  exits.push(by ?? code);
  if (by === null && code !== 0 && code !== 130) throw new Error(err);
  if (run === "") run = join(work, "logs/e", readdirSync(join(work, "logs/e"))[0]!);
  lengths.push(readFileSync(join(run, "metrics.jsonl"), "utf8").split("\n").length - 1);
}

const endless = ["--max_iterations", "1000000", "agent.algorithm.phase1_iterations=8"];

beforeAll(async () => {
  tools = await metricsTools();
  program = compiledProgram();
  work = mkdtempSync(join(tmpdir(), "firstsolo-one-run-"));
  mkdirSync(join(work, "sinks"));
  writeFileSync(join(work, "sinks/mine.mjs"), ownSink);
  const small = ["--num_envs", "10", "--save_interval", "2", "--num_steps_per_env", "6"];
  const where = ["--log_root", "logs", "--experiment_name", "e"];
  const flags = ["--logger", "wandb", "--log_project_name", "P", "--metrics_port", "0"];
  const own = "sinks=[{module: sinks/mine.mjs, options: {file: mine.jsonl}}]";
  const args = [...small, ...where, ...flags, own, "agent.evaluation.final_episodes=0"];
  await fly({ args: [...args, ...endless], signal: "SIGINT", after: 10 }, async (err) => {
    page = await (await fetch(/http:\S+\/metrics/.exec(err)![0])).text();
  });
  await fly({ args: ["--resume", run, "--allow_sinks"], signal: "SIGKILL", after: 9 });
  const last = lengths[1]! + 12;
  await fly({ args: ["--resume", run, "--allow_sinks", "--max_iterations", String(last)] });
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  rows = lines.map((line) => decodeRow(line)!);
}, 300_000);

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function wandbFolder(): string {
  const folders = readdirSync(join(run, "wandb")).filter((name) => name.startsWith("offline-run"));
  // Gone on with in the same file, twice.
  expect(folders).toHaveLength(1);
  return join(run, "wandb", folders[0]!);
}

it("was ended by Ctrl-C, by SIGKILL, and by its plan, and has every iteration once", () => {
  expect(exits).toEqual([130, "SIGKILL", 0]);
  expect(lengths[1]).toBeGreaterThan(lengths[0]!);
  expect(rows.length).toBe(lengths[2]);
  expect(rows.map(({ iteration }) => iteration)).toEqual(rows.map((_, i) => i));
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.at(-1)!.metrics["Distillation/training_phase"]).toBe(2);
});

it("says the same in W&B, as its server receives it, number by number", async () => {
  const server = await sync(tools, wandbFolder());
  const received = historyOf(server);
  expect(received.map(({ _step }) => _step)).toEqual(rows.map(({ iteration }) => iteration));
  received.forEach(({ _step, _timestamp, _runtime, ...metrics }, i) => {
    // W&B's program reads -0 and 0 alike.
    expect(plusZero(metrics)).toEqual(plusZero(rows[i]!.metrics));
  });
  expect(server.exitCodes).toEqual([0]);
  const [made] = server.upserts;
  expect(made).toMatchObject({ project: "P", entity: "a-team", groupName: "gusts" });
  expect(made).toMatchObject({ displayName: "first try", notes: "into the wind" });
  expect(made!.tags).toEqual(["blind", "gru"]);
});

it("holds in W&B what people read: console, notices, checkpoints, a summary of the last row", async () => {
  const folder = wandbFolder();
  const records = await inspect(tools, folder);
  expect(records.filter(({ kind }) => kind === "exit")).toHaveLength(1);
  const log = readFileSync(join(folder, "files/output.log"), "utf8");
  for (const { iteration } of rows) expect(log).toContain(`Learning iteration ${iteration}/`);
  expect(log).toContain("SWITCHING TO PHASE 2");
  expect(log).toContain("SIGINT: landing after this iteration");
  expect(log).toMatch(/Prometheus page: http:\/\/127\.0\.0\.1:\d+\/metrics/);
  expect(log).not.toContain('{"iteration"');
  const summary = JSON.parse(readFileSync(join(folder, "files/wandb-summary.json"), "utf8"));
  expect(summary._step).toBe(rows.length - 1);
  expect(existsSync(join(folder, `files/model_${rows.length - 1}.pt`))).toBe(true);
});

it("says the same in TensorBoard, to the precision of float32", async () => {
  const { scalars } = await readEvents(tools, run);
  const expected: Record<string, [number, number][]> = {};
  for (const { iteration, metrics } of rows) {
    for (const [name, value] of Object.entries(metrics)) {
      expected[name] ??= [];
      expected[name].push([iteration, Math.fround(value)]);
    }
  }
  expect(scalars).toEqual(expected);
});

it("says the same in metrics.csv", () => {
  const [header, ...lines] = readFileSync(join(run, "metrics.csv"), "utf8").trimEnd().split("\r\n");
  const names = header!.split(",");
  const table = lines.map((line) => {
    const cells = line.split(",").map((cell, i) => [names[i]!, cell] as const);
    return Object.fromEntries(
      cells.flatMap(([name, cell]) => (cell ? [[name, Number(cell)]] : [])),
    );
  });
  expect(table).toEqual(
    rows.map(({ iteration, time, metrics }) => ({ iteration, time, ...metrics })),
  );
});

it("said the same to the user's own sink, which learned where each session went on", () => {
  const lines = readFileSync(join(run, "mine.jsonl"), "utf8").trimEnd().split("\n");
  let seen: unknown[] = [];
  const resumedAt: number[] = [];
  for (const { resumeAt, ...row } of lines.map((line) => JSON.parse(line))) {
    if (resumeAt !== undefined) {
      seen = seen.slice(0, resumeAt);
      resumedAt.push(resumeAt);
    } else seen.push(row);
  }
  expect(resumedAt[0]).toBe(lengths[0]);
  expect(resumedAt[1]).toBeLessThanOrEqual(lengths[1]!);
  expect(seen).toEqual(rows.map(({ iteration, metrics }) => ({ iteration, metrics })));
});

it("had its first figures on the Prometheus page, with the run's name", () => {
  const value = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (.+)$`, "m").exec(page)?.[1]);
  const at = value("firstsolo_iteration");
  // What is learned beside the flight is in the next row: the first has no loss.
  expect(value("firstsolo_loss_behavior")).toBe(rows[at]!.metrics["Loss/behavior"] ?? Number.NaN);
  expect(value("firstsolo_phase")).toBe(at < 8 ? 1 : 2);
  expect(page).toContain('task="quadcopter-noisy"');
});

function plusZero(metrics: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(metrics).map(([name, value]) => [name, value === 0 ? 0 : value]);
  return Object.fromEntries(entries);
}
