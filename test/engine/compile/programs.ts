import * as tf from "@tensorflow/tfjs-core";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { Random } from "../../../policies/random.ts";
import { compileWith } from "../../../src/engine/compile/compile.ts";
import type { Compile, Program } from "../../../src/engine/compile/program.ts";
import { Optimiser } from "../../../src/learning/optimiser.ts";

/** Everything that keeps the contract of programs. */
export const compilers = {
  eager: () => compileWith("off"),
  fed: () => compileWith("on", { residence: "fed" }),
  held: () => compileWith("on", { residence: "held" }),
  verify: () => compileWith("verify"),
} as const satisfies Record<string, () => Compile>;

export type CompilerName = keyof typeof compilers;
export const compilerNames = Object.keys(compilers) as CompilerName[];

/** A student of 12 → 24 → 24 → 4 that is regressed with Adam and clipping, always the same. */
export function regression(compile: Compile) {
  const random = new Random(7);
  const mlp = { inputWidth: 12, outputWidth: 4, hidden: [24, 24], activation: "elu" };
  const network = createMlp({ ...mlp, random: random.uniform });
  const optimiser = new Optimiser("adam", network.parameters, 1e-2);
  const loss = (x: tf.Tensor, y: tf.Tensor) =>
    tf.mean(tf.square(tf.sub(network.forward(x as tf.Tensor2D, []).outputs, y))) as tf.Scalar;
  const program = compile({
    state: optimiser.state,
    entries: {
      step: ([x, y, ...scalars]) => {
        const terms = () => ({ loss: loss(x!, y!), besides: [] });
        return [optimiser.descend(terms, { maxGradNorm: 1, scalars }).loss];
      },
      act: ([x]) => [network.forward(x as tf.Tensor2D, []).outputs],
    },
  });
  const batch = (rows: number) => ({
    x: tf.tensor2d(Float32Array.from({ length: rows * 12 }, random.normal), [rows, 12]),
    y: tf.tensor2d(Float32Array.from({ length: rows * 4 }, random.normal), [rows, 4]),
  });
  const step = ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => {
    const scalars = optimiser.nextStep();
    const [loss] = program.run("step", [x, y, ...scalars]);
    tf.dispose(scalars);
    return take(loss!);
  };
  const dispose = () => {
    program.dispose();
    optimiser.dispose();
    network.dispose();
  };
  return { network, optimiser, program, batch, step, dispose };
}

/** The numbers of a tensor, which is disposed. */
export function take(tensor: tf.Tensor): number[] {
  const numbers = [...tensor.dataSync()];
  tensor.dispose();
  return numbers;
}

export function runAndTake(program: Program, ...args: Parameters<Program["run"]>): number[][] {
  return program.run(...args).map(take);
}

export function numbersOf(variables: readonly tf.Variable[]): number[] {
  return variables.flatMap((variable) => [...variable.dataSync()]);
}
