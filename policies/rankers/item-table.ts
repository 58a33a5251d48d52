import * as tf from "@tensorflow/tfjs-core";
import type { NamedArray, NamedArrays } from "../named-array.ts";
import type { Random } from "../random.ts";
import type { RankerConfig } from "./ranker.ts";
import { arrayOf } from "./ranker-arrays.ts";

/** Embeddings of all items, given or learned. */
export interface ItemTable {
  /** `[items, itemWidth]`. */
  readonly table: tf.Variable;
  /** It is stepped with the rest. */
  readonly learned: boolean;
  /** Their rows, `[elements of ids, itemWidth]`. Differentiable. @param ids int32 */
  gather(ids: tf.Tensor): tf.Tensor2D;
  data(): Float32Array;
  save(): NamedArray;
  load(arrays: NamedArrays): void;
  dispose(): void;
}

/** @param given absent: drawn from N(0, 1), to be learned */
export function createItems(
  { items, itemWidth }: RankerConfig,
  given: Float32Array | undefined,
  random: Random,
): ItemTable {
  const length = items * itemWidth;
  const start = given ?? Float32Array.from({ length }, random.normal);
  const table = tf.tidy(() => tf.variable(tf.tensor2d(start.slice(), [items, itemWidth]), !given));
  const rows = table as unknown as tf.Tensor2D;
  const data = () => (table.dataSync() as Float32Array).slice();
  return {
    ...{ table, learned: !given, data },
    gather: (ids) => tf.gather(rows, tf.reshape(ids, [-1])),
    save: () => ({ shape: [items, itemWidth], data: data() }),
    load: (arrays) => {
      const loaded = arrayOf(arrays, "items", [items, itemWidth]);
      tf.tidy(() => table.assign(tf.tensor2d(loaded, [items, itemWidth])));
    },
    dispose: () => table.dispose(),
  };
}
