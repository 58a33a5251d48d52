import * as tf from "@tensorflow/tfjs-core";
import { relu } from "../../policies/networks/relu.ts";

/** What the networks here are made of, each as a function of one tensor. */
export const OPERATIONS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  elu: (x) => tf.elu(x),
  relu: (x) => relu(x),
  // The slope of a slope.
  "relu's way back": (x) => tf.grad((y) => tf.sum(tf.square(relu(y))))(x),
  selu: (x) => tf.selu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
  softplus: (x) => tf.softplus(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.1),
  "x sigmoid(x)": (x) => tf.mul(x, tf.sigmoid(x)),
  exp: (x) => tf.exp(x),
  square: (x) => tf.square(x),
  abs: (x) => tf.abs(x),
  sqrt: (x) => tf.sqrt(tf.add(tf.square(x), 1)),
  log: (x) => tf.log(tf.add(tf.square(x), 1)),
  divide: (x) => tf.div(x, tf.add(tf.square(x), 2)),
  clip: (x) => tf.clipByValue(x, -0.7, 0.7),
  maximum: (x) => tf.maximum(x, 0.3),
  // A comparison has no gradient in tfjs: the condition must not depend on the variable.
  where: (x) => tf.where(tf.less(tf.tensor1d(POINT), 0.5), tf.square(x), tf.mul(x, 3)),
  matMul: (x) => tf.matMul(tf.reshape(x, [2, 3]), tf.reshape(x, [3, 2])),
  "transposed matMul": (x) => tf.matMul(tf.reshape(x, [2, 3]), tf.reshape(x, [2, 3]), true),
  "broadcast add": (x) => tf.square(tf.add(tf.reshape(x, [2, 3]), tf.slice(x, [1], [3]))),
  slice: (x) => tf.square(tf.slice(x, [2], [3])),
  concat: (x) => tf.square(tf.concat([x, tf.mul(x, 2)])),
  split: (x) => tf.mul(tf.split(x, 2)[0]!, tf.split(x, 2)[1]!),
  stack: (x) => tf.square(tf.stack([x, tf.square(x)])),
  transpose: (x) => tf.matMul(tf.transpose(tf.reshape(x, [2, 3])), tf.reshape(x, [2, 3])),
  mean: (x) => tf.square(tf.mean(tf.reshape(x, [2, 3]), 0)),
  sum: (x) => tf.square(tf.sum(tf.reshape(x, [2, 3]), 1)),
};

const POINT = [-1.3, -0.6, -0.2, 0.4, 0.9, 1.7];

/**
 * Operations whose gradient on this backend is not the slope measured by differences, or that it does
 * not know; empty when all is well.
 */
export async function wrongGradients(): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    try {
      const gradient = await gradientOf(operation);
      const slope = await slopeOf(operation);
      const off = Math.max(...gradient.map((value, i) => Math.abs(value - slope[i]!)));
      if (!(off < 0.02)) wrong.push(`${name}: off by ${off}`);
    } catch (error) {
      wrong.push(`${name}: ${(error as Error).message}`);
    }
  }
  return wrong;
}

async function gradientOf(operation: (x: tf.Tensor) => tf.Tensor): Promise<readonly number[]> {
  const result = tf.tidy(() => tf.grad((x) => tf.sum(operation(x)))(tf.tensor1d(POINT)));
  const values = Array.from(await result.data());
  result.dispose();
  return values;
}

async function slopeOf(operation: (x: tf.Tensor) => tf.Tensor): Promise<readonly number[]> {
  const step = 1e-2;
  const slopes: number[] = [];
  for (let i = 0; i < POINT.length; i++) {
    const [above, below] = [await sumAt(operation, i, step), await sumAt(operation, i, -step)];
    slopes.push((above - below) / (2 * step));
  }
  return slopes;
}

async function sumAt(operation: (x: tf.Tensor) => tf.Tensor, i: number, by: number) {
  const point = POINT.map((value, j) => (i === j ? value + by : value));
  const result = tf.tidy(() => tf.sum(operation(tf.tensor1d(point))));
  const [value] = await result.data();
  result.dispose();
  return value!;
}

/** Losses at the start and the end of a small regression with Adam, and tensors left by each step. */
export async function regression(steps: number) {
  const x = tf.randomUniform([64, 4], -1, 1, "float32", 7);
  const y = tf.tidy(() => tf.matMul(x, tf.tensor2d([1, 2, 3, 4], [4, 1])));
  const first = tf.variable(tf.randomUniform([4, 8], -0.5, 0.5, "float32", 1));
  const last = tf.variable(tf.randomUniform([8, 1], -0.5, 0.5, "float32", 3));
  const adam = tf.train.adam(0.02);
  const forward = () => tf.matMul(tf.elu(tf.matMul(x, first)), last);
  const loss = () => tf.mean(tf.square(tf.sub(forward(), y))) as tf.Scalar;
  const losses: number[] = [];
  let tensors = 0;
  for (let step = 0; step < steps; step++) {
    const value = tf.tidy(() => adam.minimize(loss, true) as tf.Scalar);
    losses.push((await value.data())[0]!);
    value.dispose();
    if (step === 0) tensors = tf.memory().numTensors;
  }
  const left = tf.memory().numTensors - tensors;
  return { first: losses[0]!, last: losses.at(-1)!, left };
}
