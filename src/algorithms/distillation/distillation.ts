import * as tf from "@tensorflow/tfjs-core";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Memory } from "../../../policies/policy.ts";
import { Random, type RandomState } from "../../../policies/random.ts";
import { type Compile, eagerly, type Program, type Static } from "../../engine/compile/program.ts";
import type { Acting } from "../../learning/acting.ts";
import { letOthersRun } from "../../learning/between-updates.ts";
import type { Experience } from "../../learning/experience.ts";
import type { Learner, LearnerState, Needs } from "../../learning/learner.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { Owner } from "../../learning/owner.ts";
import type { GradientMeter, ParameterGroup, Update } from "../../learning/owners.ts";
import { scheduleFactor } from "../../learning/schedule.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { type Batch, batchOf, seenAfter } from "./batch.ts";
import { DaggerBuffer, mostSavedBytes } from "./dagger-buffer.ts";
import { createLoss, type Deviations } from "./loss.ts";
import { studentActing, studentGroup } from "./student-acting.ts";
import { remembers } from "./two-stages.ts";
import { createUnroll, type DeviceBatch, type Unroll } from "./unroll.ts";
import { type DistillationSettings, distillationDefaults } from "./update-settings.ts";
import { leftoverWindow, planWindows, type Window, windowSteps } from "./windows.ts";

export interface DistillationOptions {
  readonly settings?: Partial<DistillationSettings>;
  /** For losses of distributions; default: none is known. */
  readonly deviations?: Deviations;
  /** Draws from the buffer. */
  readonly random?: Random;
  /** Who makes one call of an optimiser step's operations; default: each is a call of its own. */
  readonly compile?: Compile;
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
  readonly acting: Acting;
  readonly #settings: DistillationSettings;
  readonly #deviations: Deviations;
  readonly #owner: Owner;
  readonly #unroll: Unroll;
  readonly #program: Program;
  /** The student's memory behind the last window. */
  #held: readonly tf.Tensor2D[] = [];
  readonly #random: Random;
  readonly #buffer: DaggerBuffer | undefined;

