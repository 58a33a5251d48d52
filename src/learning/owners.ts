import type { Scalar, Variable } from "@tensorflow/tfjs-core";
import type { FlowRow } from "./flow-row.ts";

/** `step`: gradient arrives and parameters move; `pass`: it flows through, nothing moves; `zero`: none may arrive. */
export type Motion = "step" | "pass" | "zero";

/** Parameters that are moved together. */
export interface ParameterGroup {
  readonly name: string;
  /** The optimiser that steps it; `ema` for a slow copy, `frozen` for what never moves. */
  readonly owner: string;
  /** Other owners that step it too: without being said, that is a leak. */
  readonly sharedWith?: readonly string[];
  /** Updates whose gradient is there to move it: one of these that doesn't step it makes it an orphan. */
  readonly trainedBy?: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly value: Variable }[];
}

/** One optimiser step of a learner, as it is claimed. */
export interface Update {
  readonly name: string;
  /** Who steps: all groups of that owner. */
  readonly owner: string;
  /** Names of the losses it adds up. */
  readonly terms: readonly string[];
  /** For every trainable group. */
  readonly claims: Readonly<Record<string, Motion>>;
  /** Stages it runs in; absent: all. */
  readonly stages?: readonly string[];
  /**
   * Name of the update whose loss it is a share of: it is measured by itself, to see where its gradient arrives
   * (`pass`) and where it is cut off (`zero`), and steps nothing.
   */
  readonly partOf?: string;
}

/** Takes down what an update did: per group the norm of its gradient and of the parameters' change. */
export interface GradientMeter {
  /** `loss`: of every group, evaluated again and again, so whatever it draws is drawn before; `step`: the real one. */
  measure<T>(update: Update, loss: () => Scalar, step: () => T): T;
  /** Not enough of it was measured yet: where no update is wanted any more, they may run without the meter. */
  wants(update: Update): boolean;
  /** For updates in another thread: how many of each are measured there, and where that goes. */
  readonly elsewhere?: { readonly most: number; take(rows: readonly FlowRow[]): void };
}

/** No optimiser moves it. */
export function isTrainable({ owner }: ParameterGroup): boolean {
  return owner !== "ema" && owner !== "frozen";
}

/** The optimiser moves it, alone or with others. */
export function isSteppedBy(
  { owner, sharedWith = [] }: ParameterGroup,
  optimiser: string,
): boolean {
  return owner === optimiser || sharedWith.includes(optimiser);
}
