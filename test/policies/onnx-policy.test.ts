import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createOnnxPolicy, loadOnnx } from "../../policies/onnx/onnx-policy.ts";
import { findOnnxRuntime } from "../../policies/onnx/onnx-runtime.ts";
import { readOnnx } from "../../policies/onnx/read-onnx.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { errorOf, readJson } from "./examples.ts";
import { graphCases } from "./graphs.ts";

const folder = join(import.meta.dirname, "../data/onnx");
const names = readdirSync(folder).filter((name) => name.endsWith(".onnx"));
const examples = readJson(join(folder, "examples.json"));
const exampleOf = (name: string) => examples[name.replace(/(-dynamo)?\.onnx$/, "")];
const installed = findOnnxRuntime() !== undefined;
const graphs = await graphCases();

const reads = ["policy"];
const options = { metadata: { activation: "elu" }, producerVersion: "1.2.3" };

describe("an ONNX file says of itself", () => {
  it.each(names)("%s: what goes in and out, and its weights", (name) => {
    const facts = readOnnx(Uint8Array.from(readFileSync(join(folder, name))), name);
    const memory = name.startsWith("mlp") ? [] : name.startsWith("gru") ? ["h"] : ["h", "c"];
    expect(facts.inputs.map((port) => port.name)).toEqual(["obs", ...memory.map((m) => `${m}_in`)]);
    expect(facts.outputs.map((port) => port.name)).toEqual([
      "actions",
      ...memory.map((m) => `${m}_out`),
    ]);
    expect(facts.inputs[0]?.shape).toEqual([1, 5]);
    expect(facts.opset).toBe(18);
    expect(facts.producer).toMatch(/pytorch/);
    expect(facts.parameters).toBeGreaterThan(100);
  });

  it("ours as well", () => {
    const { graph } = graphs.find(({ title }) => title === "v5-distillation-lstm student")!;
    const facts = readOnnx(writeOnnx(graph, { ...options, batch: "dynamic" }), "x.onnx");
    expect(facts).toMatchObject({
      opset: 18,
      producer: "firstsolo 1.2.3",
      metadata: { activation: "elu" },
      inputs: [
        { name: "obs", shape: ["batch", 5] },
        { name: "h_in", shape: [2, "batch", 4] },
        { name: "c_in", shape: [2, "batch", 4] },
      ],
    });
    const single = readOnnx(writeOnnx(graph, { ...options, batch: 1 }), "x.onnx");
    expect(single.outputs.map(({ shape }) => shape)).toEqual([
      [1, 3],
      [2, 1, 4],
      [2, 1, 4],
    ]);
  });
});

describe.skipIf(!installed)("an ONNX policy in flight", () => {
  it("reads the groups that it says it was trained on, where whoever loads it asks", async () => {
    const { graph } = graphs.find(({ title }) => title === "v5-distillation-lstm student")!;
    const told = async (reads: unknown, say = "observation_groups") => {
      const metadata = { [say]: JSON.stringify(reads) };
      const bytes = writeOnnx(graph, { metadata, producerVersion: "", batch: "dynamic" });
      const choice = (own?: readonly string[]) => own ?? ["policy"];
      const { policy } = await createOnnxPolicy(bytes, { reads: choice, where: "x.onnx" });
      policy.dispose();
      return policy.reads;
    };
    expect(await told(["camera", "proprioception"])).toEqual(["camera", "proprioception"]);
    for (const nothing of [[], "camera", [7], { camera: 1 }, null]) {
      expect(await told(nothing)).toEqual(["policy"]);
    }
    expect(await told(["camera"], "groups")).toEqual(["policy"]);
  });

  it("flies with its weights in a file beside it", async () => {
    const { policy, bytes } = await loadOnnx(join(folder, "external", "lstm.onnx"), reads);
    expect(await errorOf(policy, examples.lstm)).toBeLessThan(1e-5);
    expect(readOnnx(bytes, "x.onnx").parameters).toBeGreaterThan(100);
    policy.dispose();
  });

  it.each(names)("%s gives rsl_rl's actions, to 1e-5", async (name) => {
    const { policy, notes } = await loadOnnx(join(folder, name), reads);
    expect(await errorOf(policy, exampleOf(name))).toBeLessThan(1e-5);
    // The newer exporter fixes the number of rows in the middle of a recurrent graph.
    const alone = /(gru|lstm)-dynamo/.test(name);
    expect(notes).toEqual(alone ? [expect.stringContaining("one environment at a time")] : []);
    policy.dispose();
  });

  it.each(["dynamic", 1] as const)(
    "ours of batch %s give rsl_rl's actions, to 1e-5",
    async (batch) => {
      for (const { title, graph, example } of graphs) {
        const bytes = writeOnnx(graph, { ...options, batch });
        const { policy } = await createOnnxPolicy(bytes, { reads, where: title });
        expect(await errorOf(policy, example), title).toBeLessThan(1e-5);
        policy.dispose();
      }
    },
  );
});
