import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { activationNamed, activationNames } from "../../policies/networks/activation.ts";
import { dataFolder, readJson } from "./examples.ts";

interface Golden {
  readonly points: number[];
  readonly values: Readonly<Record<string, number[]>>;
  readonly slopes: Readonly<Record<string, number[]>>;
}

const { points, values, slopes }: Golden = readJson(join(dataFolder, "activations.json"));

/** What holds of every activation on every backend. */
export function checkActivations(): void {
  describe.each(activationNames)("%s", (name) => {
    const { apply } = activationNamed(name);

    it("has PyTorch's values", () => {
      const found = tf.tidy(() => apply(tf.tensor2d([points])).dataSync<"float32">());
      expectClose(found, values[name] ?? []);
    });

    it("has PyTorch's slopes", () => {
      const found = tf.tidy(() => {
        // Identity would be no operation at all, which has no gradient.
        const slope = tf.grad((x: tf.Tensor) => tf.mul(apply(x as tf.Tensor2D), 1));
        return slope(tf.tensor2d([points])).dataSync<"float32">();
      });
      // At the kink of relu either side's slope is right.
      const kink = ["relu", "lrelu", "selu"].includes(name) ? points.indexOf(0) : -1;
      const smooth = (all: ArrayLike<number>) => Array.from(all).filter((_, i) => i !== kink);
      expectClose(smooth(found), smooth(slopes[name] ?? []));
    });
  });
}

/** To 5e-6 of the value, or absolute below 1: wasm's erf is an approximation. */
function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    const tolerance = 5e-6 * Math.max(1, Math.abs(value));
    expect(Math.abs((found[i] ?? Number.NaN) - value), `at ${points[i]}`).toBeLessThan(tolerance);
  }
}
