import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTensorboard } from "../../src/metrics/tensorboard/tensorboard.ts";
import { metricsTools, type Tools } from "./python.ts";
import { readEvents } from "./tensorboard-tools.ts";

let tools: Tools;
let root = "";
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-tb-"));
  tools = await metricsTools();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

function fail(line: string): never {
  throw new Error(line);
}

it("writes events that TensorBoard reads, point by point", async () => {
  const runFolder = folder("points");
  const before = Date.now() / 1000;
  const sink = openTensorboard({ runFolder, config: { lr: 1e-3 }, onFailure: fail });
  const values = [0.1, -1e-40, 1e39, Number.NaN, -Infinity, 16_777_217];
  values.forEach((value, i) => {
    sink.write(2 ** 31 + i, { "Loss/behavior": value, "Perf/ünïcode time": i });
  });
  sink.event({ type: "phase", iteration: 9, time: before, message: "student flies" });
  await sink.close();
  const { records, scalars, texts } = await readEvents(tools, runFolder);
  expect(records[0]).toMatchObject({ what: "file_version", file_version: "brain.Event:2" });
  expect(records.length).toBe(1 + 1 + values.length + 1);
  for (const { wall_time } of records) {
    expect(wall_time).toBeGreaterThanOrEqual(before);
    expect(wall_time).toBeLessThanOrEqual(Date.now() / 1000);
  }
  const read = scalars["Loss/behavior"]!;
  expect(read.map(([step]) => step)).toEqual(values.map((_, i) => 2 ** 31 + i));
  expect(read.map(([, value]) => value)).toEqual(values.map(Math.fround));
  expect(scalars["Perf/ünïcode time"]!.length).toBe(values.length);
  expect(texts.config).toEqual([[0, expect.stringContaining('"lr": 0.001')]]);
  expect(texts["Event/phase"]).toEqual([[9, "student flies"]]);
});

it("has every iteration in the file as soon as it is written", async () => {
  const runFolder = folder("flushed");
  const sink = openTensorboard({ runFolder, onFailure: fail });
  const file = join(runFolder, readdirSync(runFolder)[0]!);
  const sizes = [0, 1, 2].map((i) => {
    sink.write(i, { a: i });
    return statSync(file).size;
  });
  expect(sizes[1]! - sizes[0]!).toBeGreaterThan(16);
  expect(sizes[2]! - sizes[1]!).toBe(sizes[1]! - sizes[0]!);
  await sink.close();
});

it("voids the iterations that a resumed run flies again, even after a torn end", async () => {
  const runFolder = folder("resumed");
  const crashed = openTensorboard({ runFolder, onFailure: fail });
  for (let i = 0; i < 6; i++) crashed.write(i, { a: i });
  await crashed.close();
  const file = join(runFolder, readdirSync(runFolder)[0]!);
  truncateSync(file, statSync(file).size - 3);
  const again = openTensorboard({ runFolder, resumeAt: 3, onFailure: fail });
  for (let i = 3; i < 6; i++) again.write(i, { a: 10 * i });
  await again.close();
  expect(readdirSync(runFolder).length).toBe(2);
  const { scalars } = await readEvents(tools, runFolder);
  expect(scalars.a).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 30],
    [4, 40],
    [5, 50],
  ]);
});

it("says once that it can't write, and never throws", async () => {
  const said: string[] = [];
  writeFileSync(join(root, "file"), "");
  const sink = openTensorboard({
    runFolder: join(root, "file"),
    onFailure: (line) => said.push(line),
  });
  sink.write(0, { a: 1 });
  sink.event({ type: "x", iteration: 0, time: 0, message: "" });
  await sink.close();
  sink.write(1, { a: 1 });
  expect(said).toEqual([expect.stringMatching(/^TensorBoard: ENOTDIR/)]);
  expect(readFileSync(join(root, "file"), "utf8")).toBe("");
});
