import * as tf from "@tensorflow/tfjs-core";
import type { Metrics } from "../../metrics/metric-sink.ts";

/**
 * Figures of a row of updates, left on the device until the last: each readback is a wait. Of a figure
 * that is noted twice in one update, as when a loss is computed again to be measured, the last counts.
 */
export class Figures {
  readonly #noted = new Map<string, tf.Tensor[]>();
  readonly #rows = new Map<string, number>();
  #update = 0;

  /** What is noted from now on belongs to the next update. */
  next(): void {
    this.#update += 1;
  }

  /** @param value one number, copied; computed in a tidy of its own where it is a function */
  note(name: string, value: tf.Tensor | (() => tf.Tensor)): void {
    const kept = tf.keep(
      tf.tidy(() => tf.reshape(typeof value === "function" ? value() : value, [1])),
    );
    const values = this.#noted.get(name) ?? [];
    if (this.#rows.get(name) === this.#update) values.pop()?.dispose();
    this.#noted.set(name, [...values, kept]);
    this.#rows.set(name, this.#update);
  }

  /** The mean of each figure over the updates that noted it; in the order of the first note. */
  async read(): Promise<Metrics> {
    const names = [...this.#noted.keys()];
    if (names.length === 0) return {};
    const all = tf.tidy(() =>
      tf.concat1d(
        names.map((name) => tf.mean(tf.concat(this.#noted.get(name)!), 0, true) as tf.Tensor1D),
      ),
    );
    const means = await all.data<"float32">();
    all.dispose();
    this.dispose();
    return Object.fromEntries(names.map((name, i) => [name, means[i]!]));
  }

  dispose(): void {
    for (const values of this.#noted.values()) tf.dispose(values);
    this.#noted.clear();
    this.#rows.clear();
  }
}
