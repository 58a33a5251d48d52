import * as tf from "@tensorflow/tfjs-core";
import type { NamedArray, NamedArrays } from "../../policies/named-array.ts";
import type { Network } from "../../policies/network.ts";
import type { NetworkPolicy } from "../../policies/network-policy.ts";
import type { Memory } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import { type Compile, eagerly, type Program, type Static } from "../engine/compile/program.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import { Aggregate, type Lesson } from "./aggregate.ts";
import type { Rollout } from "./experience.ts";
import { LearningError } from "./learning-error.ts";
import { createLoss, type Deviations, type LossType } from "./loss.ts";
import type { Learner, LearnerState } from "./old-learner.ts";
import { Optimiser } from "./optimiser.ts";
import type { RuleName } from "./rules.ts";
import { type ScheduleName, scheduleFactor } from "./schedule.ts";
import { type Batch, createUnroll, type Unroll } from "./unroll.ts";
import { planWindows, type Window, windowSteps } from "./windows.ts";

/** Settings of the update, by rsl_rl's names and with its defaults. */
export interface DistillationSettings {
  readonly num_learning_epochs: number;
  /** Time steps summed into one loss, and so behind one optimiser step. */
  readonly gradient_length: number;
  readonly learning_rate: number;
  /** How that rate falls over the run, and the share of it that is left at the end. */
  readonly learning_rate_schedule: ScheduleName;
  readonly learning_rate_last: number;
  /** Norm to which the gradient of that SUM is clipped; null: not at all. */
  readonly max_grad_norm: number | null;
  readonly loss_type: LossType;
  readonly optimizer: RuleName;
  /**
   * Transitions of past rollouts that are learned from again, as DAgger does; 0: the newest rollout
   * alone. Not kept in checkpoints: a resumed run collects it anew.
   */
  readonly buffer_size: number;
  /** rsl_rl throws away the steps after the last full window; so does this when true. */
  readonly drop_leftover_steps: boolean;
}

export const distillationDefaults: DistillationSettings = {
  num_learning_epochs: 1,
  gradient_length: 15,
  learning_rate: 1e-3,
  learning_rate_schedule: "constant",
  learning_rate_last: 0.02,
  max_grad_norm: null,
  loss_type: "mse",
  optimizer: "adam",
  buffer_size: 0,
  drop_leftover_steps: false,
};

export interface DistillationOptions {
  readonly settings?: Partial<DistillationSettings>;
  /** For losses of distributions; default: none is known. */
  readonly deviations?: Deviations;
  /** Draws from the buffer. */
  readonly random?: Random;
  /** Who makes one call of an optimiser step's operations; default: each is a call of its own. */
  readonly compile?: Compile;
}

/** A batch on the device with the windows to take it in. */
interface Study {
  readonly batch: Batch;
  readonly windows: readonly Window[];
}

/**
 * Behaviour cloning of the teacher's actions, as rsl_rl's `Distillation.update`: the loss of a
 * window is the sum over its steps of the mean over environments and action components. A
 * feed-forward student takes a whole window as one batch: the same
 * gradient in one pass.
 */
export class Distillation implements Learner {
  readonly policy: NetworkPolicy;
  readonly needs: readonly string[];
  readonly #settings: DistillationSettings;
  readonly #optimiser: Optimiser;
  readonly #unroll: Unroll;
  readonly #program: Program;
  /** The student's memory behind the last window. */
  #held: readonly tf.Tensor2D[] = [];
  readonly #random: Random;
  readonly #aggregate: Aggregate | undefined;

