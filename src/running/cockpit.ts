import type { Memory, Policy } from "../../policies/policy.ts";
import type { Random, RandomState } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ActionSpec } from "../../protocol/spec.ts";
import { FlightError } from "./flight-error.ts";
import type { Phase } from "./plan.ts";
import type { Rows, Seats } from "./seats.ts";

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
  readonly driver: "teacher" | "student";
  readonly label: string;
  /** Iterations flown in this phase, and how many it lasts by plan. */
  readonly phaseIteration: number;
  readonly phaseLength: number;
  /** True when the plan says that the student should have the controls by now. */
  readonly switchDue: boolean;
}

export interface CockpitState {
  readonly phase: 1 | 2;
  readonly switchedAt: number;
  readonly noise: RandomState;
  readonly studentMemory: readonly (readonly number[])[];
  readonly teacherMemory: readonly (readonly number[])[];
}

export interface CockpitOptions {
  readonly student: Policy;
  readonly teacher: Policy;
  readonly action: ActionSpec;
  readonly seats: Seats;
  readonly phases: readonly Phase[];
  /** Standard deviation of the noise on the student's actions while it drives training rows. */
  readonly noiseStd: number;
  readonly random: Random;
}

/** Who holds the controls: asks both pilots at every step and sends what the driver of each row says. */
export class Cockpit {
  readonly #options: CockpitOptions;
  #phase: Phase;
  #switchedAt = 0;
  #studentMemory: Memory;
  #teacherMemory: Memory;

  constructor(options: CockpitOptions) {
    this.#options = options;
    this.#phase = options.phases[0]!;
    this.#studentMemory = options.student.initialMemory(options.seats.numEnvs);
    this.#teacherMemory = options.teacher.initialMemory(options.seats.numEnvs);
  }

  async act(frame: Frame): Promise<Decision> {
    const { student, teacher, action, seats } = this.#options;
    const flown = await student.act(frame, this.#studentMemory);
    const shown = await teacher.act(frame, this.#teacherMemory);
    this.#studentMemory = flown.memory;
    this.#teacherMemory = shown.memory;
    const studentActions = finite(flown.actions, whenStudentBreaks);
    const teacherActions = clip(finite(shown.actions, whenTeacherBreaks), action);
    const actions =
      this.#phase.driver === "teacher" ? teacherActions.slice() : studentActions.slice();
    if (this.#phase.driver === "student") this.#addNoise(actions, seats.training);
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

  /** Hands the controls of the training rows to the student, at once and for good. */
  switchToPhase2(iteration: number): void {
    if (this.#phase.number === 2) return;
    const second = this.#options.phases.find((phase) => phase.number === 2)!;
    this.#phase = { ...second, from: iteration };
    this.#switchedAt = iteration;
  }

  trainingPhaseInfo(iteration: number): TrainingPhaseInfo {
    const { number, driver, label, from, to } = this.#phase;
    return {
      phase: number,
      driver,
      label,
      phaseIteration: iteration - from,
      phaseLength: to - from,
      switchDue: number === 1 && iteration >= to,
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
      phase: this.#phase.number,
      switchedAt: this.#switchedAt,
      noise: this.#options.random.save(),
      studentMemory: this.#studentMemory.map((m) => [...m]),
      teacherMemory: this.#teacherMemory.map((m) => [...m]),
    };
  }

  load(state: CockpitState): void {
    if (state.phase === 2) this.switchToPhase2(state.switchedAt);
    this.#options.random.load(state.noise);
    this.#studentMemory = state.studentMemory.map((m) => Float32Array.from(m));
    this.#teacherMemory = state.teacherMemory.map((m) => Float32Array.from(m));
  }

  #addNoise(actions: Float32Array, rows: Rows): void {
    const { noiseStd, random, seats } = this.#options;
    if (noiseStd === 0) return;
    const width = actions.length / seats.numEnvs;
    for (let i = rows.from * width; i < rows.to * width; i += 1) {
      actions[i]! += noiseStd * random.normal();
    }
  }
}

function whenStudentBreaks(value: number): FlightError {
  return new FlightError(
    "diverged",
    `The student's action is ${value}: its weights have diverged.`,
    "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
  );
}

function whenTeacherBreaks(value: number): FlightError {
  return new FlightError(
    "broken-teacher",
    `The teacher's action is ${value}: there is nothing to learn from it.`,
    "Check its activation (--activation) and observation groups (agent.obs_groups.teacher), or fly another.",
  );
}

/** NaN would pass the clipping and reach the loss and the simulator. */
function finite(actions: Float32Array, complaint: (value: number) => FlightError): Float32Array {
  const bad = actions.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw complaint(bad);
  return actions;
}

/** Beyond the range the simulator clamps: a student that regressed on more would learn nothing real. */
function clip(actions: Float32Array, { low, high }: ActionSpec): Float32Array {
  const width = low.length;
  return actions.map((value, i) => Math.min(Math.max(value, low[i % width]!), high[i % width]!));
}

function copyRows(from: Float32Array, to: Float32Array, rows: Rows, numEnvs: number): void {
  const width = to.length / numEnvs;
  to.set(from.subarray(rows.from * width, rows.to * width), rows.from * width);
}
