/** The rows of an iteration's block between its computation and its phase. */
import type { Metrics } from "../metric-sink.ts";
import type { RunDescription } from "../run-description.ts";

export interface ConsoleRow {
  readonly label: string;
  readonly value: number;
  /** Behind the point; `free`: as many as the figure needs. */
  readonly digits: 0 | 2 | 4 | "free";
}

/**
 * As rsl_rl prints them: noise and losses once there are any, the episodes once one has ended, what simulator and
 * evaluation report.
 */
export function rslRlRows(metrics: Metrics): readonly ConsoleRow[] {
  const entries = Object.entries(metrics);
  const losses = entries.filter(
    ([name]) => name.startsWith("Loss/") && name !== "Loss/learning_rate",
  );
  const episodes = ["Train/mean_reward", "Train/mean_episode_length"].flatMap((name) =>
    metrics[name] === undefined ? [] : [[name, metrics[name]] as const],
  );
  const extras = entries.filter(([name]) => !/^(Loss|Policy|Perf|Train|Distillation)\//.test(name));
  // Where a rollout is learned while the next one is flown, the first row has neither noise nor losses.
  const noise = metrics["Policy/mean_std"];
  return [
    ...(noise === undefined
      ? []
      : [{ label: "Mean action noise std", value: noise, digits: 2 } as const]),
    ...losses.map(([name, value]): ConsoleRow => ({ label: labelOf(name), value, digits: 4 })),
    ...episodes.map(([name, value]): ConsoleRow => ({ label: labelOf(name), value, digits: 2 })),
    ...extras.map(([name, value]): ConsoleRow => ({ label: labelOf(name), value, digits: 4 })),
  ];
}

/** Of any run: its headline, then rsl_rl's order, then what only it has; its own counters at the end. */
export function ownRows(
  metrics: Metrics,
  { room, headline }: RunDescription,
): readonly ConsoleRow[] {
  const first = headline.flatMap(({ metric, against }) => [metric, ...(against ? [against] : [])]);
  const rooms = ["Policy", "Loss", "Value", "Train"];
  const rank = (name: string) => {
    if (first.includes(name)) return first.indexOf(name) - first.length;
    const own = name.slice(0, name.indexOf("/"));
    if (own === room) return rooms.length + 1;
    return rooms.includes(own) ? rooms.indexOf(own) : rooms.length;
  };
  const elsewhere =
    /^(current_iteration|seconds|environment_steps|(stage|phase)_(index|iteration|length))$/;
  const isShown = (name: string) =>
    !name.startsWith("Perf/") &&
    !(name.startsWith(`${room}/`) && elsewhere.test(name.slice(room.length + 1)));
  return Object.entries(metrics)
    .filter(([name]) => isShown(name))
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => {
      const counts = name.startsWith(`${room}/`) && Number.isInteger(value);
      return { label: labelOf(name), value, digits: counts ? 0 : "free" };
    });
}

const labels: Readonly<Record<string, string>> = {
  "Loss/learning_rate": "Learning rate",
  "Loss/lambda": "Weight of Q in the actor's loss (lambda)",
  "Policy/mean_std": "Mean action noise std",
  "Train/mean_reward": "Mean reward",
  "Train/mean_episode_length": "Mean episode length",
};

function labelOf(name: string): string {
  const known = Object.hasOwn(labels, name) ? labels[name] : undefined;
  if (known !== undefined) return known;
  // IQL's actor has one of its own.
  const rate = /^Loss\/(\w+)_learning_rate$/.exec(name)?.[1];
  if (rate !== undefined) return `Learning rate (${rate})`;
  if (name.startsWith("Loss/")) return `Mean ${name.replace(/^Loss\/(loss_)?/, "")} loss`;
  return name.startsWith("Episode/") ? `Mean episode ${name.slice("Episode/".length)}` : name;
}
