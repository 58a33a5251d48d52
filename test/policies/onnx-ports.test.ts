import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inlineWeights } from "../../policies/onnx/inline-weights.ts";
import { loadOnnx } from "../../policies/onnx/onnx-policy.ts";
import { ProtoWriter } from "../../protocol/protobuf.ts";
import { errorOf, readJson } from "./examples.ts";

const folder = join(import.meta.dirname, "../data/onnx/ports");
const examples = readJson(join(folder, "examples.json"));
const flies = async (name: string, ports = {}) => {
  const { policy, notes } = await loadOnnx(join(folder, `${name}.onnx`), ["policy"], ports);
  const { inputs, outputs } = examples[name];
  const error = await errorOf(policy, { inputs: [inputs], outputs: [outputs] });
  policy.dispose();
  return { error, notes };
};

describe("an ONNX policy", () => {
  it.each(["other-names", "no-names", "more-outputs"])(
    "is known by its shape: %s",
    async (name) => {
      expect((await flies(name)).error).toBeLessThan(1e-5);
    },
  );

  it("with a further input asks which one has the observations, and holds the other at 0", async () => {
    await expect(flies("further-input")).rejects.toMatchObject({
      code: "which-port",
      message: expect.stringContaining("time_step [1] of int64"),
      hint: expect.stringContaining("--onnx_input obs"),
    });
    const { error, notes } = await flies("further-input", { input: "obs" });
    expect(error).toBeLessThan(1e-5);
    expect(notes.join()).toContain("held at 0: time_step");
  });

  it("with two of each is told which ones are meant", async () => {
    await expect(flies("two-of-each")).rejects.toMatchObject({ code: "which-port" });
    await expect(flies("two-of-each", { input: "right" })).rejects.toMatchObject({
      hint: expect.stringContaining("--onnx_output left_hand"),
    });
    const ports = { input: "right", output: "right_hand" };
    expect((await flies("two-of-each", ports)).error).toBeLessThan(1e-5);
    await expect(flies("two-of-each", { input: "middle" })).rejects.toThrow("middle is not there");
  });

  it("is not what takes pictures, nor what is no ONNX at all", async () => {
    const path = join(folder, "of-pictures.onnx");
    await expect(loadOnnx(path, ["policy"])).rejects.toThrow("picture: is [1, 3, 8, 8]");
    const run = mkdtempSync(join(tmpdir(), "firstsolo-onnx-"));
    writeFileSync(join(run, "x.onnx"), Buffer.from("\x89HDF\r\n\x1a\n", "latin1"));
    await expect(loadOnnx(join(run, "x.onnx"), ["policy"])).rejects.toThrow("got an HDF5 file");
    rmSync(run, { recursive: true });
  });

  it("of a few bytes can't name a large file many times", async () => {
    const run = mkdtempSync(join(tmpdir(), "firstsolo-onnx-"));
    writeFileSync(join(run, "weights.bin"), new Uint8Array(2 ** 25));
    const entry = (key: string, value: string) =>
      new ProtoWriter().string(1, key).string(2, value).finish();
    const weight = new ProtoWriter()
      .bytes(13, entry("location", "weights.bin"))
      .varint(14, 1)
      .finish();
    const graph = new ProtoWriter();
    for (let i = 0; i < 40; i += 1) graph.bytes(5, weight);
    const model = new ProtoWriter().bytes(7, graph.finish()).finish();
    const before = process.memoryUsage.rss();
    await expect(inlineWeights(model, join(run, "x.onnx"))).rejects.toMatchObject({
      code: "too-large",
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 29);
    rmSync(run, { recursive: true });
  });
});