  /** @throws LearningError when the loss needs a deviation that nobody knows. */
  constructor(student: NetworkPolicy, options: DistillationOptions = {}) {
    const { settings, deviations = { student: 0 } } = options;
    const { random = new Random(0), compile = eagerly } = options;
    this.policies = { student };
    this.needs = { groups: student.reads, successors: [], notes: ["teacher_actions"] };
    this.groups = [studentGroup(student)];
    this.#settings = { ...distillationDefaults, ...settings };
    const { optimizer: rule, learning_rate, loss_type } = this.#settings;
    this.#buffer = bufferOf(this.#settings);
    this.acting = studentActing(student, { remembers: this.#buffer !== undefined });
    const rates = { learningRate: learning_rate, maxGradNorm: this.#settings.max_grad_norm };
    this.#owner = new Owner("student", this.groups, { rule, ...rates });
    this.#unroll = createUnroll(student.network, createLoss(loss_type, deviations));
    this.#program = compile({
      state: this.#owner.state,
      entries: { step: (inputs, form) => this.#step(inputs, form) },
    });
    this.#deviations = deviations;
    this.#random = random;
  }

  async update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics> {
    this.#owner.learningRate = this.#learningRateAt(stage.progress);
    const newest = batchOf(experience, this.policies.student);
    const { normaliser_update } = this.#settings;
    if (normaliser_update === 5.4) this.#normalise(newest, experience);
    const sums: tf.Scalar[] = [];
    let steps = 0;
    for (const [batch, windows, leftover] of this.#batches(newest)) {
      const device = this.#upload(batch);
      for (const window of windows) {
        sums.push(this.#descend(device, window, meter));
        steps += windowSteps(window);
        await letOthersRun();
      }
      if (leftover) {
        sums.push(this.#pass(device, leftover));
        steps += windowSteps(leftover);
      }
      tf.dispose(tensorsOf(device));
    }
    const behavior = (await readSum(sums)) / steps;
    if (!Number.isFinite(behavior)) throw diverged(behavior, this.#owner.learningRate);
    if (normaliser_update === 5.5) this.policies.student.normaliser?.update(newest.inputs);
    return {
      "Loss/behavior": behavior,
      "Loss/learning_rate": this.#owner.learningRate,
      ...(this.#buffer ? { "Distillation/buffer_size": this.#buffer.size } : {}),
      "Policy/mean_std": this.#deviations.student,
    };
  }

  /**
   * What is learned from in one update, each with the windows to take it in, and with the steps that are
   * gone over without learning. The reference: the newest rollout, some epochs over. With a buffer: as many
   * windows of transitions from anywhere in it; a student with a memory goes through the newest rollout and
   * then through others, one for each epoch.
   */
  *#batches(newest: Batch): Generator<readonly [Batch, readonly Window[], (Window | undefined)?]> {
    const epochs = this.#settings.num_learning_epochs;
    if (!this.#buffer) {
      yield [newest, this.#plan(newest.steps, epochs), this.#leftover(newest.steps, epochs)];
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

  #leftover(steps: number, epochs: number): Window | undefined {
    const { gradient_length: gradientLength, drop_leftover_steps } = this.#settings;
    return drop_leftover_steps ? leftoverWindow({ steps, epochs, gradientLength }) : undefined;
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
      ...(memory.length === 0 ? {} : { alive: matrix(alive, rows) }),
      ended: Array.from({ length: steps }, (_, step) =>
        alive.subarray(step * numEnvs, (step + 1) * numEnvs).includes(0),
      ),
      memory: memory.map((state) => matrix(state, numEnvs)),
      numEnvs,
    };
  }

  #descend(batch: DeviceBatch, window: Window, meter?: GradientMeter): tf.Scalar {
    const { tensors, form } = tf.tidy(() => this.#unroll.cut(batch, window, this.#held));
    const step = () => {
      const scalars = this.#owner.nextStep();
      const outputs = this.#program.run("step", [...scalars, ...tensors], form);
      tf.dispose(scalars);
      return outputs;
    };
    const lossOf = () => this.#unroll.loss(tensors, form)().loss;
    const [loss, ...memory] = meter ? meter.measure(imitation, lossOf, step) : step();
    this.#goOn(batch, tensors, memory);
    return loss as tf.Scalar;
  }

  /** An optimiser step as a function of tensors: the loss, and the memory behind the window. */
  #step(inputs: readonly tf.Tensor[], form: readonly Static[]): tf.Tensor[] {
    const scalars = inputs.slice(0, this.#owner.scalars);
    const lossOf = this.#unroll.loss(inputs.slice(scalars.length), form);
    const { loss, besides } = this.#owner.descend(() => {
      const { loss, memory } = lossOf();
      return { loss, besides: memory };
    }, scalars);
    return [loss, ...besides];
  }

  /** The loss of steps that nothing is learned from; the memory moves on. */
  #pass(batch: DeviceBatch, window: Window): tf.Scalar {
    const { tensors, form } = tf.tidy(() => this.#unroll.cut(batch, window, this.#held));
    const [loss, ...memory] = tf.tidy(() => {
      const flown = this.#unroll.loss(tensors, form)();
      return [flown.loss, ...flown.memory];
    });
    this.#goOn(batch, tensors, memory);
    return loss as tf.Scalar;
  }

  /** The next window starts from this memory; what was cut for this one goes. */
  #goOn(batch: DeviceBatch, cut: readonly tf.Tensor[], memory: readonly tf.Tensor[]): void {
    const own = new Set(tensorsOf(batch));
    tf.dispose([...this.#held, ...cut.filter((tensor) => !own.has(tensor))]);
    this.#held = memory as tf.Tensor2D[];
  }

  /** The student's memory at the end of the last update's last pass. */
  memory(): Promise<Memory> {
    return Promise.all(this.#held.map(async (state) => (await state.data<"float32">()).slice()));
  }

  async save(): Promise<LearnerState> {
    const { arrays, counters } = await this.#owner.save();
    return {
      arrays: { ...(await this.acting.give()), ...arrays, ...this.#buffer?.save() },
      counters: { ...counters, buffer: this.#random.save() },
    };
  }

  load(state: LearnerState): void {
    this.acting.take(state.arrays);
    this.#owner.load(state);
    this.#buffer?.load(state.arrays);
    if (state.counters.buffer) this.#random.load(state.counters.buffer as RandomState);
  }

  dispose(): void {
    this.#program.dispose();
    this.#owner.dispose();
    tf.dispose([...this.#held]);
  }
}

function tensorsOf({ inputs, targets, alive, memory }: DeviceBatch): tf.Tensor[] {
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

/** By its own bound, or of so many rollouts as a checkpoint holds. */
function bufferOf(settings: DistillationSettings): DaggerBuffer | undefined {
  if (!remembers(settings)) return undefined;
  const { buffer_size, buffer_rollouts } = settings;
  const rollouts = buffer_rollouts || Number.POSITIVE_INFINITY;
  return new DaggerBuffer({
    rollouts,
    ...(buffer_size > 0 ? { transitions: buffer_size } : { bytes: mostSavedBytes }),
  });
}

function diverged(loss: number, learningRate: number): LearningError {
  return new LearningError(
    "diverged",
    `The behaviour loss is ${loss} at a learning rate of ${learningRate}.`,
    "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
  );
}
