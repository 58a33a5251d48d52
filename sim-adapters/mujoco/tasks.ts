import { nearest, type Settings } from "../../protocol/settings.ts";
import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import { type Quantity, quantities } from "./readings.ts";
import type { QuadcopterSettings, Rules } from "./settings.ts";
import { SimError } from "./sim-error.ts";

/** A quantity as one group observes it. */
export interface Part {
  readonly quantity: Quantity;
  /** Setting that holds the standard deviation of its Gaussian noise, in the quantity's unit. */
  readonly noise?: string;
}

export interface Task {
  readonly name: string;
  /** Observation groups: their parts, side by side. */
  readonly groups: Readonly<Record<string, readonly Part[]>>;
  /** Settings only this task has. */
  readonly rules: Rules;
}

const exact: readonly Part[] = [
  { quantity: "lin_vel_b" },
  { quantity: "ang_vel_b" },
  { quantity: "projected_gravity_b" },
  { quantity: "desired_pos_b" },
];

const noise = (fallback: number) => ({ kind: "number", fallback, least: 0, most: 100 }) as const;

const tasks: readonly Task[] = [
  { name: "quadcopter", groups: { policy: exact }, rules: {} },
  {
    name: "quadcopter-noisy",
    groups: {
      teacher: exact,
      policy: [
        { quantity: "lin_vel_b", noise: "noise.lin_vel" },
        { quantity: "ang_vel_b", noise: "noise.ang_vel" },
        { quantity: "projected_gravity_b", noise: "noise.gravity" },
        { quantity: "desired_pos_b", noise: "noise.goal" },
      ],
    },
    rules: {
      /** m/s */
      "noise.lin_vel": noise(0.1),
      /** rad/s */
      "noise.ang_vel": noise(0.1),
      "noise.gravity": noise(0.02),
      /** m */
      "noise.goal": noise(0.05),
    },
  },
];

/** Names that users of Isaac Lab type. */
const aliases: Readonly<Record<string, string>> = {
  "Isaac-Quadcopter-Direct-v0": "quadcopter",
  distillation: "quadcopter-noisy",
};

/** Every name `findTask` understands. */
export const taskNames: readonly string[] = [
  ...tasks.map(({ name }) => name),
  ...Object.keys(aliases),
];

/** @throws SimError `unknown-task` */
export function findTask(name: string): Task {
  const real = Object.hasOwn(aliases, name) ? aliases[name] : name;
  const task = tasks.find((candidate) => candidate.name === real);
  if (task !== undefined) return task;
  const near = nearest(name.slice(0, 100), taskNames);
  const guess = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new SimError("unknown-task", `there is no task ${JSON.stringify(name.slice(0, 100))}`, {
    field: "task",
    hint: `Known: ${taskNames.join(", ")}.${guess}`,
  });
}

/** As Isaac Lab's `max_episode_length`; the clock cuts an episode off one control step before. */
export function maxEpisodeSteps(settings: QuadcopterSettings): number {
  return Math.ceil(settings.episode_length_s / (settings["sim.dt"] * settings.decimation));
}

export function specOf(task: Task, numEnvs: number, settings: QuadcopterSettings): EnvSpec {
  return {
    task: task.name,
    numEnvs,
    controlPeriod: settings["sim.dt"] * settings.decimation,
    maxEpisodeSteps: maxEpisodeSteps(settings),
    autoreset: "same_step",
    observations: Object.fromEntries(
      Object.entries(task.groups).map(([group, parts]) => [group, tensorOf(parts)]),
    ),
    action: {
      dtype: "<f4",
      shape: [4],
      names: ["thrust", "moment.x", "moment.y", "moment.z"],
      units: ["1", "1", "1", "1"],
      low: [-1, -1, -1, -1],
      high: [1, 1, 1, 1],
    },
    capabilities: ["bitwise", "snapshot"],
  };
}

/** Standard deviations, one per component; absent when nothing in the group is noisy. */
export function noiseOf(parts: readonly Part[], settings: Settings): Float64Array | undefined {
  if (parts.every(({ noise }) => noise === undefined)) return undefined;
  return Float64Array.from(
    parts.flatMap(({ quantity, noise }) =>
      quantities[quantity].axes.map(() => (noise === undefined ? 0 : Number(settings[noise]))),
    ),
  );
}

function tensorOf(parts: readonly Part[]): TensorSpec {
  const components = parts.flatMap(({ quantity }) =>
    quantities[quantity].axes.map((axis) => ({
      name: `${quantity}.${axis}`,
      unit: quantities[quantity].unit,
    })),
  );
  return {
    dtype: "<f4",
    shape: [components.length],
    names: components.map(({ name }) => name),
    units: components.map(({ unit }) => unit),
  };
}
