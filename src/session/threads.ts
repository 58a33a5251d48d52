import { availableParallelism } from "node:os";
import type { Config } from "../config/schema.ts";

/** Threads of TensorFlow where nobody says: all but one, which is the simulator's. */
export function threadsOf({ threads }: Config): number {
  return threads ?? Math.max(1, availableParallelism() - 1);
}
