import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import ts from "typescript";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseNvidiaSmi, SystemMeter } from "../../src/metrics/wandb/system-metrics.ts";
import { openWandb } from "../../src/metrics/wandb/wandb.ts";
import { metricsTools, runProgram, type Tools } from "./python.ts";
import { parseLine, sync } from "./wandb-tools.ts";

let tools: Tools;
let root = "";
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-system-"));
  tools = await metricsTools();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** As nvidia-smi prints them: a data centre card, and one that doesn't tell its power. */
const TWO_CARDS = `0, NVIDIA H200, 1024, 2048, 55, 7, 41, 120.50
1, NVIDIA GeForce MX150, 512, 2002, 3, [N/A], 60, [N/A]
`;

it("gives plausible shares and sizes of the process and the machine", async () => {
  const meter = new SystemMeter();
  const until = Date.now() + 60;
  while (Date.now() < until) Math.sqrt(until);
  const figures = meter.sample();
  expect(figures.cpu).toBeGreaterThan(0);
  for (const share of ["cpu", "memory_percent", "proc.memory.percent"]) {
    expect(figures[share]).toBeGreaterThanOrEqual(0);
    expect(figures[share]).toBeLessThanOrEqual(101);
  }
  const rss = process.memoryUsage.rss() / 1024 / 1024;
  expect(Math.abs(figures["proc.memory.rssMB"]! - rss)).toBeLessThan(50);
});

it("reads what nvidia-smi prints and leaves out what a card doesn't tell", () => {
  expect(parseNvidiaSmi(TWO_CARDS)).toEqual({
    names: ["NVIDIA H200", "NVIDIA GeForce MX150"],
    figures: {
      "gpu.0.memoryAllocatedBytes": 1024 * 1024 * 1024,
      "gpu.0.memoryAllocated": 50,
      "gpu.0.gpu": 55,
      "gpu.0.memory": 7,
      "gpu.0.temp": 41,
      "gpu.0.powerWatts": 120.5,
      "gpu.1.memoryAllocatedBytes": 512 * 1024 * 1024,
      "gpu.1.memoryAllocated": (100 * 512) / 2002,
      "gpu.1.gpu": 3,
      "gpu.1.temp": 60,
    },
  });
  expect(parseNvidiaSmi("NVIDIA-SMI has failed\n").names).toEqual([]);
});

it("samples during a run, GPUs included, and W&B receives the figures", async () => {
  const nvidiaSmi = join(root, "nvidia-smi");
  writeFileSync(nvidiaSmi, `#!/bin/sh\ncat <<'E'\n${TWO_CARDS}E\n`, { mode: 0o755 });
  const runFolder = join(root, "run");
  mkdirSync(runFolder);
  const said: string[] = [];
  const wandb = openWandb({
    runFolder,
    project: "p",
    name: "n",
    config: {},
    onFailure: (line) => said.push(line),
    systemPeriod: 0.3,
    nvidiaSmi,
  });
  await sleep(1500);
  await wandb.close();
  const server = await sync(tools, wandb.folder!);
  const events = (server.streams.get("wandb-events.jsonl") ?? []).map(parseLine);
  expect(events.length).toBeGreaterThan(1);
  expect(events.some((e) => e["system.gpu.0.powerWatts"] === 120.5)).toBe(true);
  for (const e of events) expect(e["system.proc.memory.rssMB"]).toBeGreaterThan(1);
  const metadata = JSON.parse(server.uploads.get("wandb-metadata.json")!.toString());
  expect(metadata).toMatchObject({ gpu: "NVIDIA H200", gpu_count: 2 });
  expect(said).toEqual([]);
});

it("never keeps a process alive", async () => {
  const source = readFileSync(
    new URL("../../src/metrics/wandb/system-metrics.ts", import.meta.url),
    "utf8",
  );
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const path = join(root, "watch.mjs");
  writeFileSync(path, `${outputText}\nwatchSystem({ onSample() {} });\nconsole.log("on");\n`);
  const { code, stdout } = await runProgram(process.execPath, [path], { timeout: 20_000 });
  expect([code, stdout]).toEqual([0, "on\n"]);
});
