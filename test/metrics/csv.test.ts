import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { csvLine, openCsv } from "../../src/metrics/files/csv.ts";
import fc from "../properties.ts";
import { runProgram } from "./python.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-csv-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function csvOf(name: string, jsonl: string): Promise<string> {
  const runFolder = join(root, name);
  mkdirSync(runFolder);
  writeFileSync(join(runFolder, "metrics.jsonl"), jsonl);
  const said: string[] = [];
  await openCsv({ runFolder, onFailure: (line) => said.push(line) }).close();
  expect(said).toEqual([]);
  return readFileSync(join(runFolder, "metrics.csv"), "utf8");
}

it("has one column for every figure that any row has, in the order of their coming", async () => {
  const text = await csvOf(
    "union",
    '{"iteration":0,"time":1.5,"a":1}\n{"iteration":1,"time":2.5,"b":"NaN","a":1e-7}\n',
  );
  expect(text).toBe("iteration,time,a,b\r\n0,1.5,1,\r\n1,2.5,1e-7,NaN\r\n");
});

it("passes over a line that a crash cut short", async () => {
  const text = await csvOf("torn", '{"iteration":0,"a":1}\n\nnull\n{"iteration":1,"a":');
  expect(text).toBe("iteration,a\r\n0,1\r\n");
});

it("is read back by Python's csv module, whatever the names hold", async () => {
  const cell = fc.string({ unit: "binary-ascii", maxLength: 12 });
  const tables = fc.sample(fc.array(fc.array(cell, { minLength: 2, maxLength: 2 })), 50);
  // NUL is no character that Python's reader takes.
  const rows = tables.flat().map((row) => row.map((text) => text.replaceAll("\0", "")));
  const path = join(root, "cells.csv");
  writeFileSync(path, rows.map(csvLine).join(""));
  const script =
    "import csv,json,sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline=''), strict=True))))";
  const { stdout, stderr } = await runProgram("python3", ["-c", script, path]);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual(rows);
});

it("says once what is in its way and leaves no half file", async () => {
  const runFolder = join(root, "blocked");
  mkdirSync(join(runFolder, "metrics.jsonl"), { recursive: true });
  const said: string[] = [];
  const sink = openCsv({ runFolder, onFailure: (line) => said.push(line) });
  sink.write(0, { a: 1 });
  await sink.close();
  expect(said).toEqual([expect.stringMatching(/^CSV: EISDIR/)]);
  expect(readdirSync(runFolder)).toEqual(["metrics.jsonl"]);
});
