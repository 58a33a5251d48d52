import type { Flown, Memory, Policy } from "../../../policies/policy.ts";
import type { Random, RandomState } from "../../../policies/random.ts";
import type { Frame } from "../../../protocol/frame.ts";
import type { ActionSpec, TensorSpec } from "../../../protocol/spec.ts";
import type { Stage } from "../../learning/stage.ts";
import { clipped, copyRows, refuseBrokenActions } from "../../running/actions.ts";
import type { Acted, Actor } from "../../running/actor.ts";
import type { EnvSplit } from "../../running/env-split.ts";
import { memoryFrom, type SavedMemory, savedMemory } from "../../running/saved-memory.ts";

export interface ActorState {
  readonly flownByTeacher: readonly number[];
  readonly noise: RandomState;
  readonly draws: RandomState;
  readonly studentMemory: SavedMemory;
  readonly teacherMemory: SavedMemory;
}

export interface TeacherStudentOptions {
  readonly student: Policy;
  readonly teacher: Policy;
  /** Student and teacher, in this order, where both act in one call. */
  readonly together?: Together | undefined;
  readonly action: ActionSpec;
  readonly split: EnvSplit;
  /** Standard deviation of the noise on the student's actions while it drives training rows. */
  readonly noiseStd: number;
  /** For that noise. */
  readonly random: Random;
  /** For who drives an episode; a generator of its own, so that the noise doesn't depend on it. */
  readonly draws: Random;
}

/** See `CompiledPolicies`. */
export interface Together {
  act(frame: Frame, memories: readonly Memory[]): Promise<Flown[]>;
}

/** Asks teacher and student at every step, and does what the driver of each row says. */
export class TeacherStudentActor implements Actor {
  readonly notes: Readonly<Record<string, TensorSpec>>;
  readonly #options: TeacherStudentOptions;
  /** Training rows whose episode the teacher drives. */
  readonly #flownByTeacher: Uint8Array;
  #studentMemory: Memory;
  #teacherMemory: Memory;

  constructor(options: TeacherStudentOptions) {
    const { split, student, teacher, action } = options;
    const likeActions = { dtype: "<f4", shape: action.shape } as const;
    this.notes = {
      /** The student's mean action, whoever drives. */
      student_actions: likeActions,
      /** The teacher's, clipped to the action range, whoever drives. */
      teacher_actions: likeActions,
      /** Added to the student's mean action where it drove. */
      noise: likeActions,
      /** 1 where the teacher drove. */
      driver: { dtype: "|u1", shape: [] },
    };
    this.#options = options;
    this.#flownByTeacher = new Uint8Array(split.training.to);
    this.#studentMemory = student.initialMemory(split.numEnvs);
    this.#teacherMemory = teacher.initialMemory(split.numEnvs);
  }

  /** A `teacher_share` of 0 or 1 holds at once; in between each episode keeps the driver it was drawn for. */
  async act(frame: Frame, stage: Stage): Promise<Acted> {
    const { action, split } = this.#options;
    const [flown, shown] = await this.#asked(frame);
    this.#studentMemory = flown.memory;
    this.#teacherMemory = shown.memory;
    refuseBrokenActions("student", flown.actions);
    refuseBrokenActions("teacher", shown.actions);
    const taught = clipped(shown.actions, action);
    this.#drawDrivers(frame, stage.settings.teacher_share ?? 0);
    const { actions, noise } = this.#driven(flown.actions, taught);
    const driver = new Uint8Array(split.numEnvs);
    driver.set(this.#flownByTeacher);
    const { student: studentRows, teacher: teacherRows } = split.evaluation;
    if (studentRows) copyRows(flown.actions, actions, studentRows, split.numEnvs);
    if (teacherRows) {
      copyRows(taught, actions, teacherRows, split.numEnvs);
      driver.fill(1, teacherRows.from, teacherRows.to);
    }
    const notes = { student_actions: flown.actions, teacher_actions: taught, noise, driver };
    return { actions, notes };
  }

  async #asked(frame: Frame): Promise<[student: Flown, teacher: Flown]> {
    const { student, teacher, together } = this.#options;
    const memories = [this.#studentMemory, this.#teacherMemory] as const;
    if (together) {
      const [flown, shown] = await together.act(frame, memories);
      return [flown!, shown!];
    }
    return [await student.act(frame, memories[0]), await teacher.act(frame, memories[1])];
  }

  memory({ started }: Frame): Memory {
    return this.#studentMemory.map((state) => {
      const width = state.length / started.length;
      const remembered = state.slice();
      for (let row = 0; row < started.length; row += 1) {
        if (started[row]) remembered.fill(0, row * width, (row + 1) * width);
      }
      return remembered;
    });
  }

  forget(): void {
    const { student, teacher, split } = this.#options;
    this.#studentMemory = student.initialMemory(split.numEnvs);
    this.#teacherMemory = teacher.initialMemory(split.numEnvs);
  }

  save(): ActorState {
    return {
      flownByTeacher: [...this.#flownByTeacher],
      noise: this.#options.random.save(),
      draws: this.#options.draws.save(),
      studentMemory: savedMemory(this.#studentMemory),
      teacherMemory: savedMemory(this.#teacherMemory),
    };
  }

  load(state: unknown): void {
    const saved = state as ActorState;
    const { student, teacher, split } = this.#options;
    const memoryOf = (policy: Policy, kept: SavedMemory, who: string) =>
      memoryFrom(kept, policy.initialMemory(split.numEnvs), who);
    const studentMemory = memoryOf(student, saved.studentMemory, "the student");
    const teacherMemory = memoryOf(teacher, saved.teacherMemory, "the teacher");
    this.#flownByTeacher.set(saved.flownByTeacher.slice(0, this.#flownByTeacher.length));
    this.#options.random.load(saved.noise);
    this.#options.draws.load(saved.draws);
    this.#studentMemory = studentMemory;
    this.#teacherMemory = teacherMemory;
  }

  #drawDrivers({ started }: Frame, share: number): void {
    if (share === 0 || share === 1) {
      this.#flownByTeacher.fill(share);
      return;
    }
    const { draws } = this.#options;
    for (let row = 0; row < this.#flownByTeacher.length; row += 1) {
      if (started[row]) this.#flownByTeacher[row] = draws.uniform() < share ? 1 : 0;
    }
  }

  /** The driver's action of each training row, the student's with its noise; behind them the student's. */
  #driven(student: Float32Array, teacher: Float32Array) {
    const { noiseStd, random, split } = this.#options;
    const actions = student.slice();
    const noise = new Float32Array(actions.length);
    const width = actions.length / split.numEnvs;
    for (let row = 0; row < this.#flownByTeacher.length; row += 1) {
      for (let i = row * width; i < (row + 1) * width; i += 1) {
        if (this.#flownByTeacher[row]) actions[i] = teacher[i]!;
        else if (noiseStd > 0) {
          const drawn = noiseStd * random.normal();
          noise[i] = drawn;
          actions[i]! += drawn;
        }
      }
    }
    return { actions, noise };
  }
}
