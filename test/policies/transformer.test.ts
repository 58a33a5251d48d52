import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createTransformer } from "../../policies/networks/transformer.ts";
import { startEngine } from "../../src/engine/start.ts";
import made from "./transformer-reference.json" with { type: "json" };

beforeAll(() => startEngine("auto"));

const weights = Object.fromEntries(
  Object.entries(made.weights).map(([name, { shape, data }]) => [
    name,
    { shape, data: Float32Array.from(data) },
  ]),
);
const sizes = { inputWidth: 5, outputWidth: 4, tokens: 3, width: 8, blocks: [6, 10] };
const options = { ...sizes, activation: "elu", prefix: "t" };

/** The largest distance of two lists of numbers. */
function apart(a: ArrayLike<number>, b: readonly number[]): number {
  return Math.max(...b.map((value, i) => Math.abs(value - a[i]!)));
}

describe("a transformer", () => {
  it("gives what torch gives, and its gradients", () => {
    const network = createTransformer({ ...options, weights });
    const inputs = tf.tensor2d(made.inputs, [2, 15]);
    const forward = () => network.forward(inputs, []).outputs;
    const embed = network.parameters[0]!.value;
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(forward())), [embed]);
    expect(apart(tf.tidy(forward).dataSync(), made.outputs)).toBeLessThan(1e-5);
    expect(apart(grads[embed.name]!.dataSync(), made.embed_gradient)).toBeLessThan(1e-4);
    expect(new Set(network.parameters.map(({ name }) => name))).toEqual(
      new Set(Object.keys(weights)),
    );
    network.dispose();
  });

  it("refuses weights of other widths, and names what is missing", () => {
    expect(() => createTransformer({ ...options, width: 12, weights })).toThrow(
      /t\.embed\.weight is \[8, 5\], expected \[12, 5\]/,
    );
    const { "t.places": _, ...less } = weights;
    expect(() => createTransformer({ ...options, weights: less })).toThrow(/t\.places .* missing/);
    expect(() => createTransformer({ ...options, blocks: [0] })).toThrow(/width 0/);
  });
});
