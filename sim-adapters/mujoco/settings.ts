import type { Settings } from "../../protocol/settings.ts";
import { type Rule, type Rules, readSettings, refuse } from "../inside/setting-rules.ts";

const number = (fallback: number, least: number, most: number) =>
  ({ kind: "number", fallback, least, most }) as const;

/**
 * Settings every task has; a name that Isaac Lab's QuadcopterEnvCfg has means what it means there.
 * Bounds keep the physics finite whatever the actions are.
 */
export const quadcopterRules = {
  /** s */
  episode_length_s: number(10, 0.01, 600),
  /** Physics steps per control step. */
  decimation: { kind: "whole", fallback: 2, least: 1, most: 100 },
  /** s per physics step. */
  "sim.dt": number(0.01, 1e-4, 0.05),
  /** Thrust of full throttle, in weights. */
  thrust_to_weight: number(1.9, 0, 20),
  /** N·m per unit of action. */
  moment_scale: number(0.01, 0, 1),
  lin_vel_reward_scale: number(-0.05, -1e3, 1e3),
  ang_vel_reward_scale: number(-0.01, -1e3, 1e3),
  distance_to_goal_reward_scale: number(15, -1e3, 1e3),
  "robot.spawn.usd_path": { kind: "robot", fallback: null },
  /** deg/s, as Isaac Lab has it; PhysX's own default, 100 rad/s. */
  "robot.spawn.rigid_props.max_angular_velocity": number(5729.58, 1, 1e6),
  /** kg */
  "robot.mass": number(0.0282, 1e-3, 1e3),
  /** kg·m², about the body's axes. */
  "robot.inertia": {
    kind: "inertia",
    fallback: [2.1e-5, 2.1e-5, 3.6e-5],
    least: 1e-8,
    most: 1e3,
  },
  /** m; an episode ends below and above. */
  min_height: number(0.1, -1e4, 1e4),
  max_height: number(2, -1e4, 1e4),
  /** m, of the horizontal coordinates and of the height. */
  "goal.xy": { kind: "interval", fallback: [-2, 2], least: -1e3, most: 1e3 },
  "goal.z": { kind: "interval", fallback: [0.5, 1.5], least: -1e3, most: 1e3 },
  /** Whether a reset draws the age of each first episode, so that the fleet is out of step. */
  random_ages: { kind: "flag", fallback: true },
} as const satisfies Rules;

type ValueOf<R extends Rule> = R["kind"] extends "flag"
  ? boolean
  : R["kind"] extends "interval"
    ? readonly [number, number]
    : R["kind"] extends "inertia"
      ? readonly [number, number, number]
      : R["kind"] extends "robot"
        ? string | null
        : number;

export type QuadcopterSettings = {
  readonly [K in keyof typeof quadcopterRules]: ValueOf<(typeof quadcopterRules)[K]>;
};

export interface ResolvedSettings {
  readonly quadcopter: QuadcopterSettings;
  /** Every setting in effect by name, the task's own included. */
  readonly all: Settings;
  /** Lines for the person who asked. */
  readonly notices: readonly string[];
}

/** Checks what was given against the rules and fills in the rest. @throws ProtocolError */
export function resolveSettings(
  given: Readonly<Record<string, unknown>>,
  extra: Rules,
): ResolvedSettings {
  const all = readSettings(given, { ...quadcopterRules, ...extra });
  const quadcopter = all as unknown as QuadcopterSettings;
  const { min_height: least, max_height: most } = quadcopter;
  if (least >= most) {
    const problem = `${least} m is not below max_height, ${most} m`;
    refuse("min_height", problem, "Leave room between env.min_height and env.max_height.");
  }
  return { quadcopter, all, notices: noticesOf(quadcopter) };
}

function noticesOf(settings: QuadcopterSettings): string[] {
  const path = settings["robot.spawn.usd_path"];
  if (path === null) return [];
  return [
    `env.robot.spawn.usd_path: ${path.slice(0, 300)} is not opened; ` +
      "the Crazyflie built in is flown, with the constants of that file",
  ];
}
