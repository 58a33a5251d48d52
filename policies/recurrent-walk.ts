import * as tf from "@tensorflow/tfjs-core";
import type { Linear } from "./mlp.ts";
import { type Kind, type States, type Step, spread } from "./recurrent-cells.ts";

/** The way of one layer through a sequence; rows are `step * batch + i`. */
export interface LayerWay {
  /** The input's side of the gates, `[steps * batch, gates * width]`. */
  readonly gates: tf.Tensor2D;
  /** `[steps * batch, 1]`: a factor on the states behind each step. */
  readonly alive: tf.Tensor2D;
  /** Before the first step; constants. */
  readonly start: States;
}

/**
 * One layer through all steps, with back-propagation through time written out. Automatic
 * differentiation would spend its time on thirty small operations for every step; written out they
 * are six, and what needn't wait for the step behind it (the derivatives of the gates, the gradients
 * of the weights) is one operation for all steps.
 *
 * @returns outputs `[steps * batch, width]`, and the states behind the last step
 */
export function walkLayer(kind: Kind, hidden: Linear, way: LayerWay) {
  const { alive, start } = way;
  const [batch] = start[0]!.shape;
  const steps = way.gates.shape[0] / batch;
  const fly = tf.customGrad((...args) => {
    const [gates, , , save] = args as unknown as [tf.Tensor2D, tf.Tensor, tf.Tensor, Save];
    const flown = forth(kind, hidden, { gates, alive, start });
    save([alive, ...flown.before, ...flown.kept]);
    return {
      value: joined(flown.states),
      gradFunc: (by: tf.Tensor, saved: tf.Tensor[]) => {
        const [living, ...rest] = saved as tf.Tensor2D[];
        const record = {
          alive: living!,
          before: rest.slice(0, kind.states),
          kept: rest.slice(kind.states),
        };
        return back(kind, hidden, { by: parted(by as tf.Tensor2D, kind.states), steps, ...record });
      },
    };
  });
  const states = parted(fly(way.gates, hidden.weight, hidden.bias) as tf.Tensor2D, kind.states);
  const last = (rows: tf.Tensor2D) => tf.slice2d(rows, [(steps - 1) * batch, 0], [batch, -1]);
  const alivePast = last(alive);
  return {
    outputs: states[0]!,
    states: states.map((all): tf.Tensor2D => tf.mul(last(all), alivePast)),
  };
}

type Save = (tensors: tf.Tensor[]) => void;

/** Each entry for all steps: the states before and behind them, and what else the steps kept. */
function forth(kind: Kind, hidden: Linear, { gates, alive, start }: LayerWay) {
  const steps = gates.shape[0] / start[0]!.shape[0];
  const living = tf.split<tf.Tensor2D>(alive, steps);
  const before: States[] = [];
  let states = start;
  const flown = tf.split<tf.Tensor2D>(gates, steps).map((own, t): Step => {
    before.push(states);
    const step = kind.step(hidden, own, states);
    states = step.states.map((state): tf.Tensor2D => tf.mul(state, living[t]!));
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
  readonly steps: number;
  readonly alive: tf.Tensor2D;
  readonly before: States;
  readonly kept: readonly tf.Tensor2D[];
}

/** Derivatives by the input's side of the gates, the hidden weight and the hidden bias. */
function back(kind: Kind, hidden: Linear, record: Walked): tf.Tensor[] {
  const { by, steps, before, kept } = record;
  const slopes = kind.slopes(kept, before);
  const slopesAt = slopes.ofSteps.map((slope) => tf.split<tf.Tensor2D>(slope, steps));
  const byAt = by.map((all) => tf.split<tf.Tensor2D>(all, steps));
  const living = tf.split<tf.Tensor2D>(record.alive, steps);
  const gates: tf.Tensor2D[] = new Array(steps);
  const outputs: tf.Tensor2D[] = new Array(steps);
  let later: States | undefined;
  for (let t = steps - 1; t >= 0; t -= 1) {
    const after = byAt.map((all, s): tf.Tensor2D => {
      return later ? tf.add(all[t]!, tf.mul(later[s]!, living[t]!)) : all[t]!;
    });
    const step = kind.back(
      slopesAt.map((slope) => slope[t]!),
      after,
    );
    gates[t] = step.gates;
    outputs[t] = after[0]!;
    if (t > 0) later = throughWeights(step.gates, hidden, step.states);
  }
  const all = tf.concat2d(gates, 0);
  const inputs = slopes.toInputs ? spread(tf.concat2d(outputs, 0), slopes.toInputs) : all;
  return [inputs, tf.matMul(all, before[0]!, true, false), tf.sum(all, 0)];
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
