import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { relu } from "../../../policies/networks/relu.ts";
import { type CompileMode, compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import fc from "../../properties.ts";

beforeAll(() => startEngine("auto"));

const [rows, columns] = [17, 5];

type Step = (pick: (i: number) => tf.Tensor) => tf.Tensor;

/** All keep `[rows, columns]`, `[columns]` or `[]`; arguments are drawn among what there is so far. */
const steps: Readonly<Record<string, Step>> = {
  add: (p) => tf.add(p(0), p(1)),
  sub: (p) => tf.sub(p(0), p(1)),
  mul: (p) => tf.mul(p(0), p(1)),
  div: (p) => tf.div(p(0), tf.add(tf.square(p(1)), 0.3)),
  square: (p) => tf.square(p(0)),
  root: (p) => tf.div(p(0), tf.sqrt(tf.add(tf.abs(p(1)), 0.1))),
  exp: (p) => tf.exp(tf.neg(tf.abs(p(0)))),
  lessOne: (p) => tf.sub(tf.exp(tf.neg(tf.abs(p(0)))), 1),
  log: (p) => tf.log(tf.add(tf.abs(p(0)), 1)),
  tanh: (p) => tf.tanh(p(0)),
  sigmoid: (p) => tf.mul(p(0), tf.sigmoid(p(1))),
  elu: (p) => tf.elu(p(0)),
  relu: (p) => relu(p(0)),
  scaled: (p) => tf.mul(p(0), 0.37),
  shifted: (p) => tf.add(p(0), 0.37),
  part: (p) => tf.div(p(0), 3),
  mean: (p) => tf.mean(p(0)),
  column: (p) => (p(0).rank === 2 ? tf.mean(p(0), 0) : p(0)),
  sums: (p) => tf.addN([tf.mul(p(0), 1.5), tf.neg(p(0)), tf.tanh(p(0))]),
  power: (p) => tf.pow(tf.add(tf.abs(p(0)), 0.1), 1.5),
  soft: (p) => (p(0).rank === 2 ? tf.logSoftmax(p(0), -1) : p(0)),
};

const drawn = fc.array(
  fc.record({
    name: fc.constantFrom(...Object.keys(steps)),
    at: fc.array(fc.nat(1000), { minLength: 2, maxLength: 2 }),
  }),
  { minLength: 2, maxLength: 20 },
);

type Plan = readonly { readonly name: string; readonly at: readonly number[] }[];

/** What the last four values are, and the gradients of their squares. */
function bitsOf(plan: Plan, mode: CompileMode) {
  return tf.tidy(() => {
    const given = tf.randomNormal([rows, columns], 0, 1, "float32", 4);
    const state = [
      tf.variable(tf.linspace(-0.9, 1.3, columns)),
      tf.variable(tf.scalar(0.7)),
      tf.variable(tf.mul(given, 0.6)),
    ];
    const last = (x: tf.Tensor) => {
      const all: tf.Tensor[] = [x, ...state];
      for (const { name, at } of plan) all.push(steps[name]!((i) => all[at[i]! % all.length]!));
      return all.slice(-4);
    };
    const cost = (x: tf.Tensor) =>
      [...last(x), ...state]
        .map((one) => tf.mean<tf.Scalar>(tf.square(one)))
        .reduce((sum, one) => tf.add(sum, one));
    const program = compileWith(mode)({
      state,
      entries: {
        see: ([x]) => last(x!).map((one) => tf.neg(one)),
        learn: ([x]) => {
          const { grads } = tf.variableGrads(() => cost(x!), state);
          return state.map(({ name }) => grads[name]!);
        },
      },
    });
    const found = ["see", "learn"].map((entry) => {
      // The third call is the first that is run as it was compiled.
      for (let i = 0; i < 2; i += 1) program.run(entry, [given]);
      return program.run(entry, [given]).map((one) => Array.from(one.dataSync()));
    });
    program.dispose();
    for (const one of state) one.dispose();
    return found;
  });
}

it("any operations come to the same bits in a graph, and so do their gradients", () => {
  fc.assert(
    fc.property(drawn, (plan) => {
      expect(bitsOf(plan, "on")).toEqual(bitsOf(plan, "off"));
    }),
    { numRuns: 30 },
  );
});
