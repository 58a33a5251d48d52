import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import type { Entry } from "../../../src/engine/compile/program.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { numbersOf, runAndTake } from "./programs.ts";

await startEngine("cpu");

const outside = tf.tensor1d([1, 2]);
tf.square(outside).dispose();
const waiting = tf.tensor1d([3, 4]);
const other = tf.variable(tf.scalar(1));

/** What `act` says when it is called a few times with `[1, 2]`, over the state `v`. */
function refusalOf(act: Entry, calls = 3) {
  const v = tf.variable(tf.tensor1d([5, 6]));
  const program = compileWith("on")({ state: [v], entries: { act } });
  const x = tf.tensor1d([1, 2]);
  const before = tf.memory().numTensors;
  const state = numbersOf([v]);
  let refusal: unknown;
  try {
    for (let i = 0; i < calls; i += 1) tf.dispose(program.run("act", [x]));
  } catch (error) {
    refusal = error;
  }
  expect(tf.memory().numTensors, "tensors left").toBe(before);
  expect(numbersOf([v]), "the state").toEqual(state);
  program.dispose();
  tf.dispose([x, v]);
  return refusal;
}

describe("what can't be compiled is refused, with the operation and why:", () => {
  const cases: Record<string, [entry: Entry, told: RegExp]> = {
    "a branch on what was computed": [
      ([x]) => [tf.sum(x!).dataSync()[0]! > 2 ? tf.square(x!) : tf.neg(x!)],
      /'act' can't be compiled: it reads the numbers of what Sum gives/,
    ],
    "a branch on an input": [
      ([x]) => [x!.arraySync() ? tf.square(x!) : x!],
      /it reads the numbers of input 0/,
    ],
    "numbers that are read later": [
      ([x]) => {
        void tf
          .square(x!)
          .data()
          .catch(() => {});
        return [x!];
      },
      /it reads the numbers of what Square gives/,
    ],
    "a refusal that was swallowed": [
      ([x]) => {
        try {
          x!.dataSync();
        } catch {}
        return [tf.square(x!)];
      },
      /it reads the numbers of input 0/,
    ],
    "a tensor from outside": [
      ([x]) => [tf.add(x!, outside)],
      /AddV?2? reads as input 1 a tensor from outside/,
    ],
    "a tensor from outside that TensorFlow has not seen yet": [
      ([x]) => [tf.mul(waiting, x!)],
      /Mul reads as input 0 a tensor from outside/,
    ],
    "a tensor from outside, given back": [() => [outside], /output 0 is a tensor from outside/],
    "a variable of others": [([x]) => [tf.mul(x!, other)], /Mul reads as input 1 a tensor from/],
    "an assignment to a variable of others": [
      ([x]) => {
        other.assign(tf.sum(x!) as tf.Scalar);
        return [];
      },
      /it assigns '.*', no variable of its state/,
    ],
    "tf.randomNormal": [
      ([x]) => [tf.add(x!, tf.randomNormal([2]))],
      /tf.randomNormal draws random/,
    ],
    "tf.randomUniform": [([x]) => [tf.add(x!, tf.randomUniform([2]))], /tf.randomUniform draws/],
    "tf.dropout": [
      ([x]) => [tf.dropout(x!, 0.5)],
      /tf.dropout draws random|tf.randomUniform draws/,
    ],
    "Math.random": [([x]) => [tf.mul(x!, Math.random())], /it draws random numbers in JavaScript/],
    "tf.multinomial": [
      ([x]) => [tf.multinomial(x as tf.Tensor1D, 3, 1)],
      /Multinomial draws random numbers/,
    ],
    "tensors that are kept": [
      ([x]) => {
        tf.keep(tf.square(x!)).id.toString();
        return [x!];
      },
      /it keeps 1 tensors beyond the call/,
    ],
  };

  it.each(Object.entries(cases))("%s", (name, [entry, told]) => {
    const kept = new Set<tf.Tensor>();
    const refusal = name === "tensors that are kept" ? keptRefusal(kept) : refusalOf(entry);
    expect(refusal).toMatchObject({ code: "not-traceable", message: expect.stringMatching(told) });
    expect((refusal as { hint: string }).hint).toMatch(/\w/);
    tf.dispose([...kept]);
  });

  /** They are the function's own to dispose. */
  function keptRefusal(kept: Set<tf.Tensor>): unknown {
    const program = compileWith("on")({
      state: [],
      entries: {
        act: () => {
          kept.add(tf.keep(tf.scalar(1)));
          return [];
        },
      },
    });
    try {
      program.run("act", []);
    } catch (error) {
      return error;
    }
    return undefined;
  }
});

