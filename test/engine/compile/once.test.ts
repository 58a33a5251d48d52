import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { nativeBackend } from "../../../src/engine/compile/native-backend.ts";
import { once } from "../../../src/engine/compile/once.ts";
import type { Recording } from "../../../src/engine/compile/recording.ts";
import { trace } from "../../../src/engine/compile/trace.ts";
import { startEngine } from "../../../src/engine/start.ts";

await startEngine("cpu");

/** What is left of a function of `[2, 6]`. */
function left(compute: (x: tf.Tensor) => tf.Tensor[], state: readonly tf.Variable[] = []) {
  const x = tf.ones([2, 6]);
  let recording: Recording | undefined;
  const accept = (one: Recording) => {
    recording = once(one);
  };
  const run = ([own]: readonly tf.Tensor[]) => compute(own!);
  tf.dispose(trace(nativeBackend()!, { name: "f", state, inputs: [x], run, accept }));
  tf.dispose([x, ...state]);
  return recording!;
}

const namesOf = ({ operations }: Recording) => operations.map(({ name }) => name);

it("computes once what was computed twice of the same", () => {
  const twice = left((x) => [tf.tanh(tf.mul(x, 0.3)), tf.exp(tf.tanh(tf.mul(x, 0.3)))]);
  expect(namesOf(twice)).toEqual(["Mul", "Tanh", "Exp"]);
  expect(twice.constants.length).toBe(1);
  expect(twice.outputs.map(({ source }) => source)).toEqual(["n1", "n2"]);
  expect(twice.operations.map(({ inputs }) => inputs)).toEqual([["in0", "c0"], ["n0"], ["n1"]]);
});

it("keeps apart what differs: numbers, signs of zero, attributes, order and parts", () => {
  const numbers = left((x) => [tf.mul(x, 0.3), tf.mul(x, 0.4)]);
  expect(namesOf(numbers)).toEqual(["Mul", "Mul"]);
  expect(left((x) => [tf.mul(x, 0), tf.mul(x, -0)]).constants.length).toBe(2);
  const turned = left((x) => [tf.matMul(x, x, false, true), tf.matMul(x, x, true)]);
  expect(namesOf(turned)).toEqual(["BatchMatMulV2", "BatchMatMulV2"]);
  expect(namesOf(left((x) => [tf.sub(x, tf.exp(x)), tf.sub(tf.exp(x), x)]))).toHaveLength(3);
  const parts = left((x) => [tf.split(x, 3, 1)[1]!, tf.exp(tf.split(x, 3, 1)[2]!)]);
  expect(namesOf(parts)).toEqual(["SplitV", "Exp"]);
  expect(parts.outputs[0]!.source).toBe("n0:1");
  expect(parts.operations[1]!.inputs).toEqual(["n0:2"]);
});

it("tells a variable's value before the call from the one after", () => {
  const v = tf.variable(tf.ones([2, 6]));
  const stepped = left(() => {
    const before = tf.square(v);
    v.assign(tf.add(v, 1));
    return [before, tf.square(v)];
  }, [v]);
  expect(namesOf(stepped)).toEqual(["Square", "Add", "Square"]);
  expect([...stepped.assigned]).toEqual([[0, "n1"]]);
});
