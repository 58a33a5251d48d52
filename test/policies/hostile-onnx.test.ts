import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Port } from "../../policies/graph/policy-graph.ts";
import { withFreeBatch } from "../../policies/onnx/free-batch.ts";
import { inlineWeights } from "../../policies/onnx/inline-weights.ts";
import { modelForm } from "../../policies/onnx/model-memory.ts";
import { createOnnxPolicy, loadOnnx } from "../../policies/onnx/onnx-policy.ts";
import { findOnnxRuntime } from "../../policies/onnx/onnx-runtime.ts";
import { damagedOnnx, readOnnx } from "../../policies/onnx/read-onnx.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { CheckpointError } from "../../policies/policy-error.ts";
import { type ProtoBody, ProtoWriter } from "../../protocol/protobuf.ts";
import fc from "../properties.ts";
import { graphCases } from "./graphs.ts";

const folder = join(import.meta.dirname, "../data/onnx");
const real = Uint8Array.from(readFileSync(join(folder, "lstm.onnx")));
const installed = findOnnxRuntime() !== undefined;
const graphs = await graphCases();
const options = { batch: "dynamic", metadata: {}, producerVersion: "" } as const;

/** The CheckpointError of an attempt, if it was refused; anything else thrown fails the test. */
function refusal(attempt: () => unknown): CheckpointError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.hint).not.toBe("");
    expect(error.message).toContain("x.onnx");
    return error;
  }
}

const read = (bytes: Uint8Array) => refusal(() => readOnnx(bytes, "x.onnx"));
const free = (bytes: Uint8Array) =>
  refusal(() => withFreeBatch(bytes, (what) => damagedOnnx("x.onnx", what)));

/** A model around one graph. */
function model(graph: ProtoBody): Uint8Array {
  return new ProtoWriter()
    .varint(1, 8)
    .message(7, graph)
    .message(8, (opset) => opset.string(1, "").varint(2, 18))
    .finish();
}

describe("the reader of ONNX", () => {
  it("refuses a real file at most lengths but its own, and never fails otherwise", () => {
    let refused = 0;
    for (let length = 0; length < real.length; length++) {
      if (read(real.subarray(0, length))) refused++;
      free(real.subarray(0, length));
    }
    expect(refused).toBeGreaterThan(real.length - 64);
    expect(read(real)).toBeUndefined();
  });

  it("refuses or reads a file with any bits flipped, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const damaged = Uint8Array.from(real);
          for (const [at, value] of changes) damaged[at] = value;
          read(damaged);
          free(damaged);
        },
      ),
      { numRuns: 800 },
    );
  });

  it("refuses or reads any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        read(bytes);
        free(bytes);
      }),
      { numRuns: 800 },
    );
  });

  it.each([
    ["nothing", new Uint8Array(0), "an empty file"],
    ["a zip archive", Buffer.from("PK\x03\x04rest"), "a zip archive"],
    ["text", Buffer.from("model: policy"), "not ONNX"],
    ["a model without a graph", new ProtoWriter().varint(1, 8).finish(), "no graph"],
    ["a length beyond the end", Uint8Array.of(0x3a, 0xff, 0xff, 0x7f), "is cut off"],
    ["an endless number", new Uint8Array(20).fill(0xff), "number without an end"],
    [
      "a model without operators",
      new ProtoWriter().bytes(7, new Uint8Array(0)).finish(),
      "operator",
    ],
    [
      "weights in another file",
      model((graph) => graph.message(5, (w) => w.varint(1, 4).string(8, "w").varint(14, 1))),
      'the weights "w" are in another file',
    ],
    [
      "an input that is no tensor",
      model((graph) => graph.message(11, (port) => port.string(1, "obs"))),
      '"obs" is no tensor of float32',
    ],
  ])("refuses %s by name", (_, bytes, message) => {
    expect(read(Uint8Array.from(bytes))?.message).toContain(message);
  });
});

