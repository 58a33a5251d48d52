import type { Monitor } from "../learning/monitors/monitor.ts";
import type { Stage } from "../learning/stage.ts";
import type { Watch } from "../running/loop.ts";
import { RunningError } from "../running/running-error.ts";
import { type RunContext, report } from "./run-context.ts";

export interface RunWatch extends Watch {
  /** Of the latest row; undefined before the first. */
  stage(): Stage | undefined;
}

/**
 * Shows every row to the algorithm's monitors, and makes their remarks events.
 *
 * @throws RunningError `diverged` at an alarm, where `checks.on_divergence` is `stop`
 */
export function watchRun(context: RunContext): RunWatch {
  const { monitors } = context.assembled;
  let latest: Stage | undefined;
  return {
    stage: () => latest,
    observe(iteration, row, { stage }) {
      latest = stage;
      const updates = row["Train/updates"] ?? iteration;
      const at = { iteration, updates, stage: stage.name };
      for (const monitor of monitors) tell(context, monitor.observe(row, at), iteration);
    },
    save: () => monitors.map((monitor) => monitor.save()),
    load(states) {
      const saved = Array.isArray(states) ? states : [];
      for (const [i, monitor] of monitors.entries()) if (saved[i]) monitor.load(saved[i]);
    },
  };
}

function tell(
  context: RunContext,
  events: ReturnType<Monitor["observe"]>,
  iteration: number,
): void {
  for (const { message, next, ...details } of events) {
    const text = next === "" ? message : `${message}. ${next}`;
    report(context, "monitor", text, { ...details, advice: next }, iteration);
    if (details.level !== "alarm" || context.config.checks.on_divergence !== "stop") continue;
    throw new RunningError(
      "diverged",
      message,
      `${next} checks.on_divergence is stop; with warn the run would go on.`,
    );
  }
}
