import type { Metrics, RunEvent } from "../../src/metrics/metric-sink.ts";

/** A run as the quadcopter's looks, without a simulator: the same figures every time. */
export interface ScriptedRun {
  readonly iterations: number;
  readonly switchAt: number;
  readonly path: string;
}

export const startTime = 1_700_000_000;
/** Seconds that an iteration takes by its own figures. */
export const pace = 0.085;

export function startEvent({ iterations, switchAt, path }: ScriptedRun): RunEvent {
  return {
    type: "start",
    iteration: 0,
    time: startTime,
    message: "quadcopter-noisy, 100 environments",
    run: path,
    task: "quadcopter-noisy",
    num_envs: 100,
    num_steps_per_env: 24,
    max_iterations: iterations,
    phase1_iterations: switchAt,
    use_two_stage_training: true,
    seed: 42,
    simulator: "mujoco 3.14",
    engine: "tensorflow",
    teacher: "hover-rsl_rl-5.4.2.pt",
    control_period: 0.02,
  };
}

export function timeOf(iteration: number): number {
  return startTime + (iteration + 1) * pace;
}

export function rowOf(iteration: number, { switchAt }: ScriptedRun): Metrics {
  const wobble = Math.sin(iteration * 12.9898) * 0.5;
  const simulation = 0.03 + 0.004 * wobble;
  const learned = 1 - Math.exp(-iteration / 60);
  const dip = iteration >= switchAt ? 12 * Math.exp(-(iteration - switchAt) / 15) : 0;
  const evaluated: Metrics =
    iteration < 21
      ? {}
      : {
          "Train/mean_reward": 120 + 3 * wobble - dip,
          "Eval/student_return": 124 * learned + 2 * wobble - dip,
          "Eval/teacher_return": 125 + wobble,
          "Eval/student_vs_teacher": (124 * learned + 2 * wobble - dip) / (125 + wobble),
        };
  return {
    "Loss/behavior": 0.4 * Math.exp(-iteration / 40) + 0.004 * (1.2 + wobble),
    "Loss/learning_rate": 0.001,
    "Policy/mean_std": 0.1,
    "Perf/total_fps": Math.round(2400 / pace),
    "Perf/collection_time": simulation + 0.015,
    "Perf/learning_time": pace - simulation - 0.015,
    "Perf/inference_time": 0.008,
    "Perf/simulation_time": simulation,
    "Perf/wire_time": 0.005,
    ...evaluated,
    "Distillation/training_phase": iteration < switchAt ? 1 : 2,
    "Distillation/current_iteration": iteration,
    "Distillation/environment_steps": (iteration + 1) * 2400,
    "Distillation/seconds": (iteration + 1) * pace,
  };
}
