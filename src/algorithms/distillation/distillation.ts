import * as tf from "@tensorflow/tfjs-core";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Memory } from "../../../policies/policy.ts";
import { Random, type RandomState } from "../../../policies/random.ts";
import type { Experience } from "../../learning/experience.ts";
import type { Learner, LearnerState, Needs } from "../../learning/learner.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { Owner } from "../../learning/owner.ts";
import type { GradientMeter, ParameterGroup, Update } from "../../learning/owners.ts";
import { arraysUnder, loadParameters, readParameters } from "../../learning/parameters.ts";
import type { RuleName } from "../../learning/rules.ts";
import { type ScheduleName, scheduleFactor } from "../../learning/schedule.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { type Batch, batchOf, seenAfter } from "./batch.ts";
import { DaggerBuffer } from "./dagger-buffer.ts";
import { createLoss, type Deviations, type LossType } from "./loss.ts";
import { createUnroll, type DeviceBatch, type Unroll } from "./unroll.ts";
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
   * alone. Kept in checkpoints, but for the best student's.
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
}

/** The one update of the one group. */
const imitation: Update = {
  name: "student",
  owner: "student",
  terms: ["behavior"],
  claims: { student: "step" },
};

/**
 * Behaviour cloning of the teacher's actions, as rsl_rl's `Distillation.update`: the loss of a
 * window is the sum over its steps of the mean over environments and action components. A
 * feed-forward student takes a whole window as one batch: the same gradient in one pass.
 */
export class Distillation implements Learner {
  readonly needs: Needs;
  readonly groups: readonly ParameterGroup[];
  readonly updates = [imitation];
  readonly losses = ["behavior"];
  readonly policies: { readonly student: NetworkPolicy };
  readonly #settings: DistillationSettings;
  readonly #deviations: Deviations;
  readonly #owner: Owner;
  readonly #unroll: Unroll;
  readonly #random: Random;
  readonly #buffer: DaggerBuffer | undefined;

