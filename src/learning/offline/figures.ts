import * as tf from "@tensorflow/tfjs-core";
import type { Metrics } from "../../metrics/metric-sink.ts";

/**
 * The figures of one update. Of one that is noted twice, as when a loss is computed again to be
 * measured, the last counts.
 */
export class Sheet {
  readonly #noted = new Map<string, tf.Tensor>();

  /** @param value one number; copied */
  note(name: string, value: tf.Tensor): void {
    this.#noted.get(name)?.dispose();
    this.#noted.set(name, tf.keep(tf.tidy(() => tf.reshape(tf.clone(value), [1]))));
  }

  get names(): readonly string[] {
    return [...this.#noted.keys()];
  }

  /** `[1]` each, in the order of the names; to be disposed by the caller. */
  take(): tf.Tensor[] {
    const taken = [...this.#noted.values()];
    this.#noted.clear();
    return taken;
  }
}

/** Figures of a row of updates, left on the device until the last: each readback is a wait. */
export class Figures {
  readonly #noted = new Map<string, tf.Tensor[]>();

  /** @param values `[1]` each; kept until they are read */
  add(names: readonly string[], values: readonly tf.Tensor[]): void {
    for (const [i, name] of names.entries()) {
      const column = this.#noted.get(name) ?? [];
      column.push(values[i]!);
      this.#noted.set(name, column);
    }
  }

  /** The mean of each figure over the updates that noted it; in the order of the first note. */
  async read(): Promise<Metrics> {
    const names = [...this.#noted.keys()];
    if (names.length === 0) return {};
    const all = tf.tidy(() =>
      tf.concat1d(
        names.map((name) => tf.mean<tf.Tensor1D>(tf.concat(this.#noted.get(name)!), 0, true)),
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
  }
}
