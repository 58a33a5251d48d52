import type { Memory, Policy } from "../../../policies/policy.ts";
import type { Random, RandomState } from "../../../policies/random.ts";
import type { Frame } from "../../../protocol/frame.ts";
import type { ActionSpec } from "../../../protocol/spec.ts";
import type { Seats } from "../../running/env-split.ts";
import { clip, copyRows, finite, whenStudentBreaks, whenTeacherBreaks } from "./actions.ts";
import {
  firstPhase,
  type HandOverSettings,
  type HandOverState,
  judge,
  observe,
  phaseTwo,
  resumed,
  resumePhaseOne,
  teacherShare,
  type Verdict,
} from "./two-stage-plan.ts";

/** What both pilots would do, and what is done. Arrays are `[numEnvs, actionWidth]`, row-major. */
export interface Decision {
  /** The driver's, to be sent to the simulator. */
  readonly actions: Float32Array;
  /** The student's mean action, whoever drives. */
  readonly studentActions: Float32Array;
  /** The teacher's, clipped to the action range, whoever drives. */
  readonly teacherActions: Float32Array;
}

export interface TrainingPhaseInfo {
  readonly phase: 1 | 2;
  /** Iterations flown in this phase, and how many it lasts by plan. */
  readonly phaseIteration: number;
  readonly phaseLength: number;
  /** Share of the training episodes that the teacher flies now. */
  readonly teacherShare: number;
  /** What should happen before this iteration is flown. */
  readonly verdict: Verdict;
}

export interface CockpitState {
  readonly handOver: HandOverState;
  readonly flownByTeacher: readonly number[];
  readonly noise: RandomState;
  readonly draws: RandomState;
  readonly studentMemory: readonly (readonly number[])[];
  readonly teacherMemory: readonly (readonly number[])[];
}

export interface CockpitOptions {
  readonly student: Policy;
  readonly teacher: Policy;
  readonly action: ActionSpec;
  readonly seats: Seats;
  readonly handOver: HandOverSettings;
  /** Standard deviation of the noise on the student's actions while it drives training rows. */
  readonly noiseStd: number;
  /** For that noise. */
  readonly random: Random;
  /** For who flies an episode; a generator of its own, so that the noise doesn't depend on it. */
  readonly draws: Random;
}

/** Who holds the controls: asks both pilots at every step and sends what the driver of each row says. */
export class Cockpit {
  readonly #options: CockpitOptions;
  #handOver: HandOverState;
  #share: number;
  /** Training rows whose episode the teacher flies. */
  readonly #flownByTeacher: Uint8Array;
  #studentMemory: Memory;
  #teacherMemory: Memory;

  constructor(options: CockpitOptions) {
    const { seats, handOver, student, teacher } = options;
    this.#options = options;
    this.#handOver = firstPhase(handOver);
    this.#share = teacherShare(this.#handOver, 0, handOver);
    this.#flownByTeacher = new Uint8Array(seats.training.to);
    this.#studentMemory = student.initialMemory(seats.numEnvs);
    this.#teacherMemory = teacher.initialMemory(seats.numEnvs);
  }

  /** Takes the teacher's share of this iteration's episodes from the plan. */
  beginIteration(iteration: number): void {
    this.#share = teacherShare(this.#handOver, iteration, this.#options.handOver);
  }

  async act(frame: Frame): Promise<Decision> {
    const { student, teacher, action, seats } = this.#options;
    const flown = await student.act(frame, this.#studentMemory);
    const shown = await teacher.act(frame, this.#teacherMemory);
    this.#studentMemory = flown.memory;
    this.#teacherMemory = shown.memory;
    const studentActions = finite(flown.actions, whenStudentBreaks);
    const teacherActions = clip(finite(shown.actions, whenTeacherBreaks), action);
    this.#drawDrivers(frame);
    const actions = this.#driven(studentActions, teacherActions);
    copyRows(studentActions, actions, seats.studentCheck, seats.numEnvs);
    copyRows(teacherActions, actions, seats.teacherCheck, seats.numEnvs);
    return { actions, studentActions, teacherActions };
  }

  /** The student's memory of the training rows as it will act on this frame: nothing of an episode before. */
  studentMemory({ started }: Frame): Memory {
    const { seats } = this.#options;
    return this.#studentMemory.map((state) => {
      const width = state.length / seats.numEnvs;
      const rows = state.slice(0, seats.training.to * width);
      return rows.map((value, i) => (started[Math.floor(i / width)] ? 0 : value));
    });
  }

