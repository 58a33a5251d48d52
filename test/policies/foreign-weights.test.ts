import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createActorPolicy } from "../../policies/checkpoint/actor-policy.ts";
import { findAgentConfig } from "../../policies/checkpoint/agent-config.ts";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { writeTorchFile } from "../../policies/checkpoint/torch-file.ts";
import {
  OrderedDict,
  type TorchTensor,
  type TorchValue,
  torchDict,
} from "../../policies/checkpoint/torch-value.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { modelError } from "../../policies/graph/model-error.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import { startEngine } from "../../src/engine/start.ts";
import { errorOf, readJson } from "./examples.ts";

beforeAll(() => startEngine("auto"));

const folder = join(import.meta.dirname, "../data/foreign");
const examples = readJson(join(folder, "examples.json"));
let run = "";

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "firstsolo-foreign-"));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

describe("weights as other programs save them", () => {
  it.each([
    ["beside.pt", "model_state_dict among everything Python has"],
    ["beside-protocol-4.pt", "the same by a newer pickle"],
    ["wrapped.pt", "names of DataParallel and torch.compile, under actor_critic"],
    ["sequential.pt", "a Sequential's own state_dict"],
    ["deep.pt", "the state_dict of a whole algorithm"],
    ["rl_games-plain.pth", "rl_games"],
    ["rl_games-normalised.pth", "rl_games with statistics, cut to ±5"],
  ])("fly: %s, %s", async (name) => {
    const { policy } = await loadTeacher(join(folder, name), { activation: "elu" });
    const example = examples[name.replace(/\.pth?$/, "")];
    expect(await errorOf(policy, example)).toBeLessThan(1e-5);
    policy.dispose();
  });

  it("keep what else is in the file, or its class", async () => {
    const { iteration, infos } = await readCheckpointFile(join(folder, "beside.pt"));
    expect(iteration).toBe(5);
    const kept = infos as ReadonlyMap<string, unknown>;
    expect([kept.get("np_float"), kept.get("np_int"), kept.get("np_bool")]).toEqual([0.5, 7, true]);
    expect(kept.get("odd")).toMatchObject({ name: "__main__.Odd" });
    expect(kept.get("device")).toMatchObject({ name: "torch.device" });
  });

  it("are cut to ±5 in an export, and as a run's teacher, too", async () => {
    const path = join(folder, "rl_games-normalised.pth");
    const file = await readCheckpointFile(path);
    if (file.kind !== "ppo") throw new Error("unreachable");
    const { actor } = file;
    const example = examples["rl_games-normalised"];
    const bytes = writeRslRlDistillation({ ...file, student: actor, teacher: actor }, 5);
    const back = readRslRl(bytes, "back.pt");
    if (back.kind !== "distillation") throw new Error("unreachable");
    const policy = createActorPolicy({ actor: back.teacher, activation: "elu", reads: ["policy"] });
    expect(await errorOf(policy, example)).toBeLessThan(1e-5);
    policy.dispose();
    const graph = buildGraph({ actor, activation: "elu", head: { kind: "mean-and-noise" } });
    const array = (rows: number[][][]) => ({
      shape: [rows.length, rows[0]!.length, rows[0]![0]!.length],
      data: Float32Array.from(rows.flat(2)),
    });
    const flown = { inputs: array(example.inputs), outputs: array(example.outputs) };
    const model = writeTfjs(graph, {});
    const run = (inputs: Parameters<typeof runTfjs>[1]) => runTfjs(model, inputs);
    expect(await modelError(graph, flown, { run, together: true })).toBeLessThan(1e-5);
  });

  it.each([
    ["other-object.pt", "__main__.Odd"],
    ["other-weights.pt", "state_dict (cnn.0.weight)"],
  ])("that are none of these are told as what they are: %s", async (name, what) => {
    await expect(readCheckpointFile(join(folder, name))).rejects.toThrow(what);
  });

  it.each([
    ["LayerNorm", { "mlp.1.weight": [6], "mlp.1.bias": [6] }, "normalising one (LayerNorm)"],
    ["LayerNorm behind the activation", { "mlp.2.weight": [6], "mlp.2.bias": [6] }, "LayerNorm"],
    ["BatchNorm", { "mlp.1.running_mean": [6] }, "normalising one (BatchNorm)"],
    ["a convolution", { "mlp.0.weight": [6, 4, 3, 3] }, "a convolution"],
  ])("%s is named", (_, more, what) => {
    const zeros = (shape: readonly number[]): TorchTensor => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return { shape, dtype: "float32", data };
    };
    const shapes = { "mlp.0.weight": [6, 4], "mlp.0.bias": [6], "mlp.3.weight": [2, 6], ...more };
    const entries = Object.entries(shapes).map(([key, shape]): [string, TorchValue] => [
      key,
      zeros(shape),
    ]);
    const file = torchDict({ actor_state_dict: new OrderedDict(entries) });
    expect(() => readRslRl(writeTorchFile(file), "x.pt")).toThrow(what);
  });

  it.each([
    [
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 474922\n",
      "git-lfs-pointer",
      "git lfs pull",
    ],
    ["\x89HDF\r\n\x1a\n", "not-a-zip", "an HDF5 file"],
    ["<!DOCTYPE html><html>", "not-a-zip", "a web page"],
  ])("a file that is something else is told as that: %j", async (content, code, what) => {
    const path = join(run, "model.pt");
    writeFileSync(path, Buffer.from(content, "latin1"));
    const error = await readCheckpointFile(path).catch((e) => e);
    expect(error.code).toBe(code);
    expect(error.message + error.hint).toContain(what);
  });
});

