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
          Object.keys(entries).map((name) => runAndTake(program, name, [x, w, b])),
        );
        program.dispose();
        return seen[2];
      });
      expect(on).toEqual(off);
      tf.dispose([x, w, b]);
    }
  },
);
