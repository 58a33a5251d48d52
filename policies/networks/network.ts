import type { Tensor2D, Variable } from "@tensorflow/tfjs-core";

/** One trained array. Names, order and layout are PyTorch's: `mlp.0.weight` is `[outputs, inputs]`. */
export interface Parameter {
  readonly name: string;
  readonly value: Variable;
}

/** A network of tensors, without normaliser, noise or environment. */
export interface Network {
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** Constant list, constant order. */
  readonly parameters: readonly Parameter[];
  /** Width of each recurrent state; `[]` for a feed-forward network. */
  readonly memoryWidths: readonly number[];
  /** `inputs`: `[batch, inputWidth]`; `memory`: one `[batch, width]` per state. Differentiable; call inside `tidy`. */
  forward(inputs: Tensor2D, memory: readonly Tensor2D[]): { outputs: Tensor2D; memory: Tensor2D[] };
  /** Where there is a memory: the same network for many steps at a time. */
  readonly sequence?: SequenceParts;
  dispose(): void;
}

/** Rows are `step * batch + i`. */
export interface Sequence {
  /** `[steps * batch, inputWidth]`. */
  readonly inputs: Tensor2D;
  /** For each step, `[batch, 1]`: what the memory behind it is multiplied by, 0 ending an episode; null: by 1. */
  readonly alive: readonly (Tensor2D | null)[];
  /** Before the first step, `[batch, width]` each; a constant. */
  readonly memory: readonly Tensor2D[];
}

/** What remembers, and what then takes any rows at once. Differentiable with respect to the parameters. */
export interface SequenceParts {
  /** `features`: `[steps * batch, any]`; `memory` behind the last step. */
  walk(sequence: Sequence): { features: Tensor2D; memory: Tensor2D[] };
  /** `[rows, any]` → `[rows, outputWidth]`. */
  head(features: Tensor2D): Tensor2D;
}