describe("the activation", () => {
  /** A policy that does not say it, with another file of the run. */
  function beside(name: string, content: string | Uint8Array): string {
    mkdirSync(dirname(join(run, name)), { recursive: true });
    writeFileSync(join(run, name), content);
    mkdirSync(join(run, "nn"), { recursive: true });
    copyFileSync(join(folder, "sequential.pt"), join(run, "nn", "model.pt"));
    return join(run, "nn", "model.pt");
  }

  it.each([
    ["params/agent.yaml", "params: {network: {mlp: {units: [8], activation: selu}}}"],
    ["params/rl.yaml", "agent: {policy: {activation: SELU}}"],
    ["config.yaml", "model: {actor: {activation: torch.nn.SELU}, critic: {activation: relu}}"],
    ["config.json", JSON.stringify({ policy_cfg: { activation_fn: "selu" } })],
    ["cfgs.pkl", cfgsPickle()],
  ])("is found in %s", async (name, content) => {
    const { activation, activationFrom, policy } = await loadTeacher(beside(name, content), {
      assume: false,
    });
    expect([activation, activationFrom]).toEqual(["selu", "agent.yaml"]);
    policy.dispose();
  });

  it.each([
    ["nothing names it", "notes.txt", "activation: selu"],
    ["two are named", "config.yaml", "a: {activation: selu}\nb: {activation: relu}"],
    ["the file is broken", "config.json", '{"activation": "selu"'],
  ])("is asked for where %s", async (_, name, content) => {
    const attempt = loadTeacher(beside(name, content), { assume: false });
    await expect(attempt).rejects.toMatchObject({
      code: "no-activation",
      hint: expect.stringContaining("--activation"),
    });
  });

  it("is not needed by a single layer", async () => {
    const path = join(run, "model.pt");
    const floats = (shape: readonly number[]): TorchTensor => {
      return { shape, dtype: "float32", data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
    };
    const state = torchDict({
      "mlp.0.weight": floats([2, 3]),
      "mlp.0.bias": floats([2]),
      std: floats([2]),
    });
    writeFileSync(path, writeTorchFile(torchDict({ actor_state_dict: state })));
    const { activationFrom, policy } = await loadTeacher(path, { assume: false });
    expect(activationFrom).toBe("none");
    policy.dispose();
  });

  it("and two outputs per action are asked for where nothing says what they are", async () => {
    const beta = join(import.meta.dirname, "../data/checkpoints/v5-ppo-beta.pt");
    const options = { activation: "softplus", assume: false };
    await expect(loadTeacher(beta, options)).rejects.toMatchObject({ code: "no-distribution" });
    const { head, policy } = await loadTeacher(beta, { ...options, distribution: "beta" });
    expect(head).toEqual({ kind: "beta", low: -1, high: 1 });
    policy.dispose();
  });
});

describe("what is allowed and rarely meant", () => {
  it("gets a remark: a huge noise, a normaliser that has seen nothing", async () => {
    const file = await readCheckpointFile(join(folder, "rl_games-normalised.pth"));
    if (file.kind !== "ppo") throw new Error("unreachable");
    const { actor } = file;
    const normaliser = { ...actor.normaliser!, mean: new Float32Array(6), count: 0 };
    const odd = { ...actor, normaliser, std: Float32Array.of(1, 250) };
    const path = join(run, "model_1.pt");
    writeFileSync(
      path,
      writeRslRlDistillation({ ...file, student: odd, teacher: { layers: {} } }, 5),
    );
    const { notes, policy } = await loadTeacher(path, { activation: "elu" });
    expect(notes.join("; ")).toMatch(/deviation of 250.*has seen no observation/);
    policy.dispose();
  });

  it("observation groups are read from the run's own configuration", async () => {
    mkdirSync(join(run, "params"));
    writeFileSync(
      join(run, "params/agent.yaml"),
      "obs_groups: {policy: [policy, scan], critic: [all], teacher: [t]}\npolicy: {activation: elu}",
    );
    const path = join(run, "model_1.pt");
    expect((await findAgentConfig(path, "actor"))?.groups).toEqual(["policy", "scan"]);
    expect((await findAgentConfig(path, "teacher"))?.groups).toEqual(["t"]);
  });
});

/** As Genesis pickles it: a list of dicts, the last the trainer's. */
function cfgsPickle(): Uint8Array {
  const text = (word: string) => Buffer.from([0x8c, word.length, ...Buffer.from(word)]);
  const parts = ["\x80\x04](}}", text("policy"), "}", text("activation"), text("selu"), "sse."];
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
}