  /** @throws LearningError when the loss needs a deviation that nobody knows. */
  constructor(student: NetworkPolicy, options: DistillationOptions = {}) {
    const { settings, deviations = { student: 0 }, random = new Random(0) } = options;
    this.policies = { student };
    this.needs = { groups: student.reads, successors: [], notes: ["teacher_actions"] };
    const { parameters } = student.network;
    this.groups = [{ name: "student", owner: "student", parameters }];
    this.#settings = { ...distillationDefaults, ...settings };
    const { optimizer: rule, learning_rate, loss_type, buffer_size } = this.#settings;
    const rates = { learningRate: learning_rate, maxGradNorm: this.#settings.max_grad_norm };
    this.#owner = new Owner("student", this.groups, { rule, ...rates });
    this.#unroll = createUnroll(student.network, createLoss(loss_type, deviations));
    this.#deviations = deviations;
    this.#random = random;
    this.#buffer = buffer_size > 0 ? new DaggerBuffer(buffer_size) : undefined;
  }

  async update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics> {
    this.#owner.learningRate = this.#learningRateAt(stage.progress);
    const newest = batchOf(experience, this.policies.student);
    this.#normalise(newest, experience);
    const sums: tf.Scalar[] = [];
    let steps = 0;
    for (const [batch, windows] of this.#batches(newest)) {
      const device = this.#upload(batch);
      for (const window of windows) {
        sums.push(this.#descend(device, window, meter));
        steps += windowSteps(window);
        await letOthersRun();
      }
      tf.dispose([device.inputs, device.targets, ...device.memory]);
      tf.dispose(device.alive.filter((step) => step !== null));
    }
    const behavior = (await readSum(sums)) / steps;
    if (!Number.isFinite(behavior)) throw diverged(behavior, this.#owner.learningRate);
    return {
      "Loss/behavior": behavior,
      "Loss/learning_rate": this.#owner.learningRate,
      ...(this.#buffer ? { "Distillation/buffer_size": this.#buffer.size } : {}),
      "Policy/mean_std": this.#deviations.student,
    };
  }

  /**
   * What is learned from in one update, each with the windows to take it in. The reference: the newest
   * rollout, some epochs over. With a buffer: as many windows of transitions from anywhere in it; a student
   * with a memory goes through the newest rollout and then through others, one for each epoch.
   */
  *#batches(newest: Batch): Generator<readonly [Batch, readonly Window[]]> {
    const epochs = this.#settings.num_learning_epochs;
    if (!this.#buffer) {
      yield [newest, this.#plan(newest.steps, epochs)];
      return;
    }
    this.#buffer.add(newest);
    if (newest.memory.length === 0) {
      for (const window of this.#plan(newest.steps, epochs)) {
        const steps = windowSteps(window);
        const drawn = this.#buffer.drawRows(steps, newest.numEnvs, this.#random);
        yield [drawn, [[{ from: 0, to: steps }]]];
      }
      return;
    }
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const batch = epoch === 0 ? newest : this.#buffer.drawBatch(this.#random);
      yield [batch, this.#plan(batch.steps, 1)];
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
  #normalise({ inputs, steps, numEnvs }: Batch, experience: Experience): void {
    const { student } = this.policies;
    if (!student.normaliser) return;
    const width = numEnvs * student.observationWidth;
    for (let step = 1; step < steps; step += 1) {
      student.normaliser.update(inputs.subarray(step * width, (step + 1) * width));
    }
    student.normaliser.update(seenAfter(experience, student));
  }

  /** A tensor may share the batch's array; nobody writes to either. */
  #upload({ steps, numEnvs, inputs, targets, alive, memory }: Batch): DeviceBatch {
    const { normaliser } = this.policies.student;
    const rows = steps * numEnvs;
    const matrix = (data: Float32Array, height: number) =>
      tf.tensor2d(data, [height, data.length / height]);
    return {
      inputs: tf.tidy(() => {
        const raw = matrix(inputs, rows);
        return normaliser ? normaliser.apply(raw) : raw;
      }),
      targets: matrix(targets, rows),
      alive: Array.from({ length: memory.length === 0 ? 0 : steps }, (_, step) => {
        const living = alive.subarray(step * numEnvs, (step + 1) * numEnvs);
        return living.includes(0) ? matrix(living.slice(), numEnvs) : null;
      }),
      memory: memory.map((state) => matrix(state, numEnvs)),
      numEnvs,
    };
  }

  #descend(batch: DeviceBatch, window: Window, meter?: GradientMeter): tf.Scalar {
    const loss = () => this.#unroll.loss(batch, window);
    const step = () => this.#owner.step(loss);
    const sum = meter ? meter.measure(imitation, loss, step) : step();
    this.#unroll.advance();
    return sum;
  }

  /** The student's memory at the end of the last update's last pass. */
  memory(): Promise<Memory> {
    return this.#unroll.memory();
  }

  async save(): Promise<LearnerState> {
    const { normaliser } = this.policies.student;
    const statistics = Object.entries(normaliser?.save() ?? {});
    const { arrays, counters } = await this.#owner.save();
    return {
      arrays: {
        ...(await readParameters(this.groups)),
        ...Object.fromEntries(statistics.map(([name, a]) => [`normalisers/student/${name}`, a])),
        ...arrays,
        ...this.#buffer?.save(),
      },
      counters: { ...counters, buffer: this.#random.save() },
    };
  }

  load(state: LearnerState): void {
    loadParameters(this.groups, state.arrays);
    const { normaliser } = this.policies.student;
    if (normaliser) normaliser.load(arraysUnder("normalisers/student/", state.arrays));
    this.#owner.load(state);
    this.#buffer?.load(state.arrays);
    if (state.counters.buffer) this.#random.load(state.counters.buffer as RandomState);
  }

  dispose(): void {
    this.#owner.dispose();
    this.#unroll.dispose();
  }
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
