import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { runAndTake } from "./programs.ts";

await startEngine("cpu");

const entries = {
  layer: ([x, w, b]: readonly tf.Tensor[]) => {
    const product = tf.matMul(x!, w!, false, true);
    return [tf.add(product, b!), tf.matMul(tf.matMul(x!, w!, false, true), w!)];
  },
  twice: ([x, w, b]: readonly tf.Tensor[]) => {
    const product = tf.matMul(x!, w!, false, true);
    return [tf.add(product, b!), tf.square(product)];
  },
  back: ([x, w, b]: readonly tf.Tensor[]) => {
    const loss = (weight: tf.Tensor, bias: tf.Tensor) =>
      tf.sum(tf.square(tf.add(tf.matMul(x!, weight, false, true), bias)));
    return tf.grads(loss)([w!, b!]);
  },
  column: ([x, w]: readonly tf.Tensor[]) => [
    tf.add(tf.matMul(x!, w!, false, true), tf.ones([x!.shape[0]!, 1])),
  ],
};

/** A digest: to compare hundreds of thousands of numbers one by one would take ten times as long. */
function bits(tensor: tf.Tensor): string {
  const digest = createHash("sha1").update(tensor.dataSync()).digest("hex");
  tensor.dispose();
  return digest;
}

type Tensors = readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/** TensorFlow has rewrites for each of them, or tfjs a way of its own to call it. */
const rewritable: Readonly<Record<string, (given: Tensors) => tf.Tensor>> = {
  "a quotient by a root": ([a, b]) => tf.div(a, tf.sqrt(b)),
  "a quotient by a number": ([a]) => tf.div(a, 3),
  "a product with two numbers": ([a]) => tf.mul(tf.mul(a, 0.3), 0.7),
  "a product and a quotient with numbers": ([a]) => tf.div(tf.mul(a, 0.3), 0.7),
  "sums with two numbers": ([a]) => tf.sub(tf.add(a, 0.3), 0.7),
  "products with a common factor": ([a, b, c]) => tf.add(tf.mul(a, b), tf.mul(a, c)),
  "products with a common number": ([a, b]) => tf.add(tf.mul(a, 0.3), tf.mul(b, 0.3)),
  "a sum of twins": ([a, b]) => tf.sub(tf.add(tf.mul(a, b), tf.mul(a, b)), tf.mul(a, b)),
  "parts of twins": ([a]) => tf.add(tf.split(a, 3, 1)[1]!, tf.split(a, 3, 1)[2]!),
  "numbers that differ by a sign": ([a]) => tf.div(1, tf.add(tf.mul(a, 0), tf.mul(-0, a))),
  "quotients by the same": ([a, b, c]) => tf.sub(tf.div(b, a), tf.div(c, a)),
  "a sum of sums": ([a, b, c, d]) => tf.add(a, tf.add(b, tf.add(c, d))),
  "a sum of many": ([a, b, c, d]) => tf.addN([a, tf.addN([b, c]), d]),
  "a sum of two at once": ([a, b]) => tf.addN([a, tf.square(b)]),
  "sums of rows and columns": ([a, b]) => tf.add(tf.add(a, tf.mean(b, 0)), tf.mean(a, 1, true)),
  "a power": ([a]) => tf.pow(a, tf.scalar(3)),
  "a root as a power": ([a]) => tf.pow(a, tf.scalar(0.5)),
  "a logarithm of 1 + x": ([a]) => tf.log(tf.add(a, 1)),
  "an exponential less 1": ([a]) => tf.sub(tf.exp(a), 1),
  "one over a root": ([a]) => tf.reciprocal(tf.sqrt(a)),
  swish: ([a]) => tf.mul(a, tf.sigmoid(a)),
  "a sum with a factor": ([a]) => tf.mean(tf.mul(a, 0.3)),
  "a logarithm of a sum of exponentials": ([a]) => tf.logSumExp(a, 1),
  "another dimension": ([a, b]) => tf.mul(tf.expandDims(a, 1), tf.expandDims(b, 0)),
};

it.each(Object.entries(rewritable))("%s keeps its bits", (_, compute) => {
  const given = [1, 2, 3, 4].map((seed) =>
    tf.abs(tf.randomNormal([64, 33], 0, 1, "float32", seed)),
  ) as unknown as Tensors;
  const entries = { f: (inputs: readonly tf.Tensor[]) => [compute(inputs as Tensors)] };
  const [eager, ...compiled] = (["off", "fed", "held"] as const).map((how) => {
    const compile = how === "off" ? compileWith(how) : compileWith("on", { residence: how });
    const program = compile({ state: [], entries });
    const seen = Array.from({ length: 3 }, () => runAndTake(program, "f", given));
    program.dispose();
    return seen[2];
  });
  for (const one of compiled) expect(one).toEqual(eager);
  tf.dispose([...given]);
});

it.each([1, 2, 7, 15, 16, 17, 33, 100, 480, 1000])(
  "a layer of %i rows gives the same bits, whatever its widths",
  (rows) => {
    for (const [inputs, outputs] of [
      [1, 1],
      [5, 1],
      [256, 1],
      [3, 2],
      [4, 3],
      [12, 128],
      [31, 4],
      [128, 64],
      [384, 20],
      [385, 128],
      [600, 384],
    ] as const) {
      const x = tf.randomNormal([rows, inputs], 0, 1, "float32", rows);
      const w = tf.randomNormal([outputs, inputs], 0, 1, "float32", 2);
      const b = tf.randomNormal([outputs], 0, 1, "float32", 3);
      const [off, on] = (["off", "on"] as const).map((mode) => {
        const program = compileWith(mode)({ state: [], entries });
        const seen = Array.from({ length: 3 }, () =>
          Object.keys(entries).flatMap((name) => program.run(name, [x, w, b]).map(bits)),
        );
        program.dispose();
        return seen[2];
      });
      expect(on).toEqual(off);
      tf.dispose([x, w, b]);
    }
  },
);
