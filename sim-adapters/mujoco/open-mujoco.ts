import type { EnvSpec } from "../../protocol/spec.ts";
import { Bodies, loadLibrary } from "./bodies.ts";
import { MujocoEnv } from "./mujoco-env.ts";
import { type ResolvedSettings, resolveSettings } from "./settings.ts";
import { SimError } from "./sim-error.ts";
import { findTask, specOf, type Task } from "./tasks.ts";

export interface MujocoOptions {
  readonly task: string;
  /** 1 to 16384. */
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Observation groups that are wanted: pictures that are not are not taken. Default: all. */
  readonly groups?: readonly string[] | undefined;
  /** Bodies in one MuJoCo model; makes no difference to any number. */
  readonly blockSize?: number;
}

const mostEnvs = 16_384;

/**
 * The built-in simulator, in this process.
 *
 * @throws SimError for a task, a size or a library that isn't there, ProtocolError
 * (`unknown-setting`, `bad-setting`) for settings.
 */
export async function openMujoco(options: MujocoOptions): Promise<MujocoEnv> {
  const { task, settings } = check(options);
  const { numEnvs, blockSize } = options;
  const { quadcopter } = settings;
  const bodies = await Bodies.load({
    count: numEnvs,
    timestep: quadcopter["sim.dt"],
    mass: quadcopter["robot.mass"],
    inertia: quadcopter["robot.inertia"],
    maxAngularVelocity:
      (quadcopter["robot.spawn.rigid_props.max_angular_velocity"] * Math.PI) / 180,
    ...(blockSize === undefined ? {} : { blockSize }),
  });
  return new MujocoEnv(task, numEnvs, settings, bodies);
}

/**
 * What `openMujoco` would give, with its library loaded but nothing built yet. @throws as
 * `openMujoco`
 */
export async function foreseeMujoco(options: MujocoOptions): Promise<EnvSpec> {
  const { task, settings } = check(options);
  await loadLibrary();
  return specOf(task, options.numEnvs, settings);
}

function wanted({ camera, ...task }: Task, groups: readonly string[] | undefined): Task {
  const filmed = camera !== undefined && (groups?.includes(camera) ?? true);
  return filmed ? { ...task, camera } : task;
}

function check(options: MujocoOptions): { task: Task; settings: ResolvedSettings } {
  const task = wanted(findTask(options.task), options.groups);
  const { numEnvs } = options;
  if (!Number.isInteger(numEnvs) || numEnvs < 1 || numEnvs > mostEnvs) {
    const message = `got ${numEnvs} environments, expected a whole number from 1 to ${mostEnvs}`;
    const hint = "Give it with --num_envs.";
    throw new SimError("bad-num-envs", message, { field: "num_envs", hint });
  }
  return { task, settings: resolveSettings(options.settings ?? {}, task.rules) };
}
