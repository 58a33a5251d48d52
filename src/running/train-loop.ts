import type { Frame } from "../../protocol/frame.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Cockpit, CockpitState } from "../algorithms/distillation/teacher-student-actor.ts";
import type { Learner } from "../learning/old-learner.ts";
import type { MetricSink } from "../metrics/metric-sink.ts";
import { type Collected, collect } from "./collect.ts";
import { studentVsTeacher } from "./compare.ts";
import type { Seats } from "./env-split.ts";
import type { EpisodeState, Episodes } from "./episodes.ts";
import { iterationMetrics } from "./iteration-metrics.ts";
import type { Request, Steering } from "./requests.ts";

/** Counters of a run, after its last whole iteration. */
export interface Progress {
  /** The next iteration to fly. */
  readonly iteration: number;
  /** Control steps taken, over all environments. */
  readonly environmentSteps: number;
  /** Seconds flown and learned, over all sessions of the run. */
  readonly seconds: number;
  /** The best `Eval/student_vs_teacher` so far. */
  readonly best: number | null;
}

/** All the loop must keep, besides the learner's and the simulator's state. */
export interface FlightState {
  readonly progress: Progress;
  readonly cockpit: CockpitState;
  readonly episodes: EpisodeState;
}

/** `rescue`: the simulator is gone and can no longer be asked for its state. */
export type CheckpointKind = "periodic" | "best" | "asked" | "rescue";

export interface Flight {
  readonly env: VectorEnv;
  readonly cockpit: Cockpit;
  readonly episodes: Episodes;
  readonly learner: Learner;
  readonly seats: Seats;
  readonly sink: MetricSink;
  /** Puts learner, simulator and `state` on disk; says `done`, or why it couldn't. */
  readonly save: (kind: CheckpointKind, state: FlightState) => Promise<string>;
  /** What people ask for while it flies. */
  readonly steering: Steering;
  readonly settings: {
    readonly max_iterations: number;
    readonly num_steps_per_env: number;
    readonly save_interval: number;
    /** Whole evaluation episodes before a student can be called the best. */
    readonly checkWindow: number;
  };
}

/** Flies from `start` until the plan ends or a stop is asked for; gives the counters it landed with. */
export async function fly(flight: Flight, frame: Frame, start: Progress): Promise<Progress> {
  let progress = start;
  let current = frame;
  while (progress.iteration < flight.settings.max_iterations && (await obey(flight, progress))) {
    followPlan(flight, progress.iteration);
    const collected = await collectRollout(flight, current).catch(rescue(flight, progress));
    const learningStart = performance.now();
    const share = progress.iteration / flight.settings.max_iterations;
    const learned = await flight.learner.update(collected.rollout, share);
    const learning = (performance.now() - learningStart) / 1000;
    current = collected.frame;
    const metrics = iterationMetrics({ ...flight, progress, collected, learned, learning });
    flight.sink.write(progress.iteration, metrics);
    progress = await keep(flight, advance(flight, progress, collected, learning));
  }
  return progress;
}

/** A simulator that dies takes half a rollout with it, and nothing that was learned. */
function rescue(flight: Flight, progress: Progress) {
  return async (error: unknown): Promise<never> => {
    await flight.save("rescue", stateOf(flight, progress));
    throw error;
  };
}

function followPlan(flight: Flight, iteration: number): void {
  const { cockpit } = flight;
  const { verdict } = cockpit.trainingPhaseInfo(iteration);
  if (verdict === "plan" || verdict === "gate") handOver(flight, iteration, verdict);
  if (verdict === "guard") takeBack(flight, iteration);
  cockpit.beginIteration(iteration);
}

function handOver({ cockpit, sink }: Flight, iteration: number, why: string): void {
  cockpit.switchToPhase2(iteration);
  const message = "SWITCHING TO PHASE 2: Now using STUDENT actions to update environment";
  sink.event({ type: "phase-switch", iteration, time: now(), phase: 2, why, message });
}

function takeBack({ cockpit, sink }: Flight, iteration: number): void {
  cockpit.switchToPhase1(iteration);
  const { phaseLength } = cockpit.trainingPhaseInfo(iteration);
  const message = `The student has collapsed: the teacher flies again for ${phaseLength} iterations`;
  sink.event({ type: "phase-resumed", iteration, time: now(), phase: 1, why: "guard", message });
}

/** Does what was asked for since the last iteration; false when the flight should end here. */
async function obey(flight: Flight, progress: Progress): Promise<boolean> {
  const { steering, sink } = flight;
  const { iteration } = progress;
  let paused = false;
  for (;;) {
    const asked = steering.take();
    if (!asked && !paused) return true;
    if (!asked) {
      await steering.arrival();
      continue;
    }
    const { request, by, answer } = asked;
    const outcome = await carryOut(flight, progress, request, paused);
    if (outcome === "done" && request === "pause") paused = true;
    if (outcome === "done" && request === "resume") paused = false;
    const message = `${request} (${by}): ${outcome}`;
    sink.event({ type: "request", iteration, time: now(), request, by, outcome, message });
    answer?.(outcome);
    if (request === "stop") return false;
  }
}

async function carryOut(
  flight: Flight,
  progress: Progress,
  request: Request,
  paused: boolean,
): Promise<string> {
  switch (request) {
    case "pause":
      return paused ? "refused: the flight is paused already" : "done";
    case "resume":
      return paused ? "done" : "refused: the flight is not paused";
    case "next-phase": {
      const { phase, teacherShare } = flight.cockpit.trainingPhaseInfo(progress.iteration);
      if (phase === 2) {
        return teacherShare === 0
          ? "refused: the student has the controls already"
          : "refused: a schedule says how many episodes the teacher flies";
      }
      handOver(flight, progress.iteration, "asked");
      return "done";
    }
    case "checkpoint":
    case "stop":
      return flight.save("asked", stateOf(flight, progress));
  }
}

function now(): number {
  return Date.now() / 1000;
}

function collectRollout(flight: Flight, frame: Frame): Promise<Collected> {
  const { env, cockpit, episodes, seats, learner, settings } = flight;
  const steps = settings.num_steps_per_env;
  return collect({ env, cockpit, episodes, seats, groups: learner.needs, steps }, frame);
}

function advance(flight: Flight, from: Progress, collected: Collected, learning: number): Progress {
  const { seats, settings } = flight;
  return {
    ...from,
    iteration: from.iteration + 1,
    environmentSteps: from.environmentSteps + settings.num_steps_per_env * seats.numEnvs,
    seconds: from.seconds + collected.seconds.total + learning,
  };
}

/** Saves the student when it is the best so far, and at every `save_interval`. */
async function keep(flight: Flight, progress: Progress): Promise<Progress> {
  const { student, teacher } = flight.episodes;
  const { checkWindow, save_interval, max_iterations } = flight.settings;
  const ratio = studentVsTeacher(student.meanReturn, teacher.meanReturn);
  const known = student.episodes >= checkWindow && teacher.episodes > 0;
  flight.cockpit.observe(known ? ratio : Number.NaN);
  const isBest = known && Number.isFinite(ratio) && ratio > (progress.best ?? -Infinity);
  const kept = isBest ? { ...progress, best: ratio } : progress;
  const flown = kept.iteration - 1;
  if (isBest) await flight.save("best", stateOf(flight, kept));
  if (flown % save_interval === 0 || kept.iteration === max_iterations) {
    await flight.save("periodic", stateOf(flight, kept));
  }
  return kept;
}

export function stateOf(flight: Flight, progress: Progress): FlightState {
  return { progress, cockpit: flight.cockpit.save(), episodes: flight.episodes.save() };
}
