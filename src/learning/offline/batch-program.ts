import * as tf from "@tensorflow/tfjs-core";
import type { Compile, Program, Static } from "../../engine/compile/program.ts";
import { LearningError } from "../learning-error.ts";
import type { Owner } from "../owner.ts";
import type { BatchAlgorithm, Form } from "./batch-algorithm.ts";
import { believe } from "./belief.ts";
import { Sheet } from "./figures.ts";
import type { TrainedBelief } from "./trained-belief.ts";
import { type Transitions, tensorsOf, transitionsFrom } from "./transitions.ts";

/** What one update gave: `[1]` each, by these names; to be disposed by the caller. */
export interface Noted {
  readonly names: readonly string[];
  readonly values: readonly tf.Tensor[];
}

type Learning = Pick<BatchAlgorithm, "groups" | "owners" | "stepping" | "learn"> & {
  readonly belief: TrainedBelief | undefined;
};

/** Whole updates of a learner as one program over its parameters, copies and moments, in one call each. */
export class BatchProgram {
  readonly #algorithm: Learning;
  readonly #program: Program;
  /** What a form of the update notes, in the order of the outputs. */
  readonly #names = new Map<string, readonly string[]>();

  constructor(algorithm: Learning, compile: Compile) {
    const { groups, owners } = algorithm;
    const parameters = groups.flatMap((group) => group.parameters.map(({ value }) => value));
    this.#algorithm = algorithm;
    this.#program = compile({
      state: [...new Set([...parameters, ...owners.flatMap((owner) => owner.state)])],
      entries: { update: (inputs, statics) => this.#update(inputs, statics) },
    });
  }

  /** @param drawn the caller's, as the batch is */
  run(batch: Transitions, drawn: readonly tf.Tensor[], form: Form): Noted {
    const scalars = this.#stepping(form).flatMap((owner) => owner.nextStep());
    const inputs = tensorsOf(batch);
    const statics = [inputs.length, drawn.length, ...form];
    const values = this.#program.run("update", [...inputs, ...drawn, ...scalars], statics);
    tf.dispose(scalars);
    return { names: this.#names.get(JSON.stringify(form))!, values };
  }

  dispose(): void {
    this.#program.dispose();
  }

  #stepping(form: Form): readonly Owner[] {
    const { owners, stepping } = this.#algorithm;
    const named = stepping?.(form);
    return named === undefined ? owners : owners.filter(({ name }) => named.includes(name));
  }

  #update(inputs: readonly tf.Tensor[], statics: readonly Static[]): tf.Tensor[] {
    const [own, draws, ...form] = statics as [number, number, ...Static[]];
    const scalars = this.#scalarsOf(inputs.slice(own + draws), form);
    const figures = new Sheet();
    const { batch, seenBy } = believe(transitionsFrom(inputs.slice(0, own)), this.#algorithm);
    this.#algorithm.learn(batch, {
      ...{ drawn: inputs.slice(own, own + draws), form, figures },
      step: ({ owner: name }, loss) => {
        const known = scalars.get(name);
        if (known === undefined) throw unannounced(name, form);
        const seen = () => ({ loss: loss(seenBy(name)), besides: [] });
        known.owner.descend(seen, known.scalars);
      },
    });
    this.#names.set(JSON.stringify(form), figures.names);
    const taken = figures.take();
    const outputs = taken.map((tensor) => tensor.clone());
    tf.dispose(taken);
    return outputs;
  }

  #scalarsOf(inputs: readonly tf.Tensor[], form: Form) {
    let at = 0;
    return new Map(
      this.#stepping(form).map((owner) => {
        const scalars = inputs.slice(at, at + owner.scalars);
        at += owner.scalars;
        return [owner.name, { owner, scalars }] as const;
      }),
    );
  }
}

function unannounced(owner: string, form: Form): LearningError {
  return new LearningError(
    "unannounced-step",
    `The owner '${owner}' steps in an update of the form ${JSON.stringify(form)}, in which 'stepping' does not name it.`,
    "Let the algorithm's `stepping` give the owners of every step that `learn` takes in that form.",
  );
}
