import { ProtocolError } from "../../protocol/errors.ts";
import { checkSettingNames, type Settings, type SettingValue } from "../../protocol/settings.ts";

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** What one setting may hold. Numbers are finite and within their bounds, both included. */
export type Rule =
  | ({ readonly kind: "number" | "whole"; readonly fallback: number } & Bounds)
  | { readonly kind: "flag"; readonly fallback: boolean }
  /** `[low, high]`, low ≤ high. */
  | ({ readonly kind: "interval"; readonly fallback: readonly [number, number] } & Bounds)
  /** Principal moments of inertia: positive, none above the sum of the other two. */
  | ({ readonly kind: "inertia"; readonly fallback: readonly [number, number, number] } & Bounds)
  /** The file of the robot; only Isaac Lab's Crazyflie is built in. */
  | { readonly kind: "robot"; readonly fallback: null };

export type Rules = Readonly<Record<string, Rule>>;

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

/** Every setting by name: what was given, checked against its rule, else the fallback. @throws ProtocolError */
export function readSettings(given: Readonly<Record<string, unknown>>, rules: Rules): Settings {
  checkSettingNames(given as Settings, Object.keys(rules));
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => {
      const value = Object.hasOwn(given, name) ? given[name] : rule.fallback;
      return [name, read(name, rule, value)];
    }),
  );
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

function read(name: string, rule: Rule, value: unknown): SettingValue {
  switch (rule.kind) {
    case "number":
    case "whole":
      return readNumber(name, value, rule);
    case "flag":
      if (typeof value === "boolean") return value;
      return refuse(name, `got ${shown(value)}, expected true or false`);
    case "interval":
      return readInterval(name, value, rule);
    case "inertia":
      return readInertia(name, value, rule);
    case "robot":
      return readRobot(name, value);
  }
}

function readNumber(
  name: string,
  value: unknown,
  { kind, least, most }: Bounds & { kind?: Rule["kind"] },
) {
  const whole = kind !== "whole" || Number.isSafeInteger(value);
  if (typeof value === "number" && whole && value >= least && value <= most) return value;
  const what = kind === "whole" ? "a whole number" : "a number";
  return refuse(name, `got ${shown(value)}, expected ${what} from ${least} to ${most}`);
}

function readNumbers(name: string, value: unknown, bounds: Bounds, count: number): number[] {
  if (!Array.isArray(value) || value.length !== count) {
    return refuse(name, `got ${shown(value)}, expected a list of ${count} numbers`);
  }
  return value.map((item) => readNumber(name, item, bounds));
}

function readInterval(name: string, value: unknown, bounds: Bounds): readonly number[] {
  const [low, high] = readNumbers(name, value, bounds, 2) as [number, number];
  if (low > high) return refuse(name, `goes from ${low} to ${high}, expected low first`);
  return [low, high];
}

function readInertia(name: string, value: unknown, bounds: Bounds): readonly number[] {
  const moments = readNumbers(name, value, bounds, 3);
  const sum = moments.reduce((total, moment) => total + moment, 0);
  if (moments.every((moment) => moment <= sum - moment)) return moments;
  return refuse(
    name,
    `no rigid body has the moments [${moments}]`,
    "None may be greater than the sum of the other two.",
  );
}

function readRobot(name: string, value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== "string") return refuse(name, `got ${shown(value)}, expected a path`);
  if (fileName(value) === "cf2x.usd") return value;
  const problem = `got ${shown(value)}; only the Crazyflie of cf2x.usd is built in`;
  return refuse(
    name,
    problem,
    "Another robot needs its own simulator: name it with --sim ENDPOINT.",
  );
}

function noticesOf(settings: QuadcopterSettings): string[] {
  const path = settings["robot.spawn.usd_path"];
  if (path === null) return [];
  return [
    `env.robot.spawn.usd_path: ${path.slice(0, 300)} is not opened; ` +
      "the Crazyflie built in is flown, with the constants of that file",
  ];
}

/** Paths of Windows and addresses of a Nucleus server included. */
function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function refuse(name: string, problem: string, hint?: string): never {
  throw new ProtocolError("bad-setting", problem, {
    field: `env.${name}`,
    hint: hint ?? `Leave env.${name} out for its default.`,
  });
}
