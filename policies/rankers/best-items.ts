import * as tf from "@tensorflow/tfjs-core";

/**
 * The `each` items that score highest for each query, best first.
 *
 * @param queries `[count, width]`
 * @param items `[items, width]`
 * @param score `dot`: q·e; `near`: −|q − e|²
 * @returns `[count, each]` numbers of items
 */
export async function bestItems(
  queries: Float32Array,
  items: { readonly data: Float32Array; readonly width: number },
  { each, score }: { readonly each: number; readonly score: "dot" | "near" },
): Promise<Int32Array> {
  const { width } = items;
  const found = tf.tidy(() => {
    const table = tf.tensor2d(items.data.slice(), [items.data.length / width, width]);
    const asked = tf.tensor2d(queries.slice(), [queries.length / width, width]);
    const products = tf.matMul(asked, table, false, true);
    // Of one query |q|² is the same for all.
    const scores =
      score === "dot"
        ? products
        : tf.sub(tf.mul(products, 2), tf.reshape(tf.sum(tf.square(table), 1), [1, -1]));
    return tf.topk(scores, each).indices;
  });
  const data = (await found.data()) as Int32Array;
  found.dispose();
  return data;
}
