import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createActorPolicy } from "../../policies/checkpoint/actor-policy.ts";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { exampleEntries, ownExample } from "../../policies/checkpoint/own-facts.ts";
import type { RslRlDistillation } from "../../policies/checkpoint/rsl-rl.ts";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { type TorchValue, torchDict } from "../../policies/checkpoint/torch-value.ts";
import { checkExample, recordExample } from "../../policies/flight-example.ts";
import { startEngine } from "../../src/engine/start.ts";
import { dataFolder } from "./examples.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-example-"));
let file: RslRlDistillation;

beforeAll(async () => {
  await startEngine("wasm");
  const read = await readCheckpointFile(join(dataFolder, "v4-distillation-gru.pt"));
  if (read.kind !== "distillation") throw new Error("unreachable");
  file = read;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const student = () =>
  createActorPolicy({ actor: file.student, activation: "swish", reads: ["a", "b"] });

/** A checkpoint of ours with an example of its student, after a change to it. */
async function written(
  change: (entries: Record<string, TorchValue>, file: RslRlDistillation) => void = () => {},
): Promise<string> {
  const policy = student();
  const facts = JSON.stringify({ student: { activation: "swish" } });
  const entries = { facts, ...exampleEntries("student", await recordExample(policy)) };
  policy.dispose();
  const copy = structuredClone(file.student);
  const changed = { ...file, student: copy };
  change(entries, changed);
  const infos = torchDict({ firstsolo: torchDict(entries) });
  const path = join(folder, "x.pt");
  writeFileSync(path, writeRslRlDistillation({ ...changed, infos }));
  return path;
}

describe("the example in a checkpoint", () => {
  it("is what the policy does, whatever groups it reads, over time where it has memory", async () => {
    const policy = student();
    const example = await recordExample(policy);
    expect(example.inputs.shape).toEqual([3, 4, 5]);
    expect(example.outputs.shape).toEqual([3, 4, 3]);
    expect(example).toEqual(await recordExample(policy));
    await checkExample(policy, example, "x.pt");
    policy.dispose();
  });

  it("lets a checkpoint fly that is what was saved", async () => {
    const { policy } = await loadTeacher(await written());
    policy.dispose();
  });

  it("refuses another activation, and says so", async () => {
    const attempt = loadTeacher(await written(), { activation: "relu" });
    await expect(attempt).rejects.toMatchObject({
      name: "CheckpointError",
      code: "example-mismatch",
      message: expect.stringContaining("the weights or the activation are not what was saved"),
      hint: expect.stringContaining("--activation"),
    });
  });

  it.each(["mlp.0.weight", "rnn.rnn.weight_hh_l0", "mlp.4.bias"])(
    "refuses a changed weight in %s",
    async (name) => {
      const path = await written((_, { student }) => {
        const { data } = student.layers[name]!;
        data.forEach((value, i) => {
          data[i] = 1.05 * value;
        });
      });
      await expect(loadTeacher(path)).rejects.toMatchObject({ code: "example-mismatch" });
    },
  );

  it("refuses a changed normaliser", async () => {
    const path = await written((_, { student }) => {
      student.normaliser!.mean[0]! += 0.05;
    });
    await expect(loadTeacher(path)).rejects.toMatchObject({ code: "example-mismatch" });
  });

  it("says nothing where a file has none, as those of others", async () => {
    expect(ownExample(null, "student", "x.pt")).toBeUndefined();
    expect(ownExample(torchDict({ firstsolo: 3 }), "student", "x.pt")).toBeUndefined();
    expect(ownExample(torchDict({ firstsolo: torchDict({}) }), "student", "x.pt")).toBeUndefined();
  });

  const tensor = (shape: number[], value = 0): TorchValue => ({
    shape,
    dtype: "float32",
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
  });
  it.each([
    ["lacks its outputs", undefined, "is None"],
    ["has text for outputs", "abc", 'is "abc"'],
    ["has outputs of two axes", tensor([4, 3]), "a float32 tensor [4, 3]"],
    ["has outputs of other rows", tensor([3, 5, 3]), "has 3,5 rows"],
    ["has no numbers", tensor([3, 4, 0]), "holds 0 numbers"],
    ["has too many numbers", tensor([2, 1024, 1024]), "holds 2097152 numbers"],
    ["is NaN", tensor([3, 4, 3], Number.NaN), "not finite"],
  ])("that %s is refused by name", async (_, outputs, message) => {
    const path = await written((entries) => {
      if (outputs === undefined) delete entries.example_student_outputs;
      else entries.example_student_outputs = outputs;
    });
    await expect(loadTeacher(path)).rejects.toMatchObject({
      code: "bad-example",
      message: expect.stringContaining(message),
    });
  });

  it("of another width is refused", async () => {
    const path = await written((entries) => {
      entries.example_student_inputs = tensor([3, 4, 6]);
    });
    await expect(loadTeacher(path)).rejects.toMatchObject({
      code: "example-mismatch",
      message: expect.stringContaining("6 observations and 3 actions, the network 5 and 3"),
    });
  });
});
