import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { sharesOneCore } from "../../src/engine/doctor/probe-facts.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { readInstalled } from "../../src/engine/install/installed.ts";
import { nativePackage } from "../../src/engine/install/package-paths.ts";
import { startEngine } from "../../src/engine/start.ts";
import { compiledEngine } from "../compiled-engine.ts";
import { REPOSITORY } from "./fake-machine.ts";
import { regression, wrongGradients } from "./learns.ts";

const folder = nativePackage(REPOSITORY);
const installed = folder === undefined ? undefined : await readInstalled(folder);

describe.skipIf(installed === undefined)("the native engine", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine("cpu");
  });

  it("says what computes, and where it came from", () => {
    expect(engine).toMatchObject({
      backend: "tensorflow",
      device: "cpu",
      source: installed?.source,
      version: installed?.version,
      accelerators: [],
    });
    expect(engine.version).toMatch(/^2\.\d+\.\d+/);
    expect(engine.description).toContain(engine.version);
    expect(engine.threads).toBeLessThanOrEqual(availableParallelism());
  });

  it("is the backend of the tfjs-core that is imported, which tfjs-node requires too", () => {
    const required = createRequire(import.meta.url)("@tensorflow/tfjs-core") as typeof tf;
    expect(tf.getBackend()).toBe("tensorflow");
    expect(required.engine()).toBe(tf.engine());
    expect(sharesOneCore()).toBe(true);
  });

  it("gives every operation's gradient", async () => {
    expect(await wrongGradients()).toEqual([]);
  });

  it("learns, and leaves no tensor behind", async () => {
    const { first, last, left } = await regression(120);
    expect(last).toBeLessThan(first / 10);
    expect(left).toBe(0);
  });

  it("is the same when it is asked for again, and no other in the same process", async () => {
    expect(await startEngine("cpu")).toBe(engine);
    expect(await startEngine("auto")).toBe(engine);
    await expect(startEngine("wasm")).rejects.toMatchObject({ code: "engine-already-started" });
  });
});

let compiled: string | undefined;

/** Runs a program that has `startEngine` in a process of its own. */
function inProcess(script: string, env: NodeJS.ProcessEnv = {}) {
  compiled ??= compiledEngine();
  const start = JSON.stringify(join(compiled, "start.js"));
  const program = `const { startEngine } = await import(${start});\n${script}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: undefined, ...env },
  });
}

describe.skipIf(installed === undefined)("a fresh process", () => {
  it("starts native without a word on either stream, on as many threads as asked", () => {
    const done = inProcess(`
      const { threads, device } = await startEngine("auto", { threads: 1 });
      process.exitCode = threads === 1 && device === "cpu" && process.env.TF_NUM_INTRAOP_THREADS === "1" ? 0 : 1;`);
    expect(done).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  it("keeps the error stream for what is written later", () => {
    const done = inProcess(`await startEngine("cpu"); console.error("a real error");`);
    expect(done.stderr).toBe("a real error\n");
  });

  it("starts one engine for two callers at once", () => {
    const done = inProcess(`
      const [a, b] = await Promise.all([startEngine("cpu"), startEngine("auto")]);
      process.exitCode = a === b ? 0 : 1;`);
    expect(done.status).toBe(0);
  });

  it("says why there is no CUDA, and what to do", () => {
    const done = inProcess(
      `await startEngine("cuda").catch(({ code, hint }) => console.log(code, hint));`,
      { CUDA_VISIBLE_DEVICES: "-1" },
    );
    expect(done.stdout).toMatch(/^cuda-unavailable .*--device cpu/);
  });
});
