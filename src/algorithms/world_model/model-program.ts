import * as tf from "@tensorflow/tfjs-core";
import { type Compile, eagerly, type Program } from "../../engine/compile/program.ts";
import type { WorldModel } from "./model.ts";
import { deviation, type WorldFacts } from "./world-facts.ts";

/** What the model says of states, row-major. */
export interface Imagined {
  /** `[rows, latent]`. */
  readonly states: Float32Array;
  /** `[rows, actionWidth · levels]`: logits of each level. */
  readonly policies: Float32Array;
  /** `[rows]`, in units of reward. */
  readonly values: Float32Array;
}

export interface ImaginedStep extends Imagined {
  /** `[rows]`. */
  readonly rewards: Float32Array;
}

/** The model, asked in whole batches, each answer one call: for acting, planning and measuring. */
export class ModelProgram {
  readonly latent: number;
  readonly #policyWidth: number;
  readonly #program: Program;

  /** The model stays the caller's. */
  constructor(model: WorldModel, facts: WorldFacts, compile: Compile = eagerly) {
    const { representation, dynamics, prediction, heads } = model.parameters;
    const parameters = [representation, dynamics, prediction, heads].flat();
    const { numbers } = model;
    const inUnits = (outputs: tf.Tensor2D, scale: WorldFacts["value"]) =>
      tf.add<tf.Tensor2D>(tf.mul(numbers.read(outputs), deviation(scale)), scale.mean[0]!);
    const told = (state: tf.Tensor2D) => {
      const { policy, value } = model.predict(state);
      return [state, policy, inUnits(value, facts.value)];
    };
    this.#program = compile({
      state: parameters.map(({ value }) => value),
      entries: {
        represent: ([seen]) => [tf.concat2d(told(model.represent(seen as tf.Tensor2D)), 1)],
        advance: ([state, action]) => {
          const next = model.advance(state as tf.Tensor2D, action as tf.Tensor2D);
          const reward = inUnits(next.reward, facts.reward);
          return [tf.concat2d([...told(next.state), reward], 1)];
        },
        see: ([state]) => {
          const seen = model.shape.heads.map(({ name }) =>
            numbers.read(model.see(state as tf.Tensor2D, name)),
          );
          return [tf.concat2d(seen, 1)];
        },
      },
    });
    this.#policyWidth = facts.levels.reduce((sum, own) => sum + own.length, 0);
    this.latent = latentOf(model);
  }

  /** @param seen `[rows, history · observationWidth]`, scaled; a tensor may share it */
  async represent(seen: Float32Array, rows: number): Promise<Imagined> {
    const values = await this.#run("represent", [seen], rows);
    return this.#cut(values, rows);
  }

  /** @param actions `[rows, actionWidth]`, ±1 between the bounds */
  async advance(states: Float32Array, actions: Float32Array, rows: number): Promise<ImaginedStep> {
    const values = await this.#run("advance", [states, actions], rows);
    const width = values.length / rows;
    return { ...this.#cut(values, rows), rewards: column(values, width, width - 1) };
  }

  /** What all heads predict, side by side, in deviations: `[rows, all heads]`. */
  see(states: Float32Array, rows: number): Promise<Float32Array> {
    return this.#run("see", [states], rows);
  }

  dispose(): void {
    this.#program.dispose();
  }

  async #run(entry: string, inputs: readonly Float32Array[], rows: number): Promise<Float32Array> {
    const tensors = inputs.map((values) => tf.tensor2d(values, [rows, values.length / rows]));
    const [output] = this.#program.run(entry, tensors);
    const values = await output!.data<"float32">();
    tf.dispose([...tensors, output!]);
    return values;
  }

  #cut(values: Float32Array, rows: number): Imagined {
    const width = values.length / rows;
    const { latent } = this;
    const policies = latent + this.#policyWidth;
    return {
      states: columns(values, width, [0, latent]),
      policies: columns(values, width, [latent, policies]),
      values: column(values, width, policies),
    };
  }
}

function latentOf({ parameters }: WorldModel): number {
  const [weight] = parameters.prediction;
  return weight!.value.shape[1]!;
}

function columns(
  values: Float32Array,
  width: number,
  [from, to]: readonly [number, number],
): Float32Array {
  const rows = values.length / width;
  const own = to - from;
  const cut = new Float32Array(rows * own);
  for (let row = 0; row < rows; row += 1) {
    cut.set(values.subarray(row * width + from, row * width + to), row * own);
  }
  return cut;
}

function column(values: Float32Array, width: number, at: number): Float32Array {
  return columns(values, width, [at, at + 1]);
}
