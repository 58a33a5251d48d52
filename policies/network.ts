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
  dispose(): void;
}
