import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { jsonConsole, plainConsole } from "../../src/metrics/console/plain-console.ts";
import { openCsv } from "../../src/metrics/files/csv.ts";
import { openJsonl } from "../../src/metrics/files/jsonl.ts";
import { decodeRow } from "../../src/metrics/files/jsonl-row.ts";
import { withNames } from "../../src/metrics/metric-names.ts";
import type { MetricSink } from "../../src/metrics/metric-sink.ts";
import { loadOwnSink } from "../../src/metrics/own-sink.ts";
import { openPrometheus } from "../../src/metrics/prometheus/prometheus.ts";
import { tee } from "../../src/metrics/tee.ts";
import { openTensorboard } from "../../src/metrics/tensorboard/tensorboard.ts";
import { fieldsOf, messageIn, numberIn } from "../../src/metrics/wandb/record-fields.ts";
import { readRecords } from "../../src/metrics/wandb/record-log.ts";
import { decodeRecord } from "../../src/metrics/wandb/records.ts";
import { openWandb } from "../../src/metrics/wandb/wandb.ts";
import { type SinkSubject, sinkLaws } from "./sink-laws.ts";

const root = mkdtempSync(join(tmpdir(), "firstsolo-laws-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  return folder;
}

const linesIn = (path: string) => readFileSync(path, "utf8").split("\n").filter(Boolean);
const isNumber = (value: number | undefined): value is number => value !== undefined;

async function jsonl(): Promise<SinkSubject> {
  const [folder, said] = [newFolder(), [] as string[]];
  const sink = await openJsonl({ folder, onFailure: (line) => said.push(line) });
  const rows = () =>
    linesIn(join(folder, "metrics.jsonl")).map((line) => decodeRow(line)?.iteration);
  return { sink, said, iterations: () => rows().filter(isNumber) };
}

/** As a run closes them: the table is made from what the rows' file holds. */
async function csv(): Promise<SinkSubject> {
  const [runFolder, said] = [newFolder(), [] as string[]];
  const onFailure = (line: string) => said.push(line);
  const rows = await openJsonl({ folder: runFolder, onFailure });
  const table = openCsv({ runFolder, onFailure });
  const sink: MetricSink = {
    write: (iteration, metrics) => {
      rows.write(iteration, metrics);
      table.write(iteration, metrics);
    },
    event: (event) => {
      rows.event(event);
      table.event(event);
    },
    close: async () => {
      await rows.close();
      await table.close();
    },
  };
  // Names may hold line ends: a row begins with its iteration and the time.
  const text = () => readFileSync(join(runFolder, "metrics.csv"), "utf8");
  const iterations = () =>
    [...text().matchAll(/^(\d+),\d{9,}/gm)].map(([, found]) => Number(found));
  return { sink, said, iterations };
}

const plan = { maxIterations: 20_000, switchAt: 5, start: { iteration: 0, seconds: 0 } };

/** Keeps what it is told of rows, and of nothing else. */
function told(make: (write: (text: string) => void) => MetricSink, row: RegExp): SinkSubject {
  const seen: number[] = [];
  const sink = make((text) => {
    const found = row.exec(text)?.[1];
    if (found !== undefined) seen.push(Number(found));
  });
  return { sink, said: [], iterations: () => seen };
}

const plain = () => told((write) => plainConsole({ ...plan, write }), /Learning iteration (\d+)\//);
const json = () => told(jsonConsole, /^\{"iteration":(\d+)/);

function tensorboard(): SinkSubject {
  const [runFolder, said] = [newFolder(), [] as string[]];
  const sink = openTensorboard({ runFolder, onFailure: (line) => said.push(line) });
  const iterations = () => {
    const bytes = readFileSync(join(runFolder, readdirSync(runFolder)[0]!));
    const steps: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = Number(bytes.readBigUInt64LE(at));
      const event = fieldsOf(bytes.subarray(at + 12, at + 12 + length));
      // A figure is field 2 of the summary's first value; a text has a tensor there.
      const value = messageIn(messageIn(event, 5) ?? [], 1) ?? [];
      if (value.some(({ field }) => field === 2)) steps.push(numberIn(event, 2) ?? 0);
      at += length + 16;
    }
    return steps;
  };
  return { sink, said, iterations };
}

function wandb(): SinkSubject {
  const [runFolder, said] = [newFolder(), [] as string[]];
  const sink = openWandb({
    ...{ runFolder, project: "laws", name: "laws", group: "laws", config: {}, systemPeriod: 0 },
    onFailure: (line) => said.push(line),
  });
  const iterations = () => {
    const log = readdirSync(sink.folder!).find((name) => name.endsWith(".wandb"))!;
    const bytes = readFileSync(join(sink.folder!, log));
    const records = [...readRecords((from, into) => bytes.copy(into, 0, from, from + into.length))];
    return records.flatMap(({ data }) => {
      const { record } = decodeRecord(data);
      return record.kind === "history" ? [record.row.step] : [];
    });
  };
  return { sink, said, iterations };
}

async function prometheus(): Promise<SinkSubject> {
  const said: string[] = [];
  const say = (line: string) => {
    if (!line.startsWith("Prometheus page: http")) said.push(line);
  };
  const page = await openPrometheus({ port: 0, labels: { run: "laws" }, say });
  let text = "";
  let looked: Promise<void> | undefined;
  const sink: MetricSink = {
    write: page.write,
    event: page.event,
    // The page is gone with the sink: it is looked at just before.
    close: async () => {
      looked ??= fetch(page.url!).then(async (answer) => {
        text = await answer.text();
      });
      await looked;
      await page.close();
    },
  };
  const iterations = () =>
    [...text.matchAll(/^firstsolo_iteration\{\S* (\d+)$/gm)].map(([, found]) => Number(found));
  return { sink, said, iterations };
}

async function own(): Promise<SinkSubject> {
  const [folder, said] = [newFolder(), [] as string[]];
  const module = join(folder, "sink.mjs");
  writeFileSync(
    module,
    `import { appendFileSync } from "node:fs";
    export function openSink(_options, run) {
      const put = (line) => appendFileSync(run.folder + "/rows.txt", line + "\\n");
      put("open");
      let closed = 0;
      return { write: (i) => put("row " + i), event() {}, close: async () => put("closed " + ++closed) };
    }`,
  );
  const maker = await loadOwnSink({ module, export: "openSink", options: {} });
  const run = { folder, name: "laws", config: {}, say: (line: string) => said.push(line) };
  const sink = (await maker.open(run))!;
  const iterations = () => {
    const lines = linesIn(join(folder, "rows.txt"));
    if (lines.at(-1) !== "closed 1") throw new Error(`not closed once, at the end: ${lines}`);
    return lines.flatMap((line) => (line.startsWith("row ") ? [Number(line.slice(4))] : []));
  };
  return { sink, said, iterations };
}

function both(): SinkSubject {
  const seen: number[][] = [[], []];
  const said: string[] = [];
  const sinks = seen.map((rows, i) => {
    let open = true;
    const sink: MetricSink = {
      write: (iteration) => (open ? rows.push(iteration) : said.push("told when closed")),
      event: () => undefined,
      close: async () => {
        if (!open) said.push("closed twice");
        open = false;
      },
    };
    return { name: `${i}`, sink };
  });
  const sink = tee(sinks, { onFailure: (line) => said.push(line) });
  return { sink, said, iterations: () => (`${seen[0]}` === `${seen[1]}` ? seen[0]! : []) };
}

async function renamed(): Promise<SinkSubject> {
  const subject = await jsonl();
  return { ...subject, sink: withNames(subject.sink, 2) };
}

describe("metrics.jsonl", () => sinkLaws({ open: jsonl }));
describe("metrics.csv", () => sinkLaws({ open: csv }));
describe("the plain console", () => sinkLaws({ open: plain }));
describe("the console for programs", () => sinkLaws({ open: json }));
describe("TensorBoard", () => sinkLaws({ open: tensorboard }));
describe("W&B", () => sinkLaws({ open: wandb }));
describe("the Prometheus page", () => sinkLaws({ open: prometheus, keeps: "latest" }));
describe("a user's own sink", () => sinkLaws({ open: own }));
describe("the tee", () => sinkLaws({ open: both }));
describe("older names", () => sinkLaws({ open: renamed }));
