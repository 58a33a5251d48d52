import type { Cockpit } from "../algorithms/distillation/teacher-student-actor.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Collected } from "./collect.ts";
import { studentVsTeacher } from "./compare.ts";
import type { Episodes } from "./episodes.ts";

interface Iteration {
  readonly progress: {
    readonly iteration: number;
    readonly environmentSteps: number;
    readonly seconds: number;
  };
  readonly cockpit: Cockpit;
  readonly episodes: Episodes;
  readonly collected: Collected;
  readonly learned: Metrics;
  /** Seconds of the update. */
  readonly learning: number;
  readonly seats: { readonly numEnvs: number };
  readonly settings: { readonly num_steps_per_env: number };
}

/** The figures of one iteration under the names rsl_rl's dashboards know; episodes only once one has ended. */
export function iterationMetrics(iteration: Iteration): Metrics {
  const { progress, cockpit, collected, learned, learning, seats, settings } = iteration;
  const { total, inference, simulation, wire } = collected.seconds;
  const seconds = total + learning;
  const steps = settings.num_steps_per_env * seats.numEnvs;
  const info = cockpit.trainingPhaseInfo(progress.iteration);
  return {
    ...learned,
    "Policy/mean_std": cockpit.noiseStd,
    "Perf/total_fps": Math.round(steps / seconds),
    "Perf/collection_time": total,
    "Perf/learning_time": learning,
    "Perf/inference_time": inference,
    "Perf/simulation_time": simulation,
    "Perf/wire_time": wire,
    ...episodeMetrics(iteration.episodes),
    ...logMetrics(collected.logs),
    "Distillation/training_phase": info.phase,
    "Distillation/current_iteration": progress.iteration,
    "Distillation/phase_iteration": info.phaseIteration,
    "Distillation/phase_length": info.phaseLength,
    "Distillation/teacher_share": info.teacherShare,
    "Distillation/environment_steps": progress.environmentSteps + steps,
    "Distillation/seconds": progress.seconds + seconds,
  };
}

function episodeMetrics({ training, student, teacher }: Episodes): Metrics {
  const metrics: Record<string, number> = {};
  if (training.episodes > 0) {
    metrics["Train/mean_reward"] = training.meanReturn;
    metrics["Train/mean_episode_length"] = training.meanLength;
  }
  if (student.episodes > 0) metrics["Eval/student_return"] = student.meanReturn;
  if (teacher.episodes > 0) metrics["Eval/teacher_return"] = teacher.meanReturn;
  if (student.episodes > 0 && teacher.episodes > 0) {
    const [flown, shown] = [student.meanReturn, teacher.meanReturn];
    metrics["Eval/student_vs_teacher"] = studentVsTeacher(flown, shown);
  }
  return metrics;
}

/** A simulator's own figure keeps its name where it has a room, and goes to `Episode/` otherwise. */
function logMetrics(logs: Readonly<Record<string, number>>): Metrics {
  const named = Object.entries(logs).map(([name, value]) => [
    name.includes("/") ? name : `Episode/${name}`,
    value,
  ]);
  return Object.fromEntries(named);
}
