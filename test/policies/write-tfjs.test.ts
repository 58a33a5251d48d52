import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createActor } from "../../policies/checkpoint/actor.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import type { NamedArrays } from "../../policies/named-array.ts";
import { activationNames } from "../../policies/networks/activation.ts";
import { findOnnxRuntime, openOnnx } from "../../policies/onnx/onnx-runtime.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { startEngine } from "../../src/engine/start.ts";
import { graphCases } from "./graphs.ts";

const graphs = await graphCases();

beforeAll(() => startEngine("cpu"));

describe("a graph model of TensorFlow.js", () => {
  it.each(graphs)(
    "of $title gives rsl_rl's actions over time, to 1e-5",
    async ({ graph, example }) => {
      const model = writeTfjs(graph, {});
      const states = graph.inputs.slice(1);
      const rows = example.inputs[0]!.length;
      let memory: NamedArrays = Object.fromEntries(
        states.map(({ name, shape }) => {
          const sizes = shape.map((size) => (size === "batch" ? rows : size));
          const data = new Float32Array(sizes.reduce((product, size) => product * size, 1));
          return [name, { shape: sizes, data }];
        }),
      );
      for (const [step, observations] of example.inputs.entries()) {
        const data = Float32Array.from(observations.flat());
        const obs = { shape: [rows, data.length / rows], data };
        const found = await runTfjs(model, { obs, ...memory });
        example.outputs[step]!.flat().forEach((value, i) => {
          expect(found.actions!.data[i]).toBeCloseTo(value, 5);
        });
        memory = Object.fromEntries(
          states.map(({ name }) => [name, found[name.replace("_in", "_out")]!]),
        );
      }
    },
  );

  it("leaves no tensor behind when it is run", async () => {
    const { graph } = graphs[0]!;
    const before = tf.memory().numTensors;
    const inputs = graph.inputs.map(({ name, shape }) => {
      const sizes = shape.map((size) => (size === "batch" ? 1 : size));
      const data = new Float32Array(sizes.reduce((product, size) => product * size, 1));
      return [name, { shape: sizes, data }] as const;
    });
    await runTfjs(writeTfjs(graph, {}), Object.fromEntries(inputs));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("every activation", () => {
  it.each(activationNames)("%s is the same in all formats", async (activation) => {
    const spread = (size: number) =>
      Float32Array.from({ length: size }, (_, i) => 3 * Math.sin(1 + 7 * i));
    const layers = {
      "mlp.0.weight": { shape: [6, 2], data: spread(12) },
      "mlp.0.bias": { shape: [6], data: spread(6) },
      "mlp.2.weight": { shape: [2, 6], data: spread(12) },
      "mlp.2.bias": { shape: [2], data: spread(2) },
    };
    const actor = { layers, inputWidth: 2, hidden: [6], outputWidth: 2, actionWidth: 2 };
    const head = { kind: "mean-and-noise" } as const;
    const graph = buildGraph({ actor, activation, head });
    const obs = { shape: [4, 2], data: spread(8) };
    const network = createActor(actor, activation);
    const wanted = tf.tidy(() => {
      const inputs = tf.tensor2d(obs.data, [4, 2]);
      return Array.from(network.forward(inputs, []).outputs.dataSync());
    });
    network.dispose();
    const found = [(await runTfjs(writeTfjs(graph, {}), { obs })).actions!.data];
    if (findOnnxRuntime() !== undefined) {
      const options = { batch: "dynamic", metadata: {}, producerVersion: "" } as const;
      const session = await openOnnx(writeOnnx(graph, options), "x.onnx");
      found.push((await session.run({ obs })).actions!.data);
      session.dispose();
    }
    for (const data of found) {
      wanted.forEach((value, i) => {
        expect(Math.abs(data[i]! - value)).toBeLessThan(2e-5 * Math.max(1, Math.abs(value)));
      });
    }
  });
});
