import type { Bodies } from "./bodies.ts";

interface QuantityLayout {
  readonly offset: number;
  readonly axes: readonly string[];
  readonly unit: string;
}

const xyz = ["x", "y", "z"] as const;

/**
 * What can be observed of one environment and where it stands in its row of readings. All vectors
 * are in the body frame: x forward, y left, z up along the thrust. Gravity is a unit vector. The
 * last action is the one clamped and applied, zero at the start of an episode. Ratios are those of
 * the episode's airframe to the nominal one.
 */
export const quantities = {
  lin_vel_b: { offset: 0, axes: xyz, unit: "m/s" },
  ang_vel_b: { offset: 3, axes: xyz, unit: "rad/s" },
  projected_gravity_b: { offset: 6, axes: xyz, unit: "1" },
  desired_pos_b: { offset: 9, axes: xyz, unit: "m" },
  last_action: { offset: 12, axes: ["thrust", "moment.x", "moment.y", "moment.z"], unit: "1" },
  ratio: { offset: 16, axes: ["mass", "thrust_to_weight", "moment_scale"], unit: "1" },
} as const satisfies Readonly<Record<string, QuantityLayout>>;

export type Quantity = keyof typeof quantities;

/** Numbers in one row of readings. */
export const readingsWidth = 19;

/**
 * Fills the motion and the goal in row `i` of `readings` `[numEnvs, 19]` from the body's state. Rotations use the transpose of
 * the attitude's matrix, written out from the unit quaternion (w, x, y, z).
 *
 * @param goals `[numEnvs, 3]`, world frame, m.
 */
export function sense(
  { positions, velocities }: Pick<Bodies, "positions" | "velocities">,
  goals: Float64Array,
  readings: Float64Array,
  i: number,
): void {
  const [p, v, g, r] = [7 * i, 6 * i, 3 * i, readingsWidth * i];
  const w = positions[p + 3]!;
  const x = positions[p + 4]!;
  const y = positions[p + 5]!;
  const z = positions[p + 6]!;
  const xx = 1 - 2 * (y * y + z * z);
  const xy = 2 * (x * y - w * z);
  const xz = 2 * (x * z + w * y);
  const yx = 2 * (x * y + w * z);
  const yy = 1 - 2 * (x * x + z * z);
  const yz = 2 * (y * z - w * x);
  const zx = 2 * (x * z - w * y);
  const zy = 2 * (y * z + w * x);
  const zz = 1 - 2 * (x * x + y * y);
  const vx = velocities[v]!;
  const vy = velocities[v + 1]!;
  const vz = velocities[v + 2]!;
  readings[r] = xx * vx + yx * vy + zx * vz;
  readings[r + 1] = xy * vx + yy * vy + zy * vz;
  readings[r + 2] = xz * vx + yz * vy + zz * vz;
  readings[r + 3] = velocities[v + 3]!;
  readings[r + 4] = velocities[v + 4]!;
  readings[r + 5] = velocities[v + 5]!;
  // From 0, so that a level body gives no -0.
  readings[r + 6] = 0 - zx;
  readings[r + 7] = 0 - zy;
  readings[r + 8] = 0 - zz;
  const dx = goals[g]! - positions[p]!;
  const dy = goals[g + 1]! - positions[p + 1]!;
  const dz = goals[g + 2]! - positions[p + 2]!;
  readings[r + 9] = xx * dx + yx * dy + zx * dz;
  readings[r + 10] = xy * dx + yy * dy + zy * dz;
  readings[r + 11] = xz * dx + yz * dy + zz * dz;
}
