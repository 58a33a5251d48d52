import * as tf from "@tensorflow/tfjs-core";
import type { Linear } from "./mlp.ts";
import {
  columns,
  type Kind,
  type States,
  type Step,
  spread,
  surviving,
} from "./recurrent-cells.ts";

/** The way of one layer through a sequence; rows are `step * batch + i`. */
export interface LayerWay {
  /** The input's side of the gates, `[steps * batch, gates * width]`. */
  readonly gates: tf.Tensor2D;
  /** For each step, `[batch, 1]`: a factor on the states behind it; null: 1. Held by the caller. */
  readonly alive: readonly (tf.Tensor2D | null)[];
  /** Before the first step; constants. */
  readonly start: States;
}

/**
 * One layer through all steps, with back-propagation through time written out. Automatic
 * differentiation would spend its time on thirty small operations for every step; written out they
 * are seven, and what needn't wait for the step behind it (the derivatives of the gates, the gradients
 * of the weights) is one operation for all steps.
 *
 * @returns outputs `[steps * batch, width]`, and the states behind the last step
 */
export function walkLayer(kind: Kind, hidden: Linear, way: LayerWay) {
  const { alive, start } = way;
  const fly = tf.customGrad((...args) => {
    const [gates, , , save] = args as unknown as [tf.Tensor2D, tf.Tensor, tf.Tensor, Save];
    const flown = forth(kind, hidden, { gates, alive, start });
    // The way back may come when whoever asked has let go of what the rows survive by.
    save([...flown.before, ...flown.kept, ...alive.filter((living) => living !== null)]);
    return {
      value: joined(flown.states),
      gradFunc: (by: tf.Tensor, saved: tf.Tensor[]) => {
        const before = saved.slice(0, kind.states) as tf.Tensor2D[];
        const ends = alive.filter((living) => living !== null).length;
        const kept = saved.slice(kind.states, saved.length - ends) as tf.Tensor2D[];
        const left = saved.slice(saved.length - ends) as tf.Tensor2D[];
        const living = alive.map((one) => (one === null ? null : left.shift()!));
        const wanted = parted(by as tf.Tensor2D, kind.states);
        return back(kind, hidden, { by: wanted, alive: living, before, kept });
      },
    };
  });
  const states = parted(fly(way.gates, hidden.weight, hidden.bias) as tf.Tensor2D, kind.states);
  const [batch] = start[0]!.shape;
  const last = states.map((all) => tf.slice2d(all, [(alive.length - 1) * batch, 0], [batch, -1]));
  return { outputs: states[0]!, states: last.map((state) => surviving(state, alive.at(-1)!)) };
}

type Save = (tensors: tf.Tensor[]) => void;

/** Each entry for all steps: the states before and behind them, and what else the steps kept. */
function forth(kind: Kind, hidden: Linear, { gates, alive, start }: LayerWay) {
  const blocks = columns(gates, kind.blocks).map((block) =>
    tf.split<tf.Tensor2D>(block, alive.length),
  );
  const before: States[] = [];
  let states = start;
  const flown = alive.map((living, t): Step => {
    before.push(states);
    const step = kind.step(hidden, at(blocks, t), states);
    states = step.states.map((state) => surviving(state, living));
    return step;
  });
  return {
    before: stacked(before),
    states: stacked(flown.map((step) => step.states)),
    kept: stacked(flown.map((step) => step.kept)),
  };
}

interface Walked {
  /** Derivatives of the loss by the states behind each step, as far as others use them. */
  readonly by: States;
  readonly alive: LayerWay["alive"];
  readonly before: States;
  readonly kept: readonly tf.Tensor2D[];
}

/** Derivatives by the input's side of the gates, the hidden weight and the hidden bias. */
function back(kind: Kind, hidden: Linear, { by, alive, before, kept }: Walked): tf.Tensor[] {
  const steps = alive.length;
  const slopes = kind.slopes(kept, before);
  const slopesAt = slopes.ofSteps.map((slope) => tf.split(slope, steps));
  const byAt = by.map((all) => tf.split<tf.Tensor2D>(all, steps));
  const gates: tf.Tensor2D[] = new Array(steps);
  const outputs: tf.Tensor2D[] = new Array(steps);
  let after = at(byAt, steps - 1);
  for (let t = steps - 1; t >= 0; t -= 1) {
    const step = kind.back(at(slopesAt, t), after);
    gates[t] = step.gates;
    outputs[t] = after[0]!;
    if (t === 0) break;
    const through = throughWeights(step.gates, hidden, step.states);
    after = at(byAt, t - 1).map((direct, s): tf.Tensor2D => {
      return tf.add(direct, surviving(through[s]!, alive[t - 1]!));
    });
  }
  const all = tf.concat2d(gates, 0);
  const inputs = slopes.toInputs ? spread(tf.concat2d(outputs, 0), slopes.toInputs) : all;
  return [inputs, tf.matMul(all, before[0]!, true, false), tf.sum(all, 0)];
}

function at<T>(lists: readonly (readonly T[])[], t: number): T[] {
  return lists.map((list) => list[t]!);
}

/** The output before the step had its part in the gates, besides what passed them by. */
function throughWeights(
  gates: tf.Tensor2D,
  { weight }: Linear,
  [past, ...others]: readonly (tf.Tensor2D | null)[],
): States {
  const first: tf.Tensor2D = tf.matMul(gates, weight as unknown as tf.Tensor2D);
  return [past ? tf.add(first, past) : first, ...(others as tf.Tensor2D[])];
}

/** Of a list for each step, one array for each place in it. */
function stacked(steps: readonly (readonly tf.Tensor2D[])[]): tf.Tensor2D[] {
  return steps[0]!.map((_, place) =>
    tf.concat2d(
      steps.map((step) => step[place]!),
      0,
    ),
  );
}

function joined(states: States): tf.Tensor2D {
  return states.length === 1 ? states[0]! : tf.concat2d([...states], 1);
}

function parted(states: tf.Tensor2D, count: number): tf.Tensor2D[] {
  return count === 1 ? [states] : tf.split(states, count, 1);
}
