import * as tf from "@tensorflow/tfjs-core";
import { compileWith } from "./compile.ts";
import { nativeBackend } from "./native-backend.ts";

/** What compiling costs here, and what it brings: an optimiser step of three layers of 128, batch 100. */
export interface CompileFacts {
  /** From the first call to the end of the first that is compiled: two traces, writing, loading, running. */
  readonly firstMilliseconds: number;
  /** Medians of a step. */
  readonly eagerMilliseconds: number;
  readonly compiledMilliseconds: number;
}

const widths = [12, 128, 128, 128, 4] as const;
const calls = 30;

/** Undefined where programs run operation by operation. Takes about a quarter of a second. */
export function probeCompile(): CompileFacts | undefined {
  if (nativeBackend() === undefined) return undefined;
  const compiled = stepsOf("on", 3 + calls);
  const eager = stepsOf("off", 3 + calls);
  return {
    firstMilliseconds: compiled.ends[2]! - compiled.begins,
    eagerMilliseconds: medianStep(eager.ends),
    compiledMilliseconds: medianStep(compiled.ends),
  };
}

function stepsOf(mode: "on" | "off", count: number) {
  const weights = widths.slice(1).map((outputs, i) => {
    const inputs = widths[i]!;
    return tf.tidy(() => tf.variable(tf.randomUniform([inputs, outputs], -0.1, 0.1, "float32", i)));
  });
  const moments = weights.map(({ shape }) => tf.tidy(() => tf.variable(tf.zeros(shape), false)));
  const program = compileWith(mode)({
    state: [...weights, ...moments],
    entries: { step: ([x, y, rate]) => [descend(weights, moments, { x: x!, y: y!, rate: rate! })] },
  });
  const [x, y, rate] = [tf.ones([100, widths[0]]), tf.ones([100, widths[4]]), tf.scalar(1e-3)];
  const begins = performance.now();
  const ends = Array.from({ length: count }, () => {
    const [loss] = program.run("step", [x, y, rate]);
    loss!.dataSync();
    loss!.dispose();
    return performance.now();
  });
  program.dispose();
  tf.dispose([x, y, rate, ...weights, ...moments]);
  return { begins, ends };
}

interface Descended {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
  readonly rate: tf.Tensor;
}

function descend(
  weights: readonly tf.Variable[],
  moments: readonly tf.Variable[],
  { x, y, rate }: Descended,
): tf.Scalar {
  const { value, grads } = tf.variableGrads(() => {
    const outputs = weights.reduce<tf.Tensor>(
      (features, weight) => tf.matMul(tf.elu(features), weight as tf.Tensor),
      x,
    );
    return tf.mean(tf.square(tf.sub(outputs, y))) as tf.Scalar;
  }, [...weights]);
  for (const [i, weight] of weights.entries()) {
    const moment = moments[i]!;
    const gradient = grads[weight.name]!;
    moment.assign(tf.add(tf.mul(moment, 0.999), tf.mul(tf.square(gradient), 0.001)));
    const change = tf.div(tf.mul(gradient, rate), tf.add(tf.sqrt(moment), 1e-8));
    weight.assign(tf.sub(weight, change));
  }
  return value;
}

function medianStep(ends: readonly number[]): number {
  const steps = ends.slice(3).map((end, i) => end - ends[i + 2]!);
  return steps.sort((a, b) => a - b)[steps.length >> 1]!;
}
