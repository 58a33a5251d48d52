import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../../src/engine/start.ts";
import { OPERATIONS } from "../learns.ts";
import {
  type CompilerName,
  compilerNames,
  compilers,
  numbersOf,
  regression,
  runAndTake,
  take,
} from "./programs.ts";

beforeAll(() => startEngine("auto"));

/** Weights, moments and losses after steps of two shapes in turn. */
function learned(name: CompilerName) {
  const it = regression(compilers[name]());
  const batches = [it.batch(20), it.batch(7)];
  const losses = Array.from({ length: 24 }, (_, i) => it.step(batches[i % 2]!));
  const state = numbersOf(it.optimiser.state);
  for (const { x, y } of batches) tf.dispose([x, y]);
  it.dispose();
  return { losses, state };
}

describe.each(compilerNames)("a program, %s", (name) => {
  const compile = compilers[name];

  it("learns what the same operations learn one by one, to the bit", () => {
    const before = tf.memory().numTensors;
    expect(learned(name)).toEqual(learned("eager"));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("sees what others assign, and shows others what it assigned", () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const program = compile()({
      state: [v],
      entries: {
        add: ([x]) => {
          v.assign(tf.add(v, x!));
          return [];
        },
        twice: () => [tf.mul(v, 2)],
      },
    });
    const one = tf.tensor1d([1, 1]);
    for (let i = 1; i <= 5; i += 1) {
      expect(program.run("add", [one])).toEqual([]);
      if (i % 2 === 0) expect([...v.dataSync()]).toEqual([1 + i, 2 + i]);
    }
    for (let i = 0; i < 4; i += 1) {
      tf.tidy(() => v.assign(tf.tensor1d([10 * i, 7])));
      expect(runAndTake(program, "twice", [])).toEqual([[20 * i, 14]]);
      program.run("add", [one]);
      expect(take(tf.square(v))).toEqual([(10 * i + 1) ** 2, 64]);
      expect(runAndTake(program, "twice", [])).toEqual([[20 * i + 2, 16]]);
    }
    program.dispose();
    expect([...v.dataSync()]).toEqual([31, 8]);
    tf.dispose([v, one]);
  });

  it("leaves alone what others hold of an old value", () => {
    const v = tf.variable(tf.scalar(1));
    const program = compile()({
      state: [v],
      entries: {
        double: () => {
          v.assign(tf.mul(v, 2));
          return [];
        },
      },
    });
    const held: tf.Tensor[] = [];
    for (let i = 0; i < 7; i += 1) {
      held.push(v.clone());
      program.run("double", []);
    }
    expect(held.map((tensor) => tensor.dataSync()[0])).toEqual([1, 2, 4, 8, 16, 32, 64]);
    program.dispose();
    tf.dispose([...held, v]);
  });

  it("shares its variables with another program", () => {
    const v: tf.Variable = tf.variable(tf.scalar(0));
    const add = (amount: number) => () => {
      const sum = tf.add(v, amount);
      v.assign(sum as tf.Scalar);
      return [sum];
    };
    const programs = [1, 10].map((n) => compile()({ state: [v], entries: { add: add(n) } }));
    const seen = Array.from(
      { length: 12 },
      (_, i) => runAndTake(programs[i % 2]!, "add", [])[0]![0],
    );
    expect(seen).toEqual([1, 11, 12, 22, 23, 33, 34, 44, 45, 55, 56, 66]);
    for (const program of programs) program.dispose();
    expect(take(v)).toEqual([66]);
  });

  it("takes one tensor for two inputs, today and not tomorrow", () => {
    const program = compile()({ state: [], entries: { sub: ([a, b]) => [tf.sub(a!, b!)] } });
    const [a, b] = [tf.scalar(5), tf.scalar(3)];
    for (let i = 0; i < 3; i += 1) expect(runAndTake(program, "sub", [a, a])).toEqual([[0]]);
    expect(runAndTake(program, "sub", [a, b])).toEqual([[2]]);
    program.dispose();
    tf.dispose([a, b]);
  });

  it("tells two variables apart that start with one value", () => {
    const a = tf.variable(tf.scalar(1));
    const b = tf.variable(tf.scalar(0));
    b.assign(a);
    const program = compile()({
      state: [a, b],
      entries: {
        move: () => {
          b.assign(tf.add(tf.mul(a, 0.5), tf.mul(b, 0.5)));
          a.assign(tf.add(a, 1));
          return [tf.clone(a), tf.clone(b)];
        },
      },
    });
    const seen = Array.from({ length: 4 }, () => runAndTake(program, "move", []).flat());
    expect(seen).toEqual([
      [2, 1],
      [3, 1.5],
      [4, 2.25],
      [5, 3.125],
    ]);
    program.dispose();
    tf.dispose([a, b]);
  });

  it("gives back inputs, state and constants as fresh tensors", () => {
    const v = tf.variable(tf.scalar(4));
    const program = compile()({ state: [v], entries: { all: ([x]) => [x!, v, tf.scalar(9), x!] } });
    const x = tf.scalar(1);
    for (let i = 0; i < 4; i += 1)
      expect(runAndTake(program, "all", [x])).toEqual([[1], [4], [9], [1]]);
    expect([x.dataSync()[0], v.dataSync()[0]]).toEqual([1, 4]);
    program.dispose();
    tf.dispose([v, x]);
  });

  it("keeps forms apart by shapes, kinds of numbers and statics", () => {
    const program = compile()({
      state: [],
      entries: { scaled: ([x], [factor]) => [tf.mul(tf.sum(x!), factor as number)] },
    });
    const inputs = [tf.ones([2]), tf.ones([3]), tf.ones([3], "int32"), tf.ones([3, 1])];
    for (let i = 0; i < 4; i += 1) {
      const sums = inputs.map((x) => runAndTake(program, "scaled", [x], [2])[0]![0]);
      expect(sums).toEqual([4, 6, 6, 6]);
      expect(runAndTake(program, "scaled", [inputs[0]!], [5])).toEqual([[10]]);
    }
    program.dispose();
    tf.dispose(inputs);
  });

  it("takes whole numbers and truths, and gathers rows by an input", () => {
    const program = compile()({
      state: [],
      entries: {
        pick: ([table, rows, wanted]) => {
          const picked = tf.gather(table!, rows! as tf.Tensor1D);
          return [tf.where(wanted!, picked, tf.zerosLike(picked)), tf.greater(picked, 2)];
        },
      },
    });
    const table = tf.tensor1d([1, 2, 3, 4]);
    for (const rows of [
      [0, 3],
      [2, 1],
      [3, 0],
      [1, 1],
    ]) {
      const picked = rows.map((row) => row + 1);
      const inputs = [table, tf.tensor1d(rows, "int32"), tf.tensor1d([true, false], "bool")];
      const want = [[picked[0], 0], picked.map((value) => (value > 2 ? 1 : 0))];
      expect(runAndTake(program, "pick", inputs)).toEqual(want);
      tf.dispose(inputs.slice(1));
    }
    program.dispose();
    table.dispose();
  });

  it("names the entries it has", () => {
    const program = compile()({ state: [], entries: { act: () => [] } });
    expect(() => program.run("akt", [])).toThrow(/no entry 'akt'; it has act/);
    program.dispose();
  });
});

describe.each(["fed", "held"] as const)("operations and their gradients, %s", (name) => {
  it.each(Object.entries(OPERATIONS))("%s", (_, operation) => {
    const entries = {
      both: ([x]: readonly tf.Tensor[]) => {
        const { value, grads } = tf.valueAndGrads((y: tf.Tensor) => tf.sum(operation(y)))([x!]);
        return [value, grads[0]!];
      },
    };
    const inputs = [0.3, -0.4, 1.1].map((shift) =>
      tf.tensor1d([-1.3, -0.6, -0.2, 0.4, 0.9, 1.7].map((value) => value + shift)),
    );
    const results = ["eager" as const, name].map((mode) => {
      const program = compilers[mode]()({ state: [], entries });
      const seen = inputs.map((x) => runAndTake(program, "both", [x]));
      program.dispose();
      return seen;
    });
    expect(results[1]).toEqual(results[0]);
    tf.dispose(inputs);
  });
});
