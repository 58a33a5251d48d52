import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createActorPolicy } from "../../policies/checkpoint/actor-policy.ts";
import type { RslRlActor } from "../../policies/checkpoint/actor-state.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import type { NamedArrays } from "../../policies/named-array.ts";
import { createCnn } from "../../policies/networks/cnn/cnn.ts";
import { createVision } from "../../policies/networks/cnn/vision.ts";
import { findOnnxRuntime, openOnnx } from "../../policies/onnx/onnx-runtime.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { compileWith } from "../../src/engine/compile/compile.ts";
import { startEngine } from "../../src/engine/start.ts";
import { Owner } from "../../src/learning/owner.ts";

interface Listed {
  readonly shape: number[];
  readonly data: number[];
}
interface Reference {
  readonly camera: Listed;
  readonly down: Listed;
  readonly joints: Listed;
  readonly outputs: Listed;
  readonly weights: Record<string, Listed>;
  readonly gradients: Record<string, Listed>;
}

/** By rsl_rl 5.5.1, see make_cnn_reference.py. */
const text = readFileSync(join(import.meta.dirname, "cnn-reference.json"), "utf8");
const reference = JSON.parse(text) as Reference;
const arrays = (all: Record<string, Listed>): NamedArrays =>
  Object.fromEntries(
    Object.entries(all).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data) },
    ]),
  );
const weights = arrays(reference.weights);
const vision = {
  groups: [
    { name: "camera", shape: [9, 12, 2] },
    { name: "joints", shape: [3] },
    { name: "down", shape: [8, 8, 1] },
  ],
  channels: [3, 4],
  kernel: 3,
  stride: 2,
};
const rows = 3;
const create = () =>
  createVision({ ...vision, outputWidth: 2, hidden: [5], activation: "elu", weights });

/** Rows of the three groups side by side. */
function gathered(): Float32Array {
  const groups = [reference.camera, reference.joints, reference.down];
  const widths = groups.map(({ data }) => data.length / rows);
  return Float32Array.from(
    Array.from({ length: rows }, (_, row) =>
      groups.flatMap(({ data }, i) => data.slice(row * widths[i]!, (row + 1) * widths[i]!)),
    ).flat(),
  );
}
const inputs = () => tf.tensor2d(gathered(), [rows, 216 + 3 + 64]);

beforeAll(() => startEngine("auto"));

const close = (found: ArrayLike<number>, expected: readonly number[], digits: number) => {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, digits);
};

describe("a network with pictures", () => {
  it("gives what rsl_rl's CNNModel gives, by the same names, and the same gradients", () => {
    const network = create();
    const names = network.parameters.map(({ name }) => name);
    expect(names).toEqual(Object.keys(reference.weights));
    const variables = network.parameters.map(({ value }) => value);
    const loss = () => tf.sum(tf.square(network.forward(inputs(), []).outputs)) as tf.Scalar;
    close(network.forward(inputs(), []).outputs.dataSync(), reference.outputs.data, 5);
    const { grads } = tf.variableGrads(loss, variables);
    for (const [i, name] of names.entries()) {
      const { shape, data } = reference.gradients[name]!;
      expect(variables[i]!.shape).toEqual(shape);
      close(grads[variables[i]!.name]!.dataSync(), data, 3);
    }
    network.dispose();
  });

  it("learns compiled with the same bits as operation by operation", () => {
    const learned = (mode: "on" | "off") => {
      const network = create();
      const group = { name: "student", owner: "student", parameters: network.parameters };
      const rates = { rule: "adam", learningRate: 1e-2, maxGradNorm: 1 } as const;
      const owner = new Owner("student", [group], rates);
      const program = compileWith(mode)({
        state: owner.state,
        entries: {
          step: (given) => {
            const scalars = given.slice(0, owner.scalars);
            const seen = given[owner.scalars] as tf.Tensor2D;
            const lossOf = () => {
              const loss = tf.mean(tf.square(network.forward(seen, []).outputs)) as tf.Scalar;
              return { loss, besides: [] };
            };
            return [owner.descend(lossOf, scalars).loss];
          },
        },
      });
      const losses = Array.from({ length: 4 }, () => {
        const given = [...owner.nextStep(), inputs()];
        const [loss] = program.run("step", given);
        return loss!.dataSync()[0];
      });
      const values = network.parameters.map(({ value }) => [...value.dataSync()]);
      program.dispose();
      owner.dispose();
      network.dispose();
      return { losses, values };
    };
    const eager = learned("off");
    expect(eager.losses[3]).toBeLessThan(eager.losses[0]!);
    expect(learned("on")).toEqual(eager);
  });

  it.each(["elu", "mish"] as const)("is exported to ONNX and TensorFlow.js (%s)", async (name) => {
    const actor: RslRlActor = {
      ...{ layers: weights, inputWidth: 283, hidden: [5], outputWidth: 2, actionWidth: 2 },
      pictures: ["camera", "down"],
    };
    const policy = createActorPolicy({ actor, activation: name, vision, reads: ["a"] });
    const expected = [...policy.network.forward(inputs(), []).outputs.dataSync()];
    policy.dispose();
    const graph = buildGraph({
      ...{ actor, activation: name, vision },
      head: { kind: "mean-and-noise" },
    });
    const obs = { shape: [rows, 283], data: gathered() };
    close((await runTfjs(writeTfjs(graph, {}), { obs })).actions!.data, expected, 5);
    if (findOnnxRuntime() === undefined) return;
    const options = { batch: "dynamic", metadata: {}, producerVersion: "" } as const;
    const session = await openOnnx(writeOnnx(graph, options), "the test's model");
    close((await session.run({ obs })).actions!.data, expected, 5);
    await session.dispose();
  });

  it("is not flown where its file says nothing of its pictures", () => {
    const actor: RslRlActor = {
      ...{ layers: weights, inputWidth: 43, hidden: [5], outputWidth: 2, actionWidth: 2 },
      pictures: ["camera", "down"],
    };
    expect(() => createActorPolicy({ actor, activation: "elu", reads: ["camera"] })).toThrow(
      /camera, down/,
    );
  });
});

describe("an encoder of pictures and numbers", () => {
  const groups = vision.groups.slice(0, 2);

  it("takes bytes as they were recorded, whatever their tensor's type and shape, and joins all groups", () => {
    const encoder = createCnn({ ...vision, groups, activation: "relu", featureWidth: 7 });
    expect(encoder.parameters.map(({ name }) => name).slice(-2)).toEqual([
      "features.weight",
      "features.bias",
    ]);
    const joints = tf.tensor2d(reference.joints.data, [rows, 3]);
    const bytes = reference.camera.data;
    const flat = tf.tensor2d(bytes, [rows, 216], "int32");
    const whole = tf.tensor4d(bytes, [rows, 9, 12, 2], "float32");
    const [one, other] = [flat, whole].map((camera) => encoder.forward([camera, joints]));
    expect(one!.shape).toEqual([rows, encoder.featureWidth]);
    expect([...one!.dataSync()]).toEqual([...other!.dataSync()]);
    expect([...one!.dataSync()].some((value) => value > 0)).toBe(true);
    encoder.dispose();
  });

  it("refuses groups without pictures, and pictures of which nothing is left", () => {
    const joints = groups.slice(1);
    expect(() => createCnn({ groups: joints, activation: "relu" })).toThrow(/joints \[3\]/);
    const tiny = [{ name: "eye", shape: [2, 2, 1] }];
    expect(() => createCnn({ groups: tiny, kernel: 7, activation: "relu" })).toThrow(/eye/);
  });
});
