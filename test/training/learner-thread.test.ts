import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { algorithmNamed, algorithms } from "../../src/algorithms/registry.ts";
import { startEngine } from "../../src/engine/start.ts";
import { learnsBeside } from "../../src/training/pipeline/choose-pipeline.ts";
import { LearnerThread, type ThreadOptions } from "../../src/training/pipeline/learner-thread.ts";
import { compiledProgram } from "../compiled.ts";
import { runOf, setUp } from "../running/small-run.ts";

const worker = "../../dist/src/training/pipeline/learner-worker.js";
const program = pathToFileURL(join(compiledProgram(), "..", worker));
const threads: LearnerThread[] = [];
beforeAll(() => startEngine("auto", { threads: 1 }));
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.close();
});

function open(options: Partial<ThreadOptions> = {}): LearnerThread {
  const facts = { algorithm: "distillation", device: "cpu", threads: 1, program } as const;
  const thread = new LearnerThread({ ...facts, ...options });
  threads.push(thread);
  return thread;
}

describe("a learner in a thread of its own", () => {
  it("gives the rows of one at the other end of a line in this thread, bit for bit", async () => {
    const there = await runOf(await setUp(["save_interval=2"], { thread: open() }));
    const here = await runOf(await setUp([], { pipelined: true }));
    expect(there.rows).toEqual(here.rows);
    expect(there.rows[1]!["Loss/behavior"]).toBeGreaterThan(0);
  });

  it("ends the run where it runs out of memory, with what to do next", async () => {
    const thread = open({ resourceLimits: { maxOldGenerationSizeMb: 8 } });
    const failed = runOf(await setUp([], { thread }));
    await expect(failed).rejects.toMatchObject({
      name: "LearningError",
      code: "learner-lost",
      message: expect.stringMatching(/^The thread that learns has ended: .*memory/),
      hint: expect.stringMatching(/--resume.*--pipeline off/),
    });
  });

  it("says what an order can't be made of, by the error that was thrown there", async () => {
    const thread = open({ device: "webgpu" });
    await expect(runOf(await setUp([], { thread }))).rejects.toMatchObject({
      name: "EngineError",
      hint: expect.any(String),
    });
  });
});

describe("pipeline", () => {
  const [distillation] = algorithms;
  const offline = algorithmNamed("td3_bc")!;
  const cpu = { backend: "tensorflow", device: "cpu" } as const;
  const wasm = { backend: "wasm", device: "wasm" } as const;
  const cuda = { backend: "tensorflow", device: "cuda" } as const;
  const acting = ["parameters/a", "acting/parameters/a"];
  const place = { algorithm: distillation, engine: cpu, saved: undefined, cores: 2 };
  const state = (names: readonly string[]) => {
    const arrays = Object.fromEntries(names.map((name) => [name, { shape: [], data: [] }]));
    return { saved: { state: { learner: { arrays } } } as never };
  };

  it.each([
    ["off, where it is off", "off", {}, false],
    ["on, where it is asked for, on one core too", "on", { cores: 1 }, true],
    ["on of itself on two cores", "auto", {}, true],
    ["off of itself on one core", "auto", { cores: 1 }, false],
    ["off of itself on wasm", "auto", { engine: wasm }, false],
    ["off of itself on a card", "auto", { engine: cuda }, false],
    ["off of itself where nothing is flown", "auto", { algorithm: offline }, false],
    ["on of itself where the run began with it", "auto", { ...state(acting), cores: 1 }, true],
    ["off of itself where the run began without it", "auto", state(["parameters/a"]), false],
  ] as const)("is %s", (_, pipeline, more, expected) => {
    expect(learnsBeside({ pipeline }, { ...place, ...more })).toBe(expected);
  });

  it("is refused where nothing is flown meanwhile", () => {
    const asked = () => learnsBeside({ pipeline: "on" }, { ...place, algorithm: offline });
    expect(asked).toThrow(/--pipeline on: td3_bc flies nothing while it learns/);
  });
});
