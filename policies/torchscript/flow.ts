import type { TorchTensor } from "../checkpoint/torch-value.ts";

/** One thing a program does to its observations, in order. */
export type Step =
  | { readonly op: "linear"; readonly weight: TorchTensor; readonly bias: TorchTensor | null }
  | { readonly op: "activation"; readonly name: string }
  | { readonly op: "sub" | "div"; readonly by: TorchTensor }
  | { readonly op: "clamp"; readonly low: number; readonly high: number }
  | {
      readonly op: "rnn";
      readonly type: "gru" | "lstm";
      readonly weights: ReadonlyMap<string, TorchTensor>;
    }
  | { readonly op: "first-half" }
  | { readonly op: "beta"; readonly low: number; readonly high: number };

/** The observations with what was done to them. */
export class Flow {
  readonly steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    this.steps = steps;
  }

  after(step: Step): Flow {
    return new Flow([...this.steps, step]);
  }
}

/** A recurrent state behind a step: it goes back into the program's own memory. */
export const STATE = Symbol("state");