  /** @throws LearningError when the loss needs a deviation that nobody knows. */
  constructor(policy: NetworkPolicy, options: DistillationOptions = {}) {
    const { settings, deviations = { student: 0 } } = options;
    const { random = new Random(0), compile = eagerly } = options;
    this.policy = policy;
    this.needs = policy.reads;
    this.#settings = { ...distillationDefaults, ...settings };
    const { optimizer, learning_rate, loss_type, buffer_size } = this.#settings;
    this.#optimiser = new Optimiser(optimizer, policy.network.parameters, learning_rate);
    this.#unroll = createUnroll(policy.network, createLoss(loss_type, deviations));
    this.#program = compile({
      state: this.#optimiser.state,
      entries: { step: (inputs, form) => this.#step(inputs, form) },
    });
    this.#random = random;
    this.#aggregate = buffer_size > 0 ? new Aggregate(buffer_size) : undefined;
  }

  async update(rollout: Rollout, progress = 0): Promise<Metrics> {
    this.#optimiser.learningRate = this.#learningRateAt(progress);
    this.#normalise(rollout);
    const sums: tf.Scalar[] = [];
    let steps = 0;
    for (const { batch, windows } of this.#studies(this.#lessonOf(rollout))) {
      for (const window of windows) {
        sums.push(this.#descend(batch, window));
        steps += windowSteps(window);
        await letOthersRun();
      }
      tf.dispose(tensorsOf(batch));
    }
    const behavior = (await readSum(sums)) / steps;
    if (!Number.isFinite(behavior)) throw diverged(behavior, this.#optimiser.learningRate);
    return {
      "Loss/behavior": behavior,
      "Loss/learning_rate": this.#optimiser.learningRate,
      ...(this.#aggregate ? { "Distillation/buffer_size": this.#aggregate.size } : {}),
    };
  }

  /**
   * What is studied in one update. The reference: the newest rollout, some epochs over. With a buffer:
   * as many windows of transitions from anywhere in it; a student with a memory goes through the newest
   * rollout and then through others, one for each epoch.
   */
  *#studies(newest: Lesson): Generator<Study> {
    const epochs = this.#settings.num_learning_epochs;
    if (!this.#aggregate) {
      yield { batch: this.#upload(newest), windows: this.#plan(newest.steps, epochs) };
      return;
    }
    this.#aggregate.add(newest);
    if (this.policy.network.memoryWidths.length === 0) {
      for (const window of this.#plan(newest.steps, epochs)) {
        const steps = windowSteps(window);
        const drawn = this.#aggregate.drawRows(steps, newest.numEnvs, this.#random);
        yield { batch: this.#upload(drawn), windows: [[{ epoch: 0, from: 0, to: steps }]] };
      }
      return;
    }
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const lesson = epoch === 0 ? newest : this.#aggregate.drawLesson(this.#random);
      yield { batch: this.#upload(lesson), windows: this.#plan(lesson.steps, 1) };
    }
  }

  #plan(steps: number, epochs: number): readonly Window[] {
    const { gradient_length: gradientLength, drop_leftover_steps: dropLeftover } = this.#settings;
    return planWindows({ steps, epochs, gradientLength, dropLeftover });
  }

  #learningRateAt(progress: number): number {
    const { learning_rate, learning_rate_schedule, learning_rate_last } = this.#settings;
    return learning_rate * scheduleFactor(learning_rate_schedule, progress, learning_rate_last);
  }

  /** The student sees this rollout through statistics that include it, as the reference's does. */
  #normalise(rollout: Rollout): void {
    const { normaliser } = this.policy;
    if (!normaliser) return;
    const rows = rollout.numEnvs * this.policy.observationWidth;
    const seen = this.policy.gather(rollout.observations, rollout.steps * rollout.numEnvs);
    for (let step = 1; step < rollout.steps; step += 1) {
      normaliser.update(seen.subarray(step * rows, (step + 1) * rows));
    }
    normaliser.update(this.policy.gather(rollout.next, rollout.numEnvs));
  }

  #lessonOf(rollout: Rollout): Lesson {
    const { steps, numEnvs, terminated, truncated, teacherActions, memory } = rollout;
    const alive = Float32Array.from(terminated, (ended, i) => (ended || truncated[i] ? 0 : 1));
    const inputs = this.policy.gather(rollout.observations, steps * numEnvs);
    return { steps, numEnvs, inputs, targets: teacherActions, alive, memory };
  }

  /** A tensor may share the lesson's array; nobody writes to either. */
  #upload({ steps, numEnvs, inputs, targets, alive, memory }: Lesson): Batch {
    const { policy } = this;
    const rows = steps * numEnvs;
    const matrix = (data: Float32Array, height: number) =>
      tf.tensor2d(data, [height, data.length / height]);
    return {
      inputs: tf.tidy(() => {
        const raw = matrix(inputs, rows);
        return policy.normaliser ? policy.normaliser.apply(raw) : raw;
      }),
      targets: matrix(targets, rows),
      ...(memory.length === 0 ? {} : { alive: matrix(alive, rows) }),
      ended: Array.from({ length: steps }, (_, step) =>
        alive.subarray(step * numEnvs, (step + 1) * numEnvs).includes(0),
      ),
      memory: memory.map((state) => matrix(state, numEnvs)),
      numEnvs,
    };
  }

  #descend(batch: Batch, window: Window): tf.Scalar {
    const scalars = this.#optimiser.nextStep();
    const { tensors, form } = tf.tidy(() => this.#unroll.cut(batch, window, this.#held));
    const [loss, ...memory] = this.#program.run("step", [...scalars, ...tensors], form);
    const own = new Set(tensorsOf(batch));
    tf.dispose([...scalars, ...this.#held, ...tensors.filter((tensor) => !own.has(tensor))]);
    this.#held = memory as tf.Tensor2D[];
    return loss as tf.Scalar;
  }

  /** An optimiser step as a function of tensors: the loss, and the memory behind the window. */
  #step(inputs: readonly tf.Tensor[], form: readonly Static[]): tf.Tensor[] {
    const { max_grad_norm: maxGradNorm } = this.#settings;
    const scalars = inputs.slice(0, this.#optimiser.scalars);
    const lossOf = this.#unroll.loss(inputs.slice(scalars.length), form);
    const terms = () => {
      const { loss, memory } = lossOf();
      return { loss, besides: memory };
    };
    const { loss, besides } = this.#optimiser.descend(terms, { maxGradNorm, scalars });
    return [loss, ...besides];
  }

  /** The student's memory at the end of the last update's last pass. */
  memory(): Promise<Memory> {
    return Promise.all(this.#held.map(async (state) => (await state.data<"float32">()).slice()));
  }

  async save(): Promise<LearnerState> {
    const student = await readParameters(this.policy.network);
    const statistics = this.policy.normaliser?.save() ?? {};
    return { student: { ...statistics, ...student }, optimiser: await this.#optimiser.save() };
  }

  load(state: LearnerState): void {
    loadParameters(this.policy.network, state.student);
    this.policy.normaliser?.load(state.student);
    this.#optimiser.load(state.optimiser);
  }

  dispose(): void {
    this.#program.dispose();
    this.#optimiser.dispose();
    tf.dispose([...this.#held]);
  }
}

function tensorsOf({ inputs, targets, alive, memory }: Batch): tf.Tensor[] {
  return [inputs, targets, ...(alive ? [alive] : []), ...memory];
}

/** One readback for the whole update: each is a wait for the device. */
async function readSum(scalars: tf.Scalar[]): Promise<number> {
  if (scalars.length === 0) return 0;
  const sum = tf.tidy(() => tf.sum(tf.stack(scalars)));
  const [value] = await sum.data<"float32">();
  tf.dispose([sum, ...scalars]);
  return value!;
}

/** Signals, timers and the screen get their turn between two optimiser steps. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function diverged(loss: number, learningRate: number): LearningError {
  return new LearningError(
    "diverged",
    `The behaviour loss is ${loss} at a learning rate of ${learningRate}.`,
    "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
  );
}

async function readParameters(network: Network): Promise<Record<string, NamedArray>> {
  const out: Record<string, NamedArray> = {};
  for (const { name, value } of network.parameters) {
    out[name] = { shape: value.shape, data: (await value.data<"float32">()).slice() };
  }
  return out;
}

function loadParameters(network: Network, arrays: NamedArrays): void {
  for (const { name, value } of network.parameters) {
    const array = arrays[name];
    if (!array || array.shape.join() !== value.shape.join()) {
      throw new LearningError(
        "student-mismatch",
        `The checkpoint's '${name}' is [${array?.shape ?? "missing"}]; this student's is [${value.shape}].`,
        "Use the network sizes and observation groups the checkpoint was made with.",
      );
    }
    tf.tidy(() => value.assign(tf.tensor(array.data.slice(), value.shape)));
  }
}
