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
  /** Where there is a memory: the same network in parts, for many steps at a time. */
  readonly sequence?: SequenceParts;
  dispose(): void;
}

/**
 * What must go step by step, between two parts that take all steps of a sequence at once:
 * `forward(x, m)` is `head(step(prepare(x), m).features)`. Most of the work is in the outer two.
 */
export interface SequenceParts {
  /** `[rows, inputWidth]` → `[rows, any]`, row by row. */
  prepare(inputs: Tensor2D): Tensor2D;
  /** One time step of `[batch, any]`. */
  step(prepared: Tensor2D, memory: readonly Tensor2D[]): { features: Tensor2D; memory: Tensor2D[] };
  /** `[rows, any]` → `[rows, outputWidth]`, row by row. */
  head(features: Tensor2D): Tensor2D;
}
