import * as tf from "@tensorflow/tfjs-core";
import type { Compile, Program, Static } from "../../engine/compile/program.ts";
import { Sheet } from "../../learning/offline/figures.ts";
import type { Owner } from "../../learning/owner.ts";
import type { ParameterGroup, Update } from "../../learning/owners.ts";
import { batchFrom, tensorsOf, type WindowBatch } from "./batch.ts";
import type { Weights } from "./learn.ts";

/** Lets an update's owner step on a loss. */
export type Step = (update: Update, loss: () => tf.Scalar) => void;

export interface Learning {
  readonly groups: readonly ParameterGroup[];
  readonly owners: readonly Owner[];
  /** Those that step, in the stage of that name. */
  running(stage: string): readonly Update[];
  /** One update: a function of tensors, parameters and owners alone. Called inside `tidy`. */
  learn(
    batch: WindowBatch,
    given: { readonly stage: string; readonly weights: Weights; readonly figures: Sheet },
    step: Step,
  ): void;
}

/** Inputs, not constants: TensorFlow would put constants together, which comes to other bits. */
export type WeightNumbers = readonly [env: number, policy: number, imitation: number];

/** What one update gave: `[1]` each, by these names; to be disposed by the caller. */
export interface Noted {
  readonly names: readonly string[];
  readonly values: readonly tf.Tensor[];
}

/** Whole updates as one program over parameters and moments, in one call each. */
export class UpdateProgram {
  readonly #learning: Learning;
  readonly #program: Program;
  readonly #names = new Map<string, readonly string[]>();

  constructor(learning: Learning, compile: Compile) {
    const { groups, owners } = learning;
    const parameters = groups.flatMap((group) => group.parameters.map(({ value }) => value));
    this.#learning = learning;
    this.#program = compile({
      state: [...new Set([...parameters, ...owners.flatMap((owner) => owner.state)])],
      entries: { update: (inputs, statics) => this.#update(inputs, statics) },
    });
  }

  /** The batch stays the caller's. */
  run(batch: WindowBatch, stage: string, weights: WeightNumbers): Noted {
    const scalars = this.#stepping(stage).flatMap((owner) => owner.nextStep());
    const own = tensorsOf(batch);
    const given = weights.map((weight) => tf.scalar(weight));
    const inputs = [...own, ...given, ...scalars];
    const values = this.#program.run("update", inputs, [stage, own.length]);
    tf.dispose([...given, ...scalars]);
    return { names: this.#names.get(`${stage}/${own.length}`)!, values };
  }

  dispose(): void {
    this.#program.dispose();
  }

  #stepping(stage: string): readonly Owner[] {
    const names = this.#learning.running(stage).map(({ owner }) => owner);
    return this.#learning.owners.filter(({ name }) => names.includes(name));
  }

  #update(inputs: readonly tf.Tensor[], statics: readonly Static[]): tf.Tensor[] {
    const [stage, own] = statics as [string, number];
    const [env, policy, imitation, ...rest] = inputs.slice(own) as tf.Scalar[];
    let at = 0;
    const scalars = new Map<string, { owner: Owner; scalars: readonly tf.Tensor[] }>();
    for (const owner of this.#stepping(stage)) {
      scalars.set(owner.name, { owner, scalars: rest.slice(at, at + owner.scalars) });
      at += owner.scalars;
    }
    const figures = new Sheet();
    const given = {
      stage,
      weights: { env: env!, policy: policy!, imitation: imitation! },
      figures,
    };
    this.#learning.learn(batchFrom(inputs.slice(0, own)), given, ({ owner: name }, loss) => {
      const known = scalars.get(name)!;
      known.owner.descend(() => ({ loss: loss(), besides: [] }), known.scalars);
    });
    this.#names.set(`${stage}/${own}`, figures.names);
    const taken = figures.take();
    const outputs = taken.map((tensor) => tensor.clone());
    tf.dispose(taken);
    return outputs;
  }
}
