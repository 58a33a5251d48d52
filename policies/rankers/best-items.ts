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
    const scores = score === "dot" ? tf.matMul(asked, table, false, true) : closeness(asked, table);
    return tf.topk(scores, each).indices;
  });
  const data = (await found.data()) as Int32Array;
  found.dispose();
  return data;
}

/** `[count, items]`: 2 q·e − |e|², the larger the nearer: of one query |q|² is the same for all. */
export function closeness(queries: tf.Tensor2D, items: tf.Tensor2D): tf.Tensor2D {
  const products = tf.matMul(queries, items, false, true);
  const lengths = tf.reshape(tf.sum(tf.square(items), 1), [1, -1]);
  return tf.sub<tf.Tensor2D>(tf.mul(products, 2), lengths);
}
