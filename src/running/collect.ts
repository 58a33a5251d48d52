import { elementsOf } from "../../policies/named-array.ts";
import type { Memory } from "../../policies/policy.ts";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Cockpit, Decision } from "../algorithms/distillation/teacher-student-actor.ts";
import type { Rollout } from "../learning/experience.ts";
import { rowCount, type Seats } from "./env-split.ts";
import type { Episodes } from "./episodes.ts";

export interface CollectOptions {
  readonly env: VectorEnv;
  readonly cockpit: Cockpit;
  readonly episodes: Episodes;
  readonly seats: Seats;
  /** Observation groups the learner wants to see again. */
  readonly groups: readonly string[];
  /** Control steps per environment. */
  readonly steps: number;
}

export interface Collected {
  readonly rollout: Rollout;
  /** To act on next. */
  readonly frame: Frame;
  /** The simulator's own figures, averaged over the steps that had them. */
  readonly logs: Readonly<Record<string, number>>;
  readonly seconds: CollectSeconds;
}

/** Where the time of a rollout went, in seconds. */
export interface CollectSeconds {
  readonly total: number;
  /** Both policies. */
  readonly inference: number;
  /** What the simulator says it needed. */
  readonly simulation: number;
  /** The rest of each round trip: encoding, the wire, waiting. */
  readonly wire: number;
}

/** One rollout: both pilots act at every step, the driver's action is flown, everything is kept. */
export async function collect(options: CollectOptions, start: Frame): Promise<Collected> {
  const { env, cockpit, episodes, steps } = options;
  const recorder = new Recorder(options, cockpit.studentMemory(start));
  const stopwatch = new Stopwatch();
  let frame = start;
  for (let step = 0; step < steps; step += 1) {
    const decision = await cockpit.act(frame);
    stopwatch.acted();
    const result = await env.step(decision.actions);
    stopwatch.stepped(result);
    recorder.record(step, frame, decision, result);
    episodes.record(result);
    frame = result.frame;
  }
  return {
    rollout: recorder.finish(frame),
    frame,
    logs: recorder.logs(),
    seconds: stopwatch.read(),
  };
}

class Stopwatch {
  readonly #start = performance.now();
  #mark = this.#start;
  #inference = 0;
  #trips = 0;
  #simulation = 0;

  acted(): void {
    this.#inference += this.#lap();
  }

  stepped({ timing }: StepResult): void {
    this.#trips += this.#lap();
    for (const seconds of Object.values(timing ?? {})) this.#simulation += seconds;
  }

  #lap(): number {
    const now = performance.now();
    const seconds = (now - this.#mark) / 1000;
    this.#mark = now;
    return seconds;
  }

  read(): CollectSeconds {
    return {
      total: (performance.now() - this.#start) / 1000,
      inference: this.#inference,
      simulation: this.#simulation,
      wire: Math.max(0, this.#trips - this.#simulation),
    };
  }
}

/** Copies the training rows of each step into arrays of `[steps, rows, width]`. */
class Recorder {
  readonly #steps: number;
  readonly #numEnvs: number;
  readonly #rows: number;
  readonly #groups: readonly string[];
  readonly #memory: Memory;
  readonly #observations: Record<string, Float32Array> = {};
  readonly #floats: Record<keyof Decision | "rewards", Float32Array>;
  readonly #terminated: Uint8Array;
  readonly #truncated: Uint8Array;
  readonly #sums = new Map<string, { sum: number; count: number }>();

  constructor({ env, seats, groups, steps }: CollectOptions, memory: Memory) {
    this.#memory = memory;
    const rows = rowCount(seats.training);
    const actionWidth = elementsOf(env.spec.action.shape);
    this.#steps = steps;
    this.#numEnvs = seats.numEnvs;
    this.#rows = rows;
    this.#groups = groups;
    for (const group of groups) {
      const shape = env.spec.observations[group]!.shape;
      this.#observations[group] = new Float32Array(steps * rows * elementsOf(shape));
    }
    const actions = () => new Float32Array(steps * rows * actionWidth);
    this.#floats = {
      actions: actions(),
      studentActions: actions(),
      teacherActions: actions(),
      rewards: new Float32Array(steps * rows),
    };
    this.#terminated = new Uint8Array(steps * rows);
    this.#truncated = new Uint8Array(steps * rows);
  }

  record(step: number, frame: Frame, decision: Decision, result: StepResult): void {
    for (const group of this.#groups) {
      this.#keep(this.#observations[group]!, frame.observations[group]!, step);
    }
    this.#keep(this.#floats.actions, decision.actions, step);
    this.#keep(this.#floats.studentActions, decision.studentActions, step);
    this.#keep(this.#floats.teacherActions, decision.teacherActions, step);
    this.#keep(this.#floats.rewards, result.rewards, step);
    this.#keep(this.#terminated, result.terminated, step);
    this.#keep(this.#truncated, result.truncated, step);
    for (const [name, value] of Object.entries(result.log ?? {})) {
      const entry = this.#sums.get(name) ?? { sum: 0, count: 0 };
      this.#sums.set(name, { sum: entry.sum + value, count: entry.count + 1 });
    }
  }

  #keep<A extends Float32Array | Uint8Array>(into: A, all: A, step: number): void {
    const each = (all.length / this.#numEnvs) * this.#rows;
    into.set(all.subarray(0, each), step * each);
  }

  finish(last: Frame): Rollout {
    const next: Record<string, Float32Array> = {};
    for (const group of this.#groups) {
      const all = last.observations[group]!;
      next[group] = all.slice(0, (all.length / this.#numEnvs) * this.#rows);
    }
    return {
      steps: this.#steps,
      numEnvs: this.#rows,
      observations: this.#observations,
      next,
      memory: this.#memory,
      ...this.#floats,
      terminated: this.#terminated,
      truncated: this.#truncated,
    };
  }

  logs(): Record<string, number> {
    const names = [...this.#sums];
    return Object.fromEntries(names.map(([name, { sum, count }]) => [name, sum / count]));
  }
}
