/** metrics.jsonl is canonical: every other sink of a run says the same, number by number. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCsv } from "../../src/metrics/files/csv.ts";
import { openJsonl } from "../../src/metrics/files/jsonl.ts";
import { decodeRow, type MetricRow } from "../../src/metrics/files/jsonl-row.ts";
import type { MetricSink, Metrics } from "../../src/metrics/metric-sink.ts";
import { tee } from "../../src/metrics/tee.ts";
import { openTensorboard } from "../../src/metrics/tensorboard/tensorboard.ts";
import { openWandb } from "../../src/metrics/wandb/wandb.ts";
import { metricsTools, runProgram, type Tools } from "./python.ts";
import { readEvents } from "./tensorboard-tools.ts";
import { historyOf, sync } from "./wandb-tools.ts";

let tools: Tools;
let runFolder = "";
let rows: MetricRow[] = [];
let wandbFolder = "";

const AWKWARD = [
  0.1,
  1 / 3,
  -0,
  5e-324,
  1.7976931348623157e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  9007199254740994,
  1e21,
  1e-7,
  123456789.12345679,
];

/** A figure that comes late, one with a space, one with what CSV must quote; all values in turn. */
function figures(iteration: number): Metrics {
  const at = (k: number) => AWKWARD[(iteration * 5 + k) % AWKWARD.length]!;
  const late = iteration >= 4 ? { "Train/mean_reward": at(3) } : {};
  return { "Loss/behavior": at(0), "Perf/collection time": at(1), 'odd",\nname': at(2), ...late };
}

/** Opens all sinks, writes iterations up to `until`, and closes them, as a run does. */
async function fly(from: number, until: number, resumeAt?: number): Promise<void> {
  const onFailure = (line: string): never => {
    throw new Error(line);
  };
  const resumed = resumeAt === undefined ? {} : { resumeAt };
  const jsonl = await openJsonl({ folder: runFolder, onFailure, ...resumed });
  const run = { runFolder, project: "p", name: "n", config: {}, systemPeriod: 0 };
  const wandb = openWandb({ ...run, onFailure, ...resumed });
  wandbFolder = wandb.folder!;
  const board = openTensorboard({ runFolder, onFailure, ...resumed });
  const all: MetricSink = tee(
    [
      { name: "jsonl", sink: jsonl },
      { name: "W&B", sink: wandb },
      { name: "TensorBoard", sink: board },
    ],
    { onFailure },
  );
  for (let i = from; i < until; i++) all.write(i, figures(i));
  await all.close();
  await openCsv({ runFolder, onFailure }).close();
}

beforeAll(async () => {
  tools = await metricsTools();
  runFolder = mkdtempSync(join(tmpdir(), "firstsolo-truth-"));
  await fly(0, 15);
  await fly(12, 24, 12);
  const lines = readFileSync(join(runFolder, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  rows = lines.map((line) => decodeRow(line)!);
});
afterAll(() => rmSync(runFolder, { recursive: true, force: true }));

it("holds in metrics.jsonl what was written, bit for bit, over a resumption", () => {
  expect(rows.map((row) => row.iteration)).toEqual(Array.from({ length: 24 }, (_, i) => i));
  for (const row of rows) expect(row.metrics).toEqual(figures(row.iteration));
});

it("holds the same in W&B, as a server receives it", async () => {
  const received = historyOf(await sync(tools, wandbFolder));
  expect(received.length).toBe(rows.length);
  received.forEach(({ _step, _timestamp, _runtime, ...metrics }, i) => {
    expect(_step).toBe(rows[i]!.iteration);
    // W&B's program reads -0 and 0 alike.
    expect(plusZero(metrics)).toEqual(plusZero(rows[i]!.metrics));
  });
});

it("holds the same in TensorBoard, to the precision of float32", async () => {
  const { scalars } = await readEvents(tools, runFolder);
  const expected: Record<string, [number, number][]> = {};
  for (const { iteration, metrics } of rows) {
    for (const [name, value] of Object.entries(metrics)) {
      expected[name] ??= [];
      expected[name].push([iteration, Math.fround(value)]);
    }
  }
  expect(scalars).toEqual(expected);
});

it("holds the same in metrics.csv, as Python reads it", async () => {
  const script =
    "import csv,json,sys; print(json.dumps([{k: repr(float(v)) for k, v in r.items() if v != ''} for r in csv.DictReader(open(sys.argv[1], newline=''))]))";
  const path = join(runFolder, "metrics.csv");
  const { stdout, stderr } = await runProgram(tools.python, ["-c", script, path]);
  expect(stderr).toBe("");
  const read = (JSON.parse(stdout) as Record<string, string>[]).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, text]) => [name, fromRepr(text)])),
  );
  expect(read).toEqual(
    rows.map(({ iteration, time, metrics }) => ({ iteration, time, ...metrics })),
  );
});

function fromRepr(text: string): number {
  return Number(text.replace("inf", "Infinity").replace("nan", "NaN"));
}

function plusZero(metrics: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metrics).map(([k, v]) => [k, v === 0 ? 0 : v]));
}
