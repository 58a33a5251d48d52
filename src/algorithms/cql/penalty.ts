import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "../../../policies/networks/network.ts";
import { qValue, repeatedStates } from "../../learning/offline/critic.ts";
import type { Sample } from "../../learning/offline/tanh-gaussian.ts";
import type { CqlSettings } from "./settings.ts";

/** Actions that nobody took, `[rows, n, actionWidth]` each; constants. */
export interface Unseen {
  /** Uniform in ±1. */
  readonly random: tf.Tensor3D;
  /** Of the policy at s′, valued at s. */
  readonly next: Sample;
  /** Of the policy at s. */
  readonly current: Sample;
}

/** What one critic says of them, `[rows, n]` each. */
export interface UnseenValues {
  readonly random: tf.Tensor2D;
  readonly next: tf.Tensor2D;
  readonly current: tf.Tensor2D;
}

/** All in one pass. */
export function unseenValues(critic: Network, states: tf.Tensor2D, unseen: Unseen): UnseenValues {
  const all = tf.concat(
    [unseen.random, unseen.next.actions, unseen.current.actions] as tf.Tensor3D[],
    1,
  );
  const [rows, count, width] = all.shape as [number, number, number];
  const actions = tf.reshape(all, [rows * count, width]) as tf.Tensor2D;
  const values = tf.reshape(qValue(critic, repeatedStates(states, count), actions), [rows, count]);
  const [random, next, current] = tf.split(values, 3, 1) as tf.Tensor2D[];
  return { random: random!, next: next!, current: current! };
}

/**
 * temp · logsumexp over the actions of Q(s, ·) / temp, less Q(s, a): mean over the rows. With importance
 * weights each Q less the log-density of its action, uniform ones −A log 2; without, the data's action
 * is one of them. Each state's is clipped where the settings say so.
 */
export function gap(
  seen: tf.Tensor1D,
  values: UnseenValues,
  { unseen, settings }: { readonly unseen: Unseen; readonly settings: CqlSettings },
): tf.Scalar {
  const width = unseen.random.shape[2];
  const all = settings.cql_importance_sample
    ? [
        tf.add(values.random, width * Math.LN2),
        tf.sub(values.next, unseen.next.logProb),
        tf.sub(values.current, unseen.current.logProb),
      ]
    : [values.random, tf.expandDims(seen, 1), values.next, values.current];
  const scaled = tf.div(tf.concat(all as tf.Tensor2D[], 1), settings.cql_temp);
  const soft = tf.mul(tf.logSumExp(scaled, 1), settings.cql_temp);
  return tf.mean(within(tf.sub(soft, seen), settings)) as tf.Scalar;
}

function within(
  gaps: tf.Tensor,
  { cql_clip_diff_min: least, cql_clip_diff_max: most }: CqlSettings,
) {
  if (least === null && most === null) return gaps;
  return tf.clipByValue(gaps, least ?? -Infinity, most ?? Infinity);
}

/** Mean over the rows of the deviation (over n − 1) of all values of a state. */
export function spread(seen: tf.Tensor1D, { random, next, current }: UnseenValues): tf.Scalar {
  const all = tf.concat([random, tf.expandDims(seen, 1), next, current] as tf.Tensor2D[], 1);
  const count = all.shape[1]!;
  const centred = tf.sub(all, tf.mean(all, 1, true));
  const variance = tf.div(tf.sum(tf.square(centred), 1), count - 1);
  return tf.mean(tf.sqrt(variance)) as tf.Scalar;
}