describe("numbers that would freeze are refused at the second call:", () => {
  it("a step counter", () => {
    let step = 0;
    const v = tf.variable(tf.scalar(0));
    const entry: Entry = ([x]) => {
      step += 1;
      return [tf.div(x!, 1 - 0.9 ** step)];
    };
    expect(refusalOf(entry)).toMatchObject({
      code: "frozen-number",
      message: expect.stringMatching(
        /RealDiv|Div reads the number 0\.1\d* made in JavaScript, before 0\.1/,
      ),
    });
    v.dispose();
  });

  it("an array that was filled anew", () => {
    let call = 0;
    const entry: Entry = ([x]) => [tf.add(x!, tf.tensor1d([call++, 7]))];
    expect(refusalOf(entry)).toMatchObject({
      message: expect.stringMatching(/Add reads the number 1 made in JavaScript, before 0/),
    });
  });

  it("other operations", () => {
    let call = 0;
    const entry: Entry = ([x]) => [call++ % 2 ? tf.square(x!) : tf.exp(x!)];
    expect(refusalOf(entry)).toMatchObject({
      message: expect.stringMatching(/operation 0, Square, was Exp before/),
    });
  });

  it("one that changes at any call, with verify", () => {
    let rate = 1;
    const program = compileWith("verify")({
      state: [],
      entries: { act: ([x]) => [tf.mul(x!, rate)] },
    });
    const x = tf.scalar(2);
    for (let i = 0; i < 5; i += 1) expect(runAndTake(program, "act", [x])).toEqual([[2]]);
    rate = 0.5;
    expect(() => program.run("act", [x])).toThrow(/Mul.* reads the number 0.5 .* before 1/);
    x.dispose();
  });
});

describe("a program in the wrong place", () => {
  const square = () =>
    compileWith("on")({ state: [], entries: { square: ([x]) => [tf.square(x!)] } });

  it("is refused inside another's entry, inside a gradient, and after its end", () => {
    const program = square();
    expect(refusalOf(([x]) => program.run("square", [x!]))).toMatchObject({
      code: "program-misused",
      message: "'square' is called inside another compiled function",
    });
    const gradient = tf.grad((x) => program.run("square", [x])[0]!);
    const x = tf.scalar(3);
    expect(() => gradient(x)).toThrow(/inside a gradient/);
    program.dispose();
    program.dispose();
    expect(() => program.run("square", [x])).toThrow(/after its program was disposed/);
    x.dispose();
  });

  it("says which node TensorFlow could not compute", () => {
    const program = compileWith("on")({
      state: [],
      entries: { pick: ([x, i]) => [tf.gather(x!, i! as tf.Tensor1D)] },
    });
    const x = tf.tensor1d([1, 2]);
    const pick = (index: number) =>
      tf.tidy(() => runAndTake(program, "pick", [x, tf.tensor1d([index], "int32")]));
    for (let i = 0; i < 3; i += 1) expect(pick(1)).toEqual([[2]]);
    expect(() => pick(7)).toThrow(/a compiled call failed: .*indices\[0\] = 7 is not in \[0, 2\)/);
    expect(pick(0)).toEqual([[1]]);
    program.dispose();
    x.dispose();
  });
});
