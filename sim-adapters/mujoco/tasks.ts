import { nearest } from "../../protocol/nearest.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Rules } from "../inside/setting-rules.ts";
import { SimError } from "../inside/sim-error.ts";
import type { AirframeRanges } from "./airframes.ts";
import { cameraRules, cameraSettings, pictureSpec } from "./camera/views.ts";
import { type Quantity, quantities } from "./readings.ts";
import type { QuadcopterSettings, ResolvedSettings } from "./settings.ts";

/** A quantity as one group observes it. */
export interface Part {
  readonly quantity: Quantity;
  /** Setting that holds the standard deviation of its Gaussian noise, in the quantity's unit. */
  readonly noise?: string;
}

export interface Group {
  /** Side by side; sensors, which are the noisy ones, stand before what is exact. */
  readonly parts: readonly Part[];
  /** Setting that holds by how many control steps the sensors are late. */
  readonly delay?: string;
}

export interface Task {
  readonly name: string;
  readonly groups: Readonly<Record<string, Group>>;
  /** Name of the group that its cameras make. */
  readonly camera?: string;
  /** Settings only this task has. */
  readonly rules: Rules;
  /** Settings that hold the range of each ratio; without them every airframe is the nominal one. */
  readonly airframe?: Readonly<Record<keyof AirframeRanges, string>>;
}

const exact: readonly Part[] = [
  { quantity: "lin_vel_b" },
  { quantity: "ang_vel_b" },
  { quantity: "projected_gravity_b" },
  { quantity: "desired_pos_b" },
];

const imprecise: readonly Part[] = [
  { quantity: "lin_vel_b", noise: "noise.lin_vel" },
  { quantity: "ang_vel_b", noise: "noise.ang_vel" },
  { quantity: "projected_gravity_b", noise: "noise.gravity" },
  { quantity: "desired_pos_b", noise: "noise.goal" },
];

const noise = (fallback: number) => ({ kind: "number", fallback, least: 0, most: 100 }) as const;

const imprecision: Rules = {
  /** m/s */
  "noise.lin_vel": noise(0.1),
  /** rad/s */
  "noise.ang_vel": noise(0.1),
  "noise.gravity": noise(0.02),
  /** m */
  "noise.goal": noise(0.05),
};

const range = (low: number, high: number): Rules[string] => ({
  kind: "interval",
  fallback: [low, high],
  least: 0.1,
  most: 10,
});

const tasks: readonly Task[] = [
  { name: "quadcopter", groups: { policy: { parts: exact } }, rules: {} },
  {
    name: "quadcopter-noisy",
    groups: { teacher: { parts: exact }, policy: { parts: imprecise } },
    rules: imprecision,
  },
  {
    // No velocity over ground, sensors one step late: who flies by this group has to remember.
    name: "quadcopter-blind",
    groups: {
      teacher: { parts: exact },
      policy: {
        parts: [
          { quantity: "projected_gravity_b", noise: "noise.gravity" },
          { quantity: "ang_vel_b", noise: "noise.ang_vel" },
          { quantity: "desired_pos_b", noise: "noise.goal" },
          { quantity: "last_action" },
        ],
        delay: "delay_steps",
      },
    },
    rules: {
      /** rad/s */
      "noise.ang_vel": noise(0.1),
      "noise.gravity": noise(0.02),
      /** m */
      "noise.goal": noise(0.02),
      /** Control steps. */
      delay_steps: { kind: "whole", fallback: 1, least: 0, most: 50 },
    },
  },
  {
    // Another airframe every episode: the teacher is told which, the student sees what it did.
    name: "quadcopter-random",
    groups: {
      teacher: { parts: [...exact, { quantity: "ratio" }] },
      policy: { parts: [...imprecise, { quantity: "last_action" }] },
    },
    rules: {
      ...imprecision,
      /** Ratios to robot.mass (robot.inertia along with it), thrust_to_weight, moment_scale. */
      "random.mass": range(0.7, 1.3),
      "random.thrust_to_weight": range(0.8, 1.2),
      "random.moment_scale": range(0.7, 1.3),
    },
    airframe: {
      mass: "random.mass",
      thrustToWeight: "random.thrust_to_weight",
      momentScale: "random.moment_scale",
    },
  },
  {
    // The teacher is told where the goal is; the student knows how it moves itself, and sees the goal's marker.
    name: "quadcopter-camera",
    groups: {
      teacher: { parts: exact },
      proprioception: { parts: exact.filter(({ quantity }) => quantity !== "desired_pos_b") },
    },
    camera: "camera",
    rules: cameraRules,
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
  const near = nearest(name, taskNames);
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

export function specOf(task: Task, numEnvs: number, resolved: ResolvedSettings): EnvSpec {
  const settings = resolved.quadcopter;
  const picture = task.camera && { [task.camera]: pictureSpec(cameraSettings(resolved.all)) };
  return {
    task: task.name,
    numEnvs,
    controlPeriod: settings["sim.dt"] * settings.decimation,
    maxEpisodeSteps: maxEpisodeSteps(settings),
    autoreset: "same_step",
    observations: {
      ...Object.fromEntries(
        Object.entries(task.groups).map(([group, { parts }]) => [group, tensorOf(parts)]),
      ),
      ...picture,
    },
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

/** Standard deviations of the sensors among the parts, one per component. */
export function noiseOf(parts: readonly Part[], settings: Settings): Float64Array {
  return Float64Array.from(
    parts.flatMap(({ quantity, noise }) =>
      noise === undefined ? [] : quantities[quantity].axes.map(() => Number(settings[noise])),
    ),
  );
}

export function rangesOf({ airframe }: Task, settings: Settings): AirframeRanges | undefined {
  if (airframe === undefined) return undefined;
  const range = (name: string) => settings[name] as readonly [number, number];
  return {
    mass: range(airframe.mass),
    thrustToWeight: range(airframe.thrustToWeight),
    momentScale: range(airframe.momentScale),
  };
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
