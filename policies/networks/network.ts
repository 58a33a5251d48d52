import type { Tensor2D, Variable } from "@tensorflow/tfjs-core";

/** One trained array. Names, order and layout are PyTorch's: `mlp.0.weight` is `[outputs, inputs]`. */
export interface Parameter {
  readonly name: string;
  readonly value: Variable;
}

/** A network of tensors, without normaliser, noise or environment; its parameters are a constant list. */
export interface Network {
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** Whether a column of the inputs is a byte of a picture, 0 to 255; absent: none is. */
  readonly isByte?: (column: number) => boolean;
  readonly parameters: readonly Parameter[];
  /** Width of each recurrent state; `[]` for a feed-forward network. */
  readonly memoryWidths: readonly number[];
  /** `inputs`: `[batch, inputWidth]`; `memory`: one `[batch, width]` per state. Differentiable; call inside `tidy`. */
  forward(inputs: Tensor2D, memory: readonly Tensor2D[]): { outputs: Tensor2D; memory: Tensor2D[] };
  /** Where there is a memory: the same network for many steps at a time. */
  readonly sequence?: SequenceParts;
  dispose(): void;
}

export interface Sequence {
  /** `[steps * batch, inputWidth]`: row `step * batch + i`. */
  readonly inputs: Tensor2D;
  /** For each step, `[batch, 1]`: what the memory behind it is multiplied by, 0 ending an episode; null: by 1. */
  readonly alive: readonly (Tensor2D | null)[];
  /** Before the first step, `[batch, width]` each; a constant. */
  readonly memory: readonly Tensor2D[];
}

/** What remembers, and what then takes any rows at once. Differentiable in the parameters. */
export interface SequenceParts {
  /** `features`: `[steps * batch, any]`; `memory` behind the last step. */
  walk(sequence: Sequence): { features: Tensor2D; memory: Tensor2D[] };
  /** `[rows, any]` → `[rows, outputWidth]`. */
  head(features: Tensor2D): Tensor2D;
}
