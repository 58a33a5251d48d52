import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import type { WindowBatch } from "./batch.ts";
import { scaledGradient } from "./gradient-scale.ts";
import type { WorldModel } from "./model.ts";
import type { Cut } from "./plans.ts";
import type { WorldModelSettings } from "./settings.ts";
import { deviation, toUnitLevels, type WorldFacts } from "./world-facts.ts";

export interface World {
  readonly model: WorldModel;
  readonly facts: WorldFacts;
  readonly settings: Pick<WorldModelSettings, "action_levels">;
  readonly cut: Cut;
  readonly gradientScale: number;
}

/** Losses by name, one number each. */
export type Losses = Readonly<Record<string, tf.Scalar>>;

/** States along the recorded actions, and what the dynamics say on the way. */
interface Unrolled {
  /** L + 1, `[B, latent]` each. */
  readonly states: tf.Tensor2D[];
  /** L, outputs for the rewards. */
  readonly rewards: tf.Tensor2D[];
}

/** What was really done. */
function unroll({ model, gradientScale }: World, batch: WindowBatch): Unrolled {
  const rows = batch.observations.shape[0];
  const states = [model.represent(batch.observations)];
  const rewards: tf.Tensor2D[] = [];
  for (const action of tf.split<tf.Tensor2D>(batch.actions, batch.actions.shape[0] / rows)) {
    const next = model.advance(states.at(-1)!, action);
    states.push(scaledGradient(next.state, gradientScale));
    rewards.push(next.reward);
  }
  return { states, rewards };
}

/** Stage 1: `loss_HEAD` of each head, `loss_reward`, `loss_value`, along what was really done. */
export function environmentLosses(world: World, batch: WindowBatch): Losses {
  const { model, facts } = world;
  const { states, rewards } = unroll(world, batch);
  const reached = tf.concat2d(states.slice(1), 0);
  const widths = facts.heads.map(({ columns }) => columns.length);
  const targets = tf.split<tf.Tensor2D>(batch.targets, widths, 1);
  const heads = facts.heads.map(({ name }, i) => {
    const errors = model.numbers.errors(model.see(reached, name), targets[i]!);
    return [`loss_${name}`, tf.mean(errors) as tf.Scalar] as const;
  });
  const reward = model.numbers.errors(tf.concat2d(rewards, 0), batch.rewards);
  return {
    ...Object.fromEntries(heads),
    loss_reward: tf.mean(reward) as tf.Scalar,
    loss_value: valueLoss(world, batch, tf.concat2d(states, 0)),
  };
}

/** `loss_value` alone, whose gradient stays in the prediction. */
export function cutValueLoss(world: World, batch: WindowBatch): tf.Scalar {
  const states = detached(() => tf.concat2d(unroll(world, batch).states, 0));
  return valueLoss(world, batch, states);
}

/** Against n rewards, and the value that the model itself sees behind them. */
function valueLoss({ model, facts }: World, batch: WindowBatch, states: tf.Tensor2D): tf.Scalar {
  const scale = deviation(facts.value);
  const [mean] = facts.value.mean as [number];
  const wanted = detached(() => {
    const { value } = model.predict(model.represent(batch.later));
    const later = tf.add(tf.mul(model.numbers.read(value), scale), mean);
    const returns = tf.add(batch.returns, tf.mul(batch.bootstrap, later));
    return tf.div<tf.Tensor2D>(tf.sub(returns, mean), scale);
  });
  const errors = model.numbers.errors(model.predict(states).value, wanted);
  return tf.mean(errors) as tf.Scalar;
}

/**
 * Stage 2, `loss_action`: imitation of what was really done, along what the policy itself does (its most likely
 * levels, or the planner's action first), and where a planner searched the cross-entropy with what it found.
 *
 * @param share of imitation, where a planner searched
 */
export function actionLoss(world: World, batch: WindowBatch, share: tf.Scalar): tf.Scalar {
  const logits = ownLogits(world, batch);
  const first = logits[0]!;
  const imitation = imitationLoss(world, batch, tf.concat2d(logits, 0));
  if (!batch.plannedShares) return imitation;
  const shares = byComponent(world, batch.plannedShares);
  const errors = crossEntropy(byComponent(world, first), shares, first.shape[0]);
  const count = tf.maximum(tf.sum(batch.searched!), 1);
  const search = tf.div(tf.sum(tf.mul(errors, batch.searched!)), count);
  return tf.add<tf.Scalar>(tf.mul(imitation, share), tf.mul(search, tf.sub(1, share)));
}

/** Logits at each state of a window, `[B, actionWidth · levels]`, that the policy's own actions lead to. */
function ownLogits(world: World, batch: WindowBatch): tf.Tensor2D[] {
  const { model, cut, gradientScale } = world;
  const steps = batch.actions.shape[0] / batch.observations.shape[0];
  const start = () => model.represent(batch.observations);
  let state = cut === "representation" ? detached(start) : start();
  const logits: tf.Tensor2D[] = [];
  for (let step = 0; step <= steps; step += 1) {
    const now = state;
    const own = model.predict(now).policy;
    logits.push(own);
    if (step === steps) break;
    const chosen = detached(() => firstOrOwn(world, { batch, own, step }));
    const next = () => model.advance(now, chosen).state;
    state = cut === "none" ? scaledGradient(next(), gradientScale) : detached(next);
  }
  return logits;
}

interface Choice {
  readonly batch: WindowBatch;
  readonly own: tf.Tensor2D;
  readonly step: number;
}

/** The most likely levels as actions; of the first step where a planner searched, the planner's. */
function firstOrOwn(world: World, { batch, own, step }: Choice): tf.Tensor2D {
  const chosen = likeliest(world, own);
  const { searched, plannedActions } = batch;
  if (step > 0 || !searched || !plannedActions) return chosen;
  return tf.add(tf.mul(plannedActions, searched), tf.mul(chosen, tf.sub(1, searched)));
}

/** `[rows, actionWidth]`, ±1 between the bounds. */
function likeliest({ facts, settings }: World, logits: tf.Tensor2D): tf.Tensor2D {
  const { action_levels: levels } = settings;
  const width = facts.levels.length;
  const numbers = tf.argMax(tf.reshape(logits, [-1, width, levels]), -1);
  const chosen = tf.oneHot(numbers as tf.Tensor1D, levels);
  const units = tf.tensor(toUnitLevels(facts), [1, width, levels]);
  return tf.sum(tf.mul(tf.cast(chosen, "float32"), units), -1) as tf.Tensor2D;
}

function imitationLoss(world: World, batch: WindowBatch, logits: tf.Tensor2D): tf.Scalar {
  const { action_levels: levels } = world.settings;
  const flat = tf.reshape(batch.levels, [-1]) as tf.Tensor1D;
  const done = tf.cast(tf.oneHot(flat, levels), "float32") as tf.Tensor2D;
  const errors = crossEntropy(byComponent(world, logits), done, logits.shape[0]);
  return tf.div<tf.Scalar>(tf.sum(tf.mul(errors, batch.acted)), tf.sum(batch.acted));
}

/** `[rows, actionWidth · levels]` → `[rows · actionWidth, levels]`. */
function byComponent({ settings }: World, values: tf.Tensor2D): tf.Tensor2D {
  return tf.reshape(values, [-1, settings.action_levels]);
}

/** Mean over the components of each row, `[rows, 1]`. */
function crossEntropy(logits: tf.Tensor2D, wanted: tf.Tensor2D, rows: number): tf.Tensor2D {
  const each = tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(logits, -1)), -1));
  return tf.mean(tf.reshape(each, [rows, -1]), 1, true) as tf.Tensor2D;
}
