import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { openWandb, type WandbOptions } from "../../src/metrics/wandb/wandb.ts";
import { metricsTools, type Tools } from "./python.ts";
import { startWandbServer } from "./wandb-server.ts";
import { historyOf, inspect, parseLine, sync, wandbEnvironment } from "./wandb-tools.ts";

let tools: Tools;
let root = "";
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-wandb-"));
  tools = await metricsTools();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A run folder of that name and the options of a run in it; what it says is kept. */
function run(name: string, more: Partial<WandbOptions> = {}) {
  const runFolder = join(root, name);
  mkdirSync(runFolder, { recursive: true });
  const said: string[] = [];
  const options: WandbOptions = {
    runFolder,
    project: "Foundation",
    name,
    group: "quadcopter",
    config: { task: "quadcopter", student: { hidden: [128, 128], clip: Infinity } },
    onFailure: (line) => said.push(line),
    systemPeriod: 0,
    ...more,
  };
  return { runFolder, options, said };
}

function returnOf(iteration: number): number {
  return [10, 90, 120, Number.NaN, 110][iteration % 5]!;
}

describe("a W&B run written here", () => {
  it("is listed record by record by wandb's own inspector", async () => {
    const { options, runFolder, said } = run("inspected", { systemPeriod: 10 });
    writeFileSync(join(runFolder, "model_2.pt"), "weights");
    const wandb = openWandb(options);
    wandb.console("Learning iteration 0/3\n");
    for (let i = 0; i < 3; i++) wandb.write(i, { "Loss/behavior": 0.1 + i, "Perf/x": -Infinity });
    wandb.write(3, { "Loss/behavior": Number.NaN, "Perf/x": 1e-300, _step: 77 });
    wandb.file(join(runFolder, "model_2.pt"));
    wandb.setExitCode(130);
    await wandb.close();
    const records = await inspect(tools, wandb.folder!);
    expect(records.map((r) => r.num)).toEqual(records.map((_, i) => i + 1));
    expect(records.map((r) => r.kind).join(" ")).toBe(
      "header run environment output_raw metric metric history history history history files stats summary exit",
    );
    const text = records.map((r) => r.text).join("");
    expect(text).toContain('key: "Loss/behavior"\n    value_json: "NaN"');
    expect(text).toContain('value_json: "-Infinity"');
    expect(text).toContain('value_json: "1e-300"');
    expect(text).not.toContain('"77"');
    expect(records.at(-1)!.text).toContain("exit_code: 130");
    expect(said).toEqual([]);
  });

  it("is uploaded whole by wandb sync", async () => {
    const { options, runFolder, said } = run("synced", { id: "abcd1234", tags: ["a", "b"] });
    writeFileSync(join(runFolder, "best_model.pt"), "first");
    const wandb = openWandb(options);
    wandb.console("hello\nworld\n");
    for (let i = 0; i < 5; i++) {
      wandb.write(i, { "Eval/student_return": returnOf(i), "Loss/behavior": 1 / (i + 3) });
      wandb.file(join(runFolder, "best_model.pt"), { changes: true });
    }
    writeFileSync(join(runFolder, "best_model.pt"), "last");
    wandb.event({ type: "phase", iteration: 2, time: 1, message: "student flies" });
    await wandb.close();
    const server = await sync(tools, wandb.folder!);
    expect(server.unknown).toEqual([]);
    const rows = historyOf(server);
    expect(rows.map((r) => r._step)).toEqual([0, 1, 2, 3, 4]);
    expect(rows.map((r) => r["Eval/student_return"])).toEqual([0, 1, 2, 3, 4].map(returnOf));
    expect(rows.map((r) => r["Loss/behavior"])).toEqual([3, 4, 5, 6, 7].map((n) => 1 / n));
    const summary = parseLine(server.uploads.get("wandb-summary.json")!.toString());
    expect(summary["Eval/student_return"]).toEqual({ last: 110, best: 120, min: 10, max: 120 });
    expect(summary["Loss/behavior"]).toMatchObject({ best: 1 / 7, last: 1 / 7 });
    expect(summary["Event/phase"]).toBe("student flies (iteration 2)");
    expect(server.uploads.get("best_model.pt")!.toString()).toBe("last");
    expect(server.uploads.get("output.log")!.toString()).toBe("hello\nworld\n");
    expect(server.upserts[0]).toMatchObject({
      name: "abcd1234",
      project: "Foundation",
      displayName: "synced",
      groupName: "quadcopter",
      tags: ["a", "b"],
    });
    const config = JSON.parse(String(server.upserts[0]!.config));
    expect(config.student.value).toEqual({ hidden: [128, 128], clip: "Infinity" });
    expect(server.exitCodes).toEqual([0]);
    expect(said).toEqual([]);
  });

  it("holds the files that people look for, and a link to the newest run", async () => {
    const { options, runFolder } = run("files");
    const wandb = openWandb(options);
    wandb.console("line\n");
    wandb.write(7, { "Train/mean_reward": 3 });
    await wandb.close();
    const files = join(wandb.folder!, "files");
    expect(parse(readFileSync(join(files, "config.yaml"), "utf8"))).toEqual({
      task: { value: "quadcopter" },
      student: { value: { hidden: [128, 128], clip: Infinity } },
    });
    const summary = parseLine(readFileSync(join(files, "wandb-summary.json"), "utf8"));
    expect(summary).toMatchObject({ _step: 7, "Train/mean_reward": { last: 3, max: 3 } });
    const metadata = JSON.parse(readFileSync(join(files, "wandb-metadata.json"), "utf8"));
    expect(metadata.cpu_count).toBeGreaterThan(0);
    expect(readFileSync(join(files, "output.log"), "utf8")).toBe("line\n");
    expect(wandb.folder).toMatch(/\/wandb\/offline-run-\d{8}_\d{6}-[a-z0-9]{8}$/);
    expect(join(runFolder, "wandb", readlinkSync(join(runFolder, "wandb/latest-run")))).toBe(
      wandb.folder,
    );
  });

  it("goes on in the same file after a crash, without a decreasing step", async () => {
    const { options, runFolder, said } = run("resumed");
    const crashed = openWandb(options);
    for (let i = 0; i < 6; i++) crashed.write(i, { "Eval/student_return": 100 + i });
    const log = readdirSync(crashed.folder!).find((name) => name.endsWith(".wandb"))!;
    truncateSync(join(crashed.folder!, log), statSync(join(crashed.folder!, log)).size - 5);
    const again = openWandb({ ...options, resumeAt: 4 });
    again.write(3, { "Eval/student_return": 0 });
    for (let i = 4; i < 8; i++) again.write(i, { "Eval/student_return": 50 + i });
    await again.close();
    expect(again.folder).toBe(crashed.folder);
    expect(readdirSync(join(runFolder, "wandb")).length).toBe(2);
    const server = await sync(tools, again.folder!);
    const rows = historyOf(server);
    expect(rows.map((r) => r._step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rows.map((r) => r["Eval/student_return"])).toEqual([100, 101, 102, 103, 54, 55, 56, 57]);
    const runtimes = rows.map((r) => r._runtime as number);
    expect(runtimes).toEqual([...runtimes].sort((a, b) => a - b));
    const summary = parseLine(server.uploads.get("wandb-summary.json")!.toString());
    expect(summary["Eval/student_return"]).toEqual({ last: 57, best: 103, min: 54, max: 103 });
    expect(server.exitCodes).toEqual([0]);
    expect(said.join("\n")).toMatch(/iteration 3 is not after 3/);
  });

  it("begins a new run where there is none to go on with", async () => {
    const { options, runFolder, said } = run("nothing");
    mkdirSync(join(runFolder, "wandb/offline-run-20200101_000000-deadbeef"), { recursive: true });
    const torn = join(runFolder, "wandb/offline-run-20200101_000000-deadbeef/run-deadbeef.wandb");
    writeFileSync(torn, ":W&");
    const wandb = openWandb({ ...options, resumeAt: 3 });
    wandb.write(3, { a: 1 });
    await wandb.close();
    expect(wandb.folder).not.toContain("deadbeef");
    expect(said.join("\n")).toMatch(/no whole run record.*a new W&B run is begun/);
    expect((await inspect(tools, wandb.folder!)).at(-1)!.kind).toBe("exit");
  });
});

/** Seconds between two uploads; 15 otherwise. */
const PROMPT = { WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL: "1" };

describe("W&B online", () => {
  it("uploads rows while the run goes on, through wandb beta sync --live", async () => {
    const server = await startWandbServer();
    const { options, said } = run("live");
    const env = { ...wandbEnvironment(root, server), ...PROMPT };
    const wandb = openWandb({
      ...options,
      mode: "online",
      wandbProgram: tools.wandb,
      spawn: (program, args, more) => spawn(program, args, { ...more, env }),
    });
    for (let i = 0; i < 4; i++) wandb.write(i, { a: i });
    const until = Date.now() + 50_000;
    while (historyOf(server).length < 4 && Date.now() < until) await sleep(100);
    expect(historyOf(server).map((r) => r._step)).toEqual([0, 1, 2, 3]);
    expect(server.exitCodes).toEqual([]);
    for (let i = 4; i < 9; i++) wandb.write(i, { a: i });
    await wandb.close();
    await server.close();
    expect(historyOf(server).map((r) => r.a)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(server.exitCodes).toEqual([0]);
    expect(said).toEqual([]);
  });

  it("says that wandb isn't installed and stays offline", async () => {
    const { options, said } = run("lonely", { mode: "online", wandbProgram: "no-such-wandb" });
    const wandb = openWandb(options);
    await sleep(50);
    wandb.console("still here\n");
    wandb.write(0, { a: 1 });
    await wandb.close();
    expect(said.length).toBe(1);
    expect(said[0]).toMatch(/not installed.*wandb sync .*offline-run/);
    expect(readFileSync(join(wandb.folder!, "files/output.log"), "utf8")).toBe("still here\n");
  });

  it("says with the program's own words why an upload failed", async () => {
    const failing = join(root, "failing-wandb");
    writeFileSync(failing, "#!/bin/sh\necho no account here\nexit 3\n", { mode: 0o755 });
    const { options, said } = run("refused", { mode: "online", wandbProgram: failing });
    const wandb = openWandb(options);
    wandb.write(0, { a: 1 });
    await wandb.close();
    expect(said).toEqual([expect.stringMatching(/ended with 3 \(no account here\)/)]);
  });
});

describe("a W&B sink in trouble", () => {
  it("says once that its folder can't be made, and is silent from then on", async () => {
    const { options, said } = run("nowhere", { runFolder: join(root, "a-file/run") });
    writeFileSync(join(root, "a-file"), "");
    const wandb = openWandb(options);
    for (let i = 0; i < 3; i++) wandb.write(i, { a: 1 });
    wandb.console("x");
    wandb.file("missing");
    await wandb.close();
    expect(wandb.folder).toBeUndefined();
    expect(said.length).toBe(1);
    expect(said[0]).toMatch(/W&B: ENOTDIR/);
  });

  it.skipIf(!existsSync("/dev/full"))("says once that the disk is full, and closes", async () => {
    const { options, said } = run("full");
    const wandb = openWandb(options);
    wandb.write(0, { a: 1 });
    symlinkSync("/dev/full", join(wandb.folder!, "files/output.log"));
    wandb.console("x");
    wandb.console("y");
    wandb.write(1, { a: 1 });
    await wandb.close();
    expect(said).toEqual([expect.stringMatching(/W&B: ENOSPC.*the run goes on/)]);
    const kinds = (await inspect(tools, wandb.folder!)).map((r) => r.kind);
    expect(kinds.filter((kind) => kind === "history").length).toBe(1);
  });

  it("survives a listener that throws, odd numbers and calls after the end", async () => {
    const { options } = run("odd", {
      onFailure() {
        throw new Error("listener");
      },
    });
    const wandb = openWandb(options);
    wandb.write(-3, { a: 1 });
    wandb.file("no/such/file");
    wandb.write(Number.NaN, { a: 1 });
    await wandb.close();
    wandb.write(5, { a: 1 });
    await wandb.close();
  });
});
