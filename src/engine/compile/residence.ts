import type { Tensor } from "@tensorflow/tfjs-core";
import type { Recording } from "./recording.ts";

/** Where the state of a program lives between two calls, and so what a call hands over. */
export interface Residence {
  /** Makes a recording callable. */
  add(form: string, recording: Recording): void;
  call(form: string, inputs: readonly Tensor[]): Tensor[];
  dispose(): void;
}
