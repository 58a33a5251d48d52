import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readBytes } from "../../policies/checkpoint/checkpoint-file.ts";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { readZip } from "../../policies/checkpoint/zip-read.ts";
import { writeZip } from "../../policies/checkpoint/zip-write.ts";
import { CheckpointError } from "../../policies/policy-error.ts";
import { startEngine } from "../../src/engine/start.ts";
import fc from "../properties.ts";
import { errorOf, readJson } from "./examples.ts";

beforeAll(() => startEngine("auto"));

const folder = join(import.meta.dirname, "../data/torchscript");
const examples = readJson(join(folder, "examples.json"));
const names = readdirSync(folder).flatMap((name) =>
  name.endsWith(".pt") ? [name.slice(0, -3)] : [],
);
const known = names.filter((name) => !name.startsWith("other-") || name === "other-frozen");

describe("an exported program", () => {
  it.each(known.filter((name) => name in examples))("flies as torch flies it: %s", async (name) => {
    const { policy, activation, activationFrom, notes } = await loadTeacher(
      join(folder, `${name}.pt`),
    );
    expect(await errorOf(policy, examples[name])).toBeLessThan(1e-5);
    expect(activation).toBe(examples[name].activation);
    expect(["checkpoint", "none"]).toContain(activationFrom);
    expect(notes.join()).not.toContain("assumed");
    policy.dispose();
  });

  it("whose weights are constants is read too", async () => {
    const { policy, activation } = await loadTeacher(join(folder, "other-frozen.pt"));
    expect([policy.observationWidth, policy.actionWidth, activation]).toEqual([7, 3, "elu"]);
    policy.dispose();
  });

  it.each([
    ["other-scaled", "torch.mul", "Scaled, Sequential, Linear, ELU"],
    ["other-branched", "torch.cat", "Branched, Sequential, Linear"],
    ["other-slope", "torch.leaky_relu", "Sequential, Linear, LeakyReLU"],
    ["other-forgetting", "starts its memory anew", "Forgetting, Sequential, Linear, ELU, GRU"],
    ["other-norm", "torch.layer_norm", "Sequential, Linear, LayerNorm, ELU"],
  ])(
    "%s is refused by what it computes and the names of its modules",
    async (name, what, modules) => {
      const attempt = loadTeacher(join(folder, `${name}.pt`));
      await expect(attempt).rejects.toMatchObject({
        code: "torchscript",
        message: expect.stringContaining(what),
      });
      await expect(attempt).rejects.toThrow(`its modules are ${modules}`);
    },
  );

  it("that is refused points to the ONNX file beside it", async () => {
    const run = mkdtempSync(join(tmpdir(), "firstsolo-script-"));
    copyFileSync(join(folder, "other-scaled.pt"), join(run, "policy.pt"));
    writeFileSync(join(run, "policy.onnx"), "x");
    await expect(loadTeacher(join(run, "policy.pt"))).rejects.toMatchObject({
      hint: expect.stringContaining(join(run, "policy.onnx")),
    });
    rmSync(run, { recursive: true });
  });

  it("is refused or read, and nothing else, when its code or its pickle is changed", async () => {
    const real = await readBytes(join(folder, "rsl_rl-5.5.1-gru.pt"));
    const contents = new Map([...readZip(real, "x.pt")].map(([name, m]) => [name, m.read()]));
    const parts = [...contents.keys()].filter((name) =>
      /(models.*\.py|mlp.*\.py|data\.pkl)$/.test(name),
    );
    const change = fc.tuple(fc.nat(parts.length - 1), fc.nat(20_000), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = new Map(contents);
        for (const [part, at, byte] of changes) {
          const bytes = Uint8Array.from(changed.get(parts[part]!)!);
          bytes[at % bytes.length] = byte;
          changed.set(parts[part]!, bytes);
        }
        try {
          readRslRl(writeZip(changed), "x.pt");
        } catch (error) {
          if (!(error instanceof CheckpointError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
