import * as tf from "@tensorflow/tfjs-core";

/**
 * −Σ log p(item) over all slots, p the softmax of a slot's point held against all items. The way back is written
 * out: what is as large as slots times items is passed over half as often as by the operations' own gradients.
 *
 * @param points `[slots of all rows, itemWidth]`
 * @param table `[items, itemWidth]`
 * @param shown as many items as there are points, int32
 */
export function missedItems(points: tf.Tensor2D, table: tf.Variable, shown: tf.Tensor): tf.Scalar {
  const ids = tf.reshape(shown, [-1]) as tf.Tensor1D;
  const [items] = table.shape as [number, number];
  const cost = tf.customGrad((q, e, save) => {
    const products = tf.matMul(q as tf.Tensor2D, e as tf.Tensor2D, false, true);
    const most = tf.max(products, 1, true);
    const odds = tf.exp(tf.sub(products, most));
    const sums = tf.sum(odds, 1, true);
    const own = tf.gather(e as tf.Tensor2D, ids);
    const all = tf.sum(tf.add(tf.log(sums), most));
    (save as tf.GradSaveFunc)([q as tf.Tensor, e as tf.Tensor, odds, sums, own, ids]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [point, embedding, weight, sum, shownItem, id] = saved as tf.Tensor2D[];
      const scaled = tf.div<tf.Tensor2D>(point!, sum!);
      const toPoints = tf.sub(tf.div(tf.matMul(weight!, embedding!), sum!), shownItem!);
      const toItems = tf.sub(
        tf.matMul(weight!, scaled, true),
        tf.unsortedSegmentSum(point!, id as tf.Tensor as tf.Tensor1D, items),
      );
      return [tf.mul(toPoints, dy), tf.mul(toItems, dy)];
    };
    return { value: tf.sub(all, tf.sum(tf.mul(q as tf.Tensor, own))), gradFunc };
  });
  return cost(points, table as unknown as tf.Tensor2D) as tf.Scalar;
}
