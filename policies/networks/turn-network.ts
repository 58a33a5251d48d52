import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import type { Network, Parameter } from "./network.ts";
import { createRecurrent } from "./recurrent.ts";

export interface TurnNetworkOptions {
  /** Turns it sees side by side, oldest first, `slots` codes each. */
  readonly turns: number;
  readonly slots: number;
  /** Of the recurrent layer. */
  readonly hidden: number;
  readonly stateWidth: number;
  /** `[items, itemWidth]`; never stepped. */
  readonly items: tf.Variable;
  readonly random?: () => number;
  readonly weights?: NamedArrays;
}

/**
 * A GRU over the latest turns, each the embeddings of a slate's items beside their clicks, and a Linear layer
 * behind the last: `[rows, turns · slots]` codes to `[rows, stateWidth]`. Turns that have not been leave no trace.
 */
export function createTurnNetwork(options: TurnNetworkOptions): Network {
  const { turns, slots, hidden: width, stateWidth, items, random, weights } = options;
  const itemWidth = items.shape[1]!;
  const recurrent = createRecurrent({
    ...{ inputWidth: slots * (itemWidth + 1), hidden: [], outputWidth: stateWidth },
    ...{ activation: "relu", rnn: { type: "gru", width, layers: 1 } },
    ...(random && { random }),
    ...(weights && { weights }),
  });
  const { walk, head } = recurrent.sequence!;
  return {
    inputWidth: turns * slots,
    outputWidth: stateWidth,
    parameters: recurrent.parameters as readonly Parameter[],
    memoryWidths: [],
    forward: (codes) => {
      const [rows] = codes.shape;
      const { inputs, there } = seenIn(codes, { turns, slots, items });
      const memory = [tf.zeros([rows, width]) as tf.Tensor2D];
      const { features } = walk({ inputs, alive: there, memory });
      const last = tf.slice2d(features, [(turns - 1) * rows, 0], [rows, width]);
      // Behind the last turn the memory is zeroed where there was none.
      return { outputs: head(tf.mul(last, there.at(-1)!)), memory: [] };
    },
    dispose: () => recurrent.dispose(),
  };
}

/** `inputs`: `[turns · rows, slots · (itemWidth + 1)]`; `there`: for each turn `[rows, 1]`, 0 where it has not been. */
function seenIn(
  codes: tf.Tensor2D,
  { turns, slots, items }: Pick<TurnNetworkOptions, "turns" | "slots" | "items">,
) {
  const [rows] = codes.shape;
  const itemWidth = items.shape[1]!;
  const byTurn = tf.transpose(tf.reshape(codes, [rows, turns, slots]), [1, 0, 2]);
  const flat = tf.reshape(byTurn, [turns * rows * slots]);
  const clicks = tf.cast(tf.less(flat, 0), "float32");
  const numbers = tf.cast(tf.sub(tf.maximum(tf.abs(flat), 1), 1), "int32");
  // Nobody moves the items: no gradient is to look for them.
  const table = items as unknown as tf.Tensor2D;
  const shown = tf.customGrad(() => ({
    value: tf.gather(table, numbers),
    gradFunc: () => [],
  }))() as tf.Tensor2D;
  const slotwise = tf.concat2d([shown, tf.reshape(clicks, [-1, 1])], 1);
  const first = tf.slice(byTurn, [0, 0, 0], [turns, rows, 1]);
  const known = tf.cast(tf.greater(tf.abs(first), 0), "float32");
  return {
    inputs: tf.reshape(slotwise, [turns * rows, slots * (itemWidth + 1)]) as tf.Tensor2D,
    there: tf.split(tf.reshape(known, [turns * rows, 1]), turns) as tf.Tensor2D[],
  };
}
