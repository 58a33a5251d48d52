import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { registerInspect } from "../../src/cli/inspect.ts";
import { dataFolder, readJson, shippedTeachers, teachersFolder } from "./examples.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-inspect-"));
const written: string[] = [];

beforeEach(() => {
  written.length = 0;
  vi.spyOn(console, "log").mockImplementation((line) => void written.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the command writes to stdout, and its exit code. */
async function inspect(...args: string[]): Promise<{ out: string; exitCode: number }> {
  const program = new Command().exitOverride();
  registerInspect(program);
  await program.parseAsync(["inspect", ...args], { from: "user" });
  return { out: written.join("\n"), exitCode: Number(process.exitCode ?? 0) };
}

async function inspectJson(...args: string[]) {
  const { out, exitCode } = await inspect(...args, "--json");
  return { report: JSON.parse(out), exitCode };
}

/** A file of examples. */
function example(content: unknown): string {
  const path = join(folder, "example.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** `[16, 4]` of nested lists. */
function formOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...formOf(value[0])] : [];
}

const teacher = (name: string) => join(teachersFolder, `${name}.pt`);
/** A teacher without the agent.yaml that lies beside the shipped ones. */
function alone(name: string): string {
  const path = join(folder, `${name}.pt`);
  copyFileSync(teacher(name), path);
  return path;
}

const best = teacher("hover-rsl_rl-5.4.2");
const bestExample = readJson(join(teachersFolder, "hover-rsl_rl-5.4.2.json"));

describe("inspect --act --json", () => {
  it.each(shippedTeachers)(
    "%s: actions in the form of the inputs, no error to speak of",
    async (name) => {
      const path = join(teachersFolder, `${name}.json`);
      const { report, exitCode } = await inspectJson(teacher(name), "--act", path);
      const { outputs } = readJson(path);
      expect(report.max_abs_error).toBeLessThan(1e-5);
      expect(formOf(report.actions)).toEqual(formOf(outputs));
      expect(exitCode).toBe(0);
    },
  );

  it("exits 1 where an action is off by more than the file's tolerance", async () => {
    const outputs = structuredClone(bestExample.outputs);
    outputs[3][2] += 1e-3;
    const strict = example({ ...bestExample, outputs });
    const { report, exitCode } = await inspectJson(best, "--act", strict);
    expect(report.max_abs_error).toBeCloseTo(1e-3, 5);
    expect(exitCode).toBe(1);
    process.exitCode = undefined;
    written.length = 0;
    const loose = example({ ...bestExample, outputs, tolerance: 1e-2 });
    expect((await inspectJson(best, "--act", loose)).exitCode).toBe(0);
  });

  it("exits 1 where the activation is another one", async () => {
    const path = join(teachersFolder, "hover-rsl_rl-5.4.2.json");
    const { report, exitCode } = await inspectJson(best, "--act", path, "--activation", "tanh");
    expect(report).toMatchObject({ activation: "tanh", activation_from: "option" });
    expect(exitCode).toBe(1);
  });

  it("takes the tolerance of 1e-5 and the activation elu where the file is silent", async () => {
    const { inputs, outputs } = bestExample;
    const file = alone("hover-rsl_rl-5.4.2");
    const { report, exitCode } = await inspectJson(file, "--act", example({ inputs, outputs }));
    expect(report).toMatchObject({
      tolerance: 1e-5,
      activation: "elu",
      activation_from: "default",
    });
    expect(exitCode).toBe(0);
  });

  it("gives actions without an error where there are no outputs", async () => {
    const { inputs } = bestExample;
    const { report, exitCode } = await inspectJson(best, "--act", example({ inputs }));
    expect(report.actions).toHaveLength(inputs.length);
    expect(report).not.toHaveProperty("max_abs_error");
    expect(exitCode).toBe(0);
  });

  it("takes a network without memory over a sequence as well", async () => {
    const inputs = [bestExample.inputs, bestExample.inputs];
    const outputs = [bestExample.outputs, bestExample.outputs];
    const { report, exitCode } = await inspectJson(best, "--act", example({ inputs, outputs }));
    expect(report.actions).toHaveLength(2);
    expect(exitCode).toBe(0);
  });
});

describe("inspect", () => {
  it("says what a PPO checkpoint holds, without an engine", async () => {
    const { report } = await inspectJson(teacher("hover-rsl_rl-3.3.0-lstm"));
    expect(report).toMatchObject({ version: "3", kind: "ppo", iteration: 199, flies: "actor" });
    expect(report.networks.actor).toMatchObject({
      observation_width: 12,
      action_width: 4,
      hidden: [64, 64],
      rnn: { type: "lstm", width: 64, layers: 1 },
      std_type: "scalar",
      normaliser: { count: 2457600 },
    });
    const sizes = Object.values<number[]>(report.networks.actor.layers);
    const parameters = sizes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(report.networks.actor.parameters).toBe(parameters);
    expect(report).not.toHaveProperty("actions");
  });

  it("says it to people too, with what it assumed", async () => {
    const { out } = await inspect(alone("hover-rsl_rl-5.4.2-gru"));
    expect(out).toContain("rsl_rl 5, PPO, iteration 219");
    expect(out).toContain("12 → GRU 64 × 1 → 64 → 64 → 4");
    expect(out).toContain("after 2703360 observations");
    expect(out).toContain("elu is assumed");
  });

  it("shows student and teacher of a distillation run", async () => {
    const { report } = await inspectJson(join(dataFolder, "v4-distillation-gru.pt"));
    expect(Object.keys(report.networks)).toEqual(["student", "teacher"]);
    expect(report.flies).toBe("student");
  });

  it("shows the student alone where the teacher was no network", async () => {
    const file = await readCheckpointFile(join(dataFolder, "v4-distillation-gru.pt"));
    if (file.kind !== "distillation") throw new Error("unreachable");
    const path = join(folder, "own.pt");
    writeFileSync(path, writeRslRlDistillation({ ...file, teacher: { layers: {} } }));
    const { report } = await inspectJson(path);
    expect(Object.keys(report.networks)).toEqual(["student"]);
  });
});

describe("a file of examples", () => {
  it.each([
    ["is not JSON", "{", "not JSON"],
    ["is a list", [], "inputs"],
    ["is null", "null", "not a JSON object"],
    ["has no inputs", {}, "inputs is missing"],
    ["has empty inputs", { inputs: [] }, "inputs is missing or empty"],
    ["has text for a number", { inputs: [Array(12).fill("1")] }, "inputs[0] is not a list of 12"],
    ["has a hole", { inputs: [[...Array(11).fill(0), null]] }, "inputs[0]"],
    ["has rows of two widths", { inputs: [Array(12).fill(0), [1]] }, "inputs[1]"],
    ["has steps of two sizes", { inputs: [[[1], [2]], [[1]]] }, "inputs[1] has not 2 rows"],
    ["is too wide for the network", { inputs: [Array(13).fill(0)] }, "13 components"],
    ["has too few outputs", { inputs: [Array(12).fill(0)], outputs: [[1]] }, "4 actions"],
    ["has outputs for other rows", { ...bestExample, outputs: [[1, 2, 3, 4]] }, "[1, 4]"],
    ["has a tolerance below 0", { ...bestExample, tolerance: -1 }, "tolerance is -1"],
  ])("that %s is refused", async (_, content, expected) => {
    const attempt = inspect(best, "--act", example(content));
    await expect(attempt).rejects.toMatchObject({
      code: "bad-example",
      message: expect.stringContaining(expected),
    });
    expect(written).toEqual([]);
  });

  it("without time is refused for a network with memory", async () => {
    const attempt = inspect(teacher("hover-rsl_rl-5.4.2-gru"), "--act", example(bestExample));
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining("[step]") });
  });
});