  /** Hands the controls of the training rows to the student, at once. */
  switchToPhase2(iteration: number): void {
    if (this.#handOver.phase === 2) return;
    this.#handOver = phaseTwo(iteration, this.#options.handOver.max_iterations);
  }

  /** Gives them back to the teacher for a while: the student has collapsed. */
  switchToPhase1(iteration: number): void {
    if (this.#handOver.phase === 1) return;
    this.#handOver = resumePhaseOne(iteration, this.#options.handOver);
  }

  /** Takes in the student's share of the teacher's return, NaN where it isn't known yet: gate and guard go by it. */
  observe(ratio: number): void {
    this.#handOver = observe(this.#handOver, ratio, this.#options.handOver);
  }

  trainingPhaseInfo(iteration: number): TrainingPhaseInfo {
    const { phase, from, to } = this.#handOver;
    return {
      phase,
      phaseIteration: iteration - from,
      phaseLength: to - from,
      teacherShare: teacherShare(this.#handOver, iteration, this.#options.handOver),
      verdict: judge(this.#handOver, iteration, this.#options.handOver),
    };
  }

  /** Standard deviation of the noise the student flies training rows with. */
  get noiseStd(): number {
    return this.#options.noiseStd;
  }

  /** Memories start afresh with the episodes: after a reset of the whole fleet. */
  forget(): void {
    const { student, teacher, seats } = this.#options;
    this.#studentMemory = student.initialMemory(seats.numEnvs);
    this.#teacherMemory = teacher.initialMemory(seats.numEnvs);
  }

  save(): CockpitState {
    return {
      handOver: this.#handOver,
      flownByTeacher: [...this.#flownByTeacher],
      noise: this.#options.random.save(),
      draws: this.#options.draws.save(),
      studentMemory: this.#studentMemory.map((m) => [...m]),
      teacherMemory: this.#teacherMemory.map((m) => [...m]),
    };
  }

  /** The plan may have changed since. */
  load(state: CockpitState): void {
    this.#handOver = resumed(state.handOver, this.#options.handOver);
    this.#flownByTeacher.set(state.flownByTeacher.slice(0, this.#flownByTeacher.length));
    this.#options.random.load(state.noise);
    this.#options.draws.load(state.draws);
    this.#studentMemory = state.studentMemory.map((m) => Float32Array.from(m));
    this.#teacherMemory = state.teacherMemory.map((m) => Float32Array.from(m));
  }

  /** A share of 0 or 1 holds at once; in between each episode keeps the pilot it was drawn for. */
  #drawDrivers({ started }: Frame): void {
    const share = this.#share;
    if (share === 0 || share === 1) {
      this.#flownByTeacher.fill(share);
      return;
    }
    const { draws } = this.#options;
    for (let row = 0; row < this.#flownByTeacher.length; row += 1) {
      if (started[row]) this.#flownByTeacher[row] = draws.uniform() < share ? 1 : 0;
    }
  }

  /** The driver's action of each training row; the student's with its noise. */
  #driven(student: Float32Array, teacher: Float32Array): Float32Array {
    const { noiseStd, random, seats } = this.#options;
    const actions = student.slice();
    const width = actions.length / seats.numEnvs;
    for (let row = 0; row < this.#flownByTeacher.length; row += 1) {
      for (let i = row * width; i < (row + 1) * width; i += 1) {
        if (this.#flownByTeacher[row]) actions[i] = teacher[i]!;
        else if (noiseStd > 0) actions[i]! += noiseStd * random.normal();
      }
    }
    return actions;
  }
}