describe("weights in another file", () => {
  const external = (entries: Readonly<Record<string, string>>) => {
    const tensor: ProtoBody = (proto) => {
      proto.varint(1, 4).varint(2, 1).string(8, "w").varint(14, 1);
      for (const [key, value] of Object.entries(entries)) {
        proto.message(13, (entry) => entry.string(1, key).string(2, value));
      }
    };
    return model((graph) => graph.message(5, tensor));
  };
  const path = join(folder, "x.onnx");

  it.each([
    ["/etc/passwd", "external-weights"],
    ["../mlp.onnx", "external-weights"],
    ["a/../../mlp.onnx", "external-weights"],
    ["..", "external-weights"],
    ["", "external-weights"],
    ["nowhere.data", "no-such-file"],
    ["external", "not-a-file"],
  ])("called %j are refused: %s", async (location, code) => {
    await expect(inlineWeights(external({ location }), path)).rejects.toMatchObject({ code });
  });

  it.each([
    [{ offset: "1e9" }, "bytes"],
    [{ offset: "-1" }, "the offset"],
    [{ length: "9999999" }, "9999999 are expected"],
    [{ length: "many" }, 'the length of weights in another file is "many"'],
  ])("at %j are refused", async (place, message) => {
    const attempt = inlineWeights(external({ location: "mlp.onnx", ...place }), path);
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });

  it("leave a model that has none as it is", async () => {
    expect(await inlineWeights(real, path)).toBe(real);
  });
});

describe("a model that is no policy", () => {
  const port = (name: string, ...shape: Port["shape"][number][]): Port => ({ name, shape });
  const obs = port("obs", 1, 5);
  const actions = port("actions", 1, 3);

  it.each<[string, Port[], Port[], string]>([
    ["has no inputs", [], [actions], "the inputs none"],
    ["forgets what it remembers", [obs, port("h_in", 1, 1, 4)], [actions], "inputs obs, h_in"],
    ["puts out a picture", [obs], [port("map", 1, 8, 8)], "map: is [1, 8, 8]"],
    ["takes whole numbers", [{ ...obs, type: "int64" }], [actions], "obs: is [1, 5] of int64"],
    ["reads pictures", [port("obs", 1, 3, 64, 64)], [actions], "obs: is [1, 3, 64, 64]"],
    ["has an open width", [port("obs", 1, "batch")], [actions], "obs: is [1, batch]"],
    ["has a width of millions", [port("obs", 1, 2 ** 40)], [actions], "obs: is [1, 1099511627776]"],
    [
      "has a memory of two axes",
      [obs, port("h_in", 1, 4)],
      [actions, port("h_out", 1, 4)],
      "h_in: is [1, 4]",
    ],
  ])("because it %s is refused by name", (_, inputs, outputs, message) => {
    const error = refusal(() => modelForm(inputs, outputs, "x.onnx"));
    expect(error).toMatchObject({
      code: "not-a-policy",
      message: expect.stringContaining(message),
    });
  });
});

describe.skipIf(!installed)("a model that can't fly", () => {
  const reads = ["policy"];

  it("for its weights are NaN is refused", async () => {
    const { graph } = graphs[0]!;
    const constants = { ...graph.constants };
    const [name] = Object.keys(constants).filter((key) => key.endsWith("weight"));
    const { shape, data } = constants[name!]!;
    constants[name!] = { shape, data: data.map(() => Number.NaN) };
    const attempt = createOnnxPolicy(writeOnnx({ ...graph, constants }, options), {
      reads,
      where: "x.onnx",
    });
    await expect(attempt).rejects.toMatchObject({ code: "not-finite" });
  });

  it("for a weight is missing is refused", async () => {
    const { graph } = graphs[0]!;
    const constants = Object.fromEntries(Object.entries(graph.constants).slice(1));
    const attempt = createOnnxPolicy(writeOnnx({ ...graph, constants }, options), {
      reads,
      where: "x.onnx",
    });
    await expect(attempt).rejects.toMatchObject({ code: "damaged-onnx" });
  });

  it("unless it has memory, which starts anew where an episode does", async () => {
    const { policy } = await loadOnnx(join(folder, "gru.onnx"), reads);
    const observations = { policy: Float32Array.from({ length: 10 }, (_, i) => Math.sin(i)) };
    const first = await policy.act(
      { observations, started: Uint8Array.of(1, 1) },
      policy.initialMemory(2),
    );
    const before = first.memory.map((state) => state.slice());
    const second = await policy.act({ observations, started: Uint8Array.of(1, 0) }, first.memory);
    expect(first.memory).toEqual(before);
    expect(second.actions.slice(0, 3)).toEqual(first.actions.slice(0, 3));
    expect(second.actions.slice(3)).not.toEqual(first.actions.slice(3));
    policy.dispose();
  });
});
