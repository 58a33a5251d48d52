import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { readTorchFile, writeTorchFile } from "../../policies/checkpoint/torch-file.ts";
import type { TorchValue } from "../../policies/checkpoint/torch-value.ts";
import { findOnnxRuntime } from "../../policies/onnx/onnx-runtime.ts";
import { readOnnx } from "../../policies/onnx/read-onnx.ts";
import { registerExport } from "../../src/cli/export.ts";
import { registerInspect } from "../../src/cli/inspect.ts";
import { dataFolder, readData, teachersFolder } from "../policies/examples.ts";

const root = mkdtempSync(join(tmpdir(), "firstsolo-export-"));
const written: string[] = [];
const installed = findOnnxRuntime() !== undefined;

beforeEach(() => {
  written.length = 0;
  vi.spyOn(console, "log").mockImplementation((line) => void written.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function command(...args: string[]): Promise<string> {
  const program = new Command().exitOverride();
  registerExport(program);
  registerInspect(program);
  await program.parseAsync(args, { from: "user" });
  return written.join("\n");
}

async function exported(...args: string[]) {
  return JSON.parse(await command("export", ...args, "--json"));
}

/** A run folder with checkpoints of these names. */
function run(name: string, ...files: string[]): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const file of files) writeFileSync(join(folder, file), readData("v4-distillation-gru.pt"));
  return folder;
}

const teacher = (name: string) => join(teachersFolder, `${name}.pt`);

describe("export", () => {
  it("takes a run's best checkpoint and writes into its folder exported", async () => {
    const folder = run("a", "model_1.pt", "model_20.pt", "best_model.pt");
    const { from, written } = await exported(folder, "--format", "onnx", "--activation", "swish");
    expect(from).toBe(join(folder, "best_model.pt"));
    expect(written).toEqual([join(folder, "exported", "policy.onnx")]);
    const facts = readOnnx(Uint8Array.from(readFileSync(written[0])), "x.onnx");
    expect(facts.inputs.map(({ name }) => name)).toEqual(["obs", "h_in"]);
    expect(facts.metadata).toEqual({ role: "student", activation: "swish", iteration: "7" });
    const last = await lastOf(folder);
    expect(last.from).toBe(join(folder, "model_20.pt"));
  });

  async function lastOf(folder: string) {
    written.length = 0;
    return exported(folder, "--last", "--format", "onnx", "--batch", "1", "--role", "teacher");
  }

  it("says by what it was checked, and how near it came", async () => {
    const output = join(root, "x.onnx");
    const made = await exported(
      teacher("hover-rsl_rl-5.4.2"),
      "--format",
      "onnx",
      "--output",
      output,
    );
    expect(made.written).toEqual([output]);
    if (installed) {
      expect(made.checked).toContain("onnxruntime: largest error");
      expect(made.max_error).toBeLessThan(1e-5);
    } else {
      expect(made).toMatchObject({ max_error: null });
      expect(made.checked).toContain("not checked");
    }
  });

  it.each(["hover-rsl_rl-5.4.2", "hover-rsl_rl-5.4.2-gru", "hover-rsl_rl-3.3.0-lstm"])(
    "writes %s for TensorFlow.js, which gives the same actions",
    async (name) => {
      const output = join(root, name);
      const made = await exported(teacher(name), "--format", "tfjs", "--output", output);
      expect(made.written).toEqual([join(output, "model.json"), join(output, "weights.bin")]);
      expect(made.max_error).toBeLessThan(1e-5);
      const { signature } = JSON.parse(readFileSync(join(output, "model.json"), "utf8"));
      const inputs = name.endsWith("lstm") ? 3 : name.endsWith("gru") ? 2 : 1;
      expect(Object.keys(signature.inputs)).toHaveLength(inputs);
    },
  );

  it.each([2, 3, 4, 5])("writes a checkpoint of rsl_rl %i", async (version) => {
    const file = join(dataFolder, "v5-distillation-lstm.pt");
    const output = join(root, `model_${version}.pt`);
    const flags = ["--checkpoint_version", `${version}`, "--output", output];
    await exported(file, "--format", "rsl_rl", ...flags);
    const back = await readCheckpointFile(output);
    expect(back).toMatchObject({
      kind: "distillation",
      version: version === 2 ? "2.3" : `${version}`,
    });
  });

  it.each([
    [["--format", "torch"], "expected one of onnx, rsl_rl, tfjs"],
    [["--format", "onnx", "--batch", "7"], "expected one of 1, dynamic"],
    [["--format", "onnx", "--role", "pilot"], "expected one of student, teacher"],
    [["--format", "rsl_rl", "--checkpoint_version", "6"], "layout of rsl_rl 6"],
    [["--format", "onnx", "--activation", "relux"], "unknown activation"],
  ])("refuses %s and writes nothing", async (flags, message) => {
    const output = join(root, "never");
    const attempt = exported(
      join(dataFolder, "v5-distillation-lstm.pt"),
      ...flags,
      "--output",
      output,
    );
    await expect(attempt).rejects.toThrow(message);
    expect(existsSync(output)).toBe(false);
  });

  it("refuses a PPO run as a distillation checkpoint, and an ONNX file as anything", async () => {
    const ppo = exported(teacher("hover-rsl_rl-4.0.1"), "--format", "rsl_rl");
    await expect(ppo).rejects.toMatchObject({ code: "no-student" });
    const onnx = join(dataFolder, "../onnx/mlp.onnx");
    await expect(exported(onnx, "--format", "tfjs")).rejects.toMatchObject({
      code: "already-onnx",
    });
  });
});

describe("inspect of an ONNX file", () => {
  const folder = join(dataFolder, "../onnx");

  it("says what goes in and out, without onnxruntime", async () => {
    const report = JSON.parse(await command("inspect", join(folder, "gru.onnx"), "--json"));
    expect(report).toMatchObject({
      kind: "onnx",
      opset: 18,
      observation_width: 5,
      action_width: 3,
      memory: [{ name: "h", layers: 2, width: 4 }],
    });
  });

  it.skipIf(!installed)("compares it with an example", async () => {
    const examples = JSON.parse(readFileSync(join(folder, "examples.json"), "utf8"));
    const path = join(root, "example.json");
    writeFileSync(path, JSON.stringify(examples.lstm));
    const file = join(folder, "lstm.onnx");
    const report = JSON.parse(await command("inspect", file, "--act", path, "--json"));
    expect(report.max_abs_error).toBeLessThan(1e-5);
    expect(process.exitCode).toBeUndefined();
    written.length = 0;
    writeFileSync(path, JSON.stringify({ ...examples.lstm, outputs: examples.gru.outputs }));
    await command("inspect", file, "--act", path);
    expect(process.exitCode).toBe(1);
  });
});

describe("export --as ppo", () => {
  const student = join(dataFolder, "v5-distillation-lstm.pt");
  const options = ["--format", "rsl_rl", "--as", "ppo", "--activation", "gelu"];
  /** A PPO run whose actor has other layers, and its noise as a logarithm. */
  const base = join(root, "base.pt");
  const tensor = (...shape: number[]) => {
    const data = new Float32Array(shape.reduce((all, n) => all * n, 1)).fill(0.5);
    return { shape, dtype: "float32" as const, data };
  };

  beforeEach(() => {
    const moments = (place: number) =>
      [
        place,
        new Map([
          ["step", tensor()],
          ["exp_avg", tensor(2)],
        ]),
      ] as const;
    const group = new Map<string, TorchValue>([
      ["lr", 0.01],
      ["params", [0, 1, 2, 3, 4]],
    ]);
    writeFileSync(
      base,
      writeTorchFile(
        new Map<string, TorchValue>([
          [
            "actor_state_dict",
            new Map([
              ["obs_normalizer._mean", tensor(1, 5)],
              ["distribution.log_std_param", tensor(3)],
              ["mlp.0.weight", tensor(3, 5)],
              ["mlp.0.bias", tensor(3)],
            ]),
          ],
          [
            "critic_state_dict",
            new Map([
              ["mlp.0.weight", tensor(1, 5)],
              ["mlp.0.bias", tensor(1)],
            ]),
          ],
          [
            "optimizer_state_dict",
            new Map<string, TorchValue>([
              ["state", new Map([0, 1, 2, 3, 4].map(moments))],
              ["param_groups", [group]],
            ]),
          ],
          ["iter", 3],
        ]),
      ),
    );
  });

  const actorOf = async (path: string) => {
    const read = await readCheckpointFile(path);
    if (read.kind !== "ppo") throw new Error(`${path} is ${read.kind}`);
    return read.actor;
  };

  it("makes the student an actor, and says with what configuration it is loaded", async () => {
    const output = join(root, "alone.pt");
    const { notes } = await exported(student, ...options, "--output", output);
    const before = await readCheckpointFile(student);
    if (before.kind !== "distillation") throw new Error("no student");
    expect(await actorOf(output)).toEqual(before.student);
    expect(notes.join("\n")).toMatch(/RNNModel.*activation: gelu, obs_normalization: true.*lstm/);
    expect(notes.join("\n")).toMatch(/agent\.actor\.activation=gelu .*agent\.actor\.rnn_type=lstm/);
    expect(notes.join("\n")).toContain('load_cfg={"actor": True}');
    // Its activation is in the file now: nobody has to name it again.
    expect(await command("inspect", output)).toContain("gelu");
  });

  it("takes a critic along, with its moments at their new places, and holds the noise alike", async () => {
    const output = join(root, "with.pt");
    await exported(student, ...options, "--base", base, "--output", output);
    const file = readTorchFile(readFileSync(output)) as Map<string, Map<string, TorchValue>>;
    expect([...file.get("critic_state_dict")!.keys()]).toEqual(["mlp.0.weight", "mlp.0.bias"]);
    const actor = file.get("actor_state_dict")!;
    expect(actor.has("distribution.log_std_param")).toBe(true);
    const own = [...actor.keys()].filter((name) => !name.startsWith("obs_normalizer.")).length;
    const optimiser = file.get("optimizer_state_dict")!;
    expect([...(optimiser.get("state") as Map<number, unknown>).keys()]).toEqual([own, own + 1]);
    const [group] = optimiser.get("param_groups") as Map<string, number[]>[];
    expect(group!.get("params")).toHaveLength(own + 2);
    expect((await actorOf(output)).std).toEqual(
      expect.objectContaining({ length: (await actorOf(output)).actionWidth }),
    );
  });

  /** A run that distilled the student from that teacher. */
  const runFrom = (name: string, checkpoint: string) => {
    const folder = join(root, name);
    mkdirSync(join(folder, "params"), { recursive: true });
    writeFileSync(join(folder, "model_7.pt"), readFileSync(student));
    writeFileSync(join(folder, "params/agent.yaml"), `task: x\ncheckpoint: ${checkpoint}\n`);
    writeFileSync(join(folder, "run.json"), '{"id":"a","task":"Isaac-Cartpole-Direct"}');
    return folder;
  };

  it("takes the critic of the teacher's own checkpoint where none is named", async () => {
    const folder = runFrom("taught", base);
    const { notes, written } = await exported(folder, ...options);
    const file = readTorchFile(readFileSync(written[0])) as Map<string, TorchValue>;
    expect(file.has("critic_state_dict")).toBe(true);
    expect(notes.join("\n")).toContain(`those of the teacher's own checkpoint, ${base}`);
    const without = join(root, "without.pt");
    await command("export", folder, ...options, "--base", "none", "--output", without);
    expect([...(readTorchFile(readFileSync(without)) as Map<string, TorchValue>).keys()]).toEqual([
      "actor_state_dict",
      "iter",
      "infos",
    ]);
  });

  it("says why a teacher lends none", async () => {
    const { notes } = await exported(runFrom("deployed", student), ...options);
    expect(notes.join("\n")).toMatch(/lends no critic: .*has no actor_state_dict/);
    expect(notes.join("\n")).toContain("--base FILE");
  });

  it("writes the run.json by which Isaac Lab finds it, and leaves one that is there", async () => {
    const folder = runFrom("found", base);
    const { written } = await exported(folder, ...options);
    expect(written).toHaveLength(2);
    const found = JSON.parse(readFileSync(written[1], "utf8"));
    const metadata = { agent: "rsl_rl_cfg_entry_point" };
    const task = "Isaac-Cartpole-Direct";
    expect(found).toMatchObject({ version: 1, library: "rsl_rl", task, metadata });
    // As Pythons before 3.11 read a time.
    expect(found.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
    const beside = join(folder, "model_99.pt");
    await command("export", folder, ...options, "--output", beside);
    expect(JSON.parse(readFileSync(join(folder, "run.json"), "utf8")).id).toBe("a");
  });

  it.each([
    [["--base", student], "no-critic"],
    [["--checkpoint_version", "3"], "unsupported-version"],
    [["--as", "distillation", "--base", "x.pt"], "no-effect"],
    [["--format", "onnx"], "no-effect"],
    [["--as", "pppo"], "bad-value"],
  ])("%j is refused", async (words, code) => {
    await expect(exported(student, ...options, ...words)).rejects.toMatchObject({ code });
  });
});
