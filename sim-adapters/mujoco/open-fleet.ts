import type { Arena } from "../inside/arena.ts";
import { checkNumEnvs } from "../inside/env-options.ts";
import { Bodies, type Rows } from "./bodies.ts";
import { Fleet } from "./fleet.ts";
import { type ResolvedSettings, resolveSettings } from "./settings.ts";
import { findTask, type Task } from "./tasks.ts";

export interface FleetOptions {
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

/**
 * All environments' arrays, in that arena, and physics for those rows.
 *
 * @throws as `openMujoco`
 */
export async function openFleet(
  options: FleetOptions,
  { rows, arena }: { readonly rows: Rows; readonly arena: Arena },
): Promise<Fleet> {
  const { task, settings } = checkOptions(options);
  const { numEnvs, blockSize } = options;
  const { quadcopter } = settings;
  const bodies = await Bodies.load({
    count: numEnvs,
    rows,
    arena,
    timestep: quadcopter["sim.dt"],
    mass: quadcopter["robot.mass"],
    inertia: quadcopter["robot.inertia"],
    maxAngularVelocity:
      (quadcopter["robot.spawn.rigid_props.max_angular_velocity"] * Math.PI) / 180,
    ...(blockSize === undefined ? {} : { blockSize }),
  });
  return new Fleet(task, numEnvs, { settings, bodies, arena });
}

function wanted({ camera, ...task }: Task, groups: readonly string[] | undefined): Task {
  const filmed = camera !== undefined && (groups?.includes(camera) ?? true);
  return filmed ? { ...task, camera } : task;
}

export function checkOptions(options: FleetOptions): {
  task: Task;
  settings: ResolvedSettings;
} {
  const task = wanted(findTask(options.task), options.groups);
  checkNumEnvs(options.numEnvs);
  return { task, settings: resolveSettings(options.settings ?? {}, task.rules) };
}
