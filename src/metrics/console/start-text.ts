import { printable } from "../printable.ts";

/**
 * Who flies whom, where and on what, from a run's `start` event: three lines instead of its configuration. What the
 * event doesn't name is left out, and a line with nothing in it.
 *
 *     distillation of quadcopter: 100 environments, 24 steps an iteration, 300 iterations, seed 42
 *     student mlp 128×128, teacher hover-rsl_rl-5.4.2.pt
 *     simulator mujoco 3.14, engine tensorflow 2.19
 */
export function startText(event: Readonly<Record<string, unknown>>): string {
  const text = (name: string) => printable(event[name], 1000);
  const named = (name: string, word = name) => (text(name) === "" ? [] : [`${word} ${text(name)}`]);
  const counted = (name: string, word: string) =>
    typeof event[name] === "number" ? [`${event[name]} ${word}`] : [];
  const what = [text("algorithm") || "distillation", text("task")].filter(Boolean).join(" of ");
  const size = [
    ...counted("num_envs", "environments"),
    ...counted("num_steps_per_env", "steps an iteration"),
    ...counted("updates_per_iteration", "updates an iteration"),
    ...counted("max_iterations", "iterations"),
    ...(typeof event.seed === "number" ? [`seed ${event.seed}`] : []),
  ];
  const lines = [
    size.length > 0 ? `${what}: ${size.join(", ")}` : what,
    [...named("student"), ...named("teacher")].join(", "),
    [...named("dataset"), ...named("simulator"), ...named("engine")].join(", "),
  ];
  return lines
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .join("");
}
