import { createRequire } from "node:module";

/**
 * Makes the gradients known. `@tensorflow/tfjs-core` holds none in Node: they come with
 * `@tensorflow/tfjs`, which tfjs-node loads by itself and the other backends do not.
 */
export function registerGradients(): void {
  createRequire(import.meta.url)("@tensorflow/tfjs");
}
