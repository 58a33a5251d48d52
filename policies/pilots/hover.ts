import type { Frame, ObservationArray } from "../../protocol/frame.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";

/**
 * Observation of the quadcopter task, all in the body frame: velocity (m/s), rate (rad/s),
 * gravity's direction, goal (m).
 */
const WIDTH = 12;
const ACTIONS = 4;
/** m/s². */
const GRAVITY = 9.81;
/**
 * Thrust at full throttle over weight, and torque at full deflection (N·m): how the task scales
 * actions.
 */
const THRUST_TO_WEIGHT = 1.9;
const FULL_TORQUE = 0.01;
/** kg·m², about the body's axes. */
const INERTIA = [2.1e-5, 2.1e-5, 3.6e-5] as const;

/** Acceleration towards the goal per metre (1/s²), and against velocity (1/s). */
const POSITION_GAIN = 9;
const VELOCITY_GAIN = 5;
/** m/s²: keeps a far goal from tipping the body over. */
const LARGEST_ACCELERATION = 9;
/** Angular acceleration per radian of tilt (1/s²), and against rate (1/s). */
const TILT_GAIN = 250;
const RATE_GAIN = 28;

/**
 * Flies a Crazyflie to the goal without any training: the wanted acceleration is a spring and
 * damper towards the goal; the thrust that gives it
 * is taken along the body's z axis, and torque turns that axis towards it. For the 12 observations
 * and 4 actions of the task `quadcopter`.
 *
 * @param group the observation group that holds those 12 numbers
 */
export function createHover(group = "policy"): Policy {
  return {
    reads: [group],
    observationWidth: WIDTH,
    actionWidth: ACTIONS,
    initialMemory: () => [],
    act: async (frame) => fly(frame, group),
    dispose: () => {},
  };
}

function fly(frame: Frame, group: string): Flown {
  const rows = frame.started.length;
  const seen = frame.observations[group];
  if (seen === undefined || seen.length !== rows * WIDTH) {
    throw new PolicyError(
      "observation-width",
      `the hover controller reads ${WIDTH} numbers from the group ${JSON.stringify(group)}, got ${seen === undefined ? "no such group" : seen.length / rows}`,
      "It flies the quadcopter tasks only: give a --checkpoint for others.",
    );
  }
  const actions = new Float32Array(rows * ACTIONS);
  for (let row = 0; row < rows; row++) {
    const observation = seen.subarray(row * WIDTH, (row + 1) * WIDTH);
    actions.set(control(observation), row * ACTIONS);
  }
  const memory: Memory = [];
  return { actions, memory };
}

/** Actions of one quadcopter, each within ±1. */
function control(observation: ObservationArray): number[] {
  const at = (index: number) => observation[index] as number;
  const wanted = [0, 1, 2].map((axis) => POSITION_GAIN * at(9 + axis) - VELOCITY_GAIN * at(axis));
  const size = Math.hypot(...wanted);
  const shrink = Math.min(1, LARGEST_ACCELERATION / Math.max(size, 1e-9));
  const [fx, fy, fz] = wanted.map((a, axis) => a * shrink - GRAVITY * at(6 + axis)) as Vector;
  const throttle = (2 * Math.max(0, fz)) / (THRUST_TO_WEIGHT * GRAVITY) - 1;
  const length = Math.max(1e-6, Math.hypot(fx, fy, fz));
  const tilt: Vector = [-fy / length, fx / length, 0];
  const torque = tilt.map((angle, axis) => {
    const acceleration = TILT_GAIN * angle - RATE_GAIN * at(3 + axis);
    return ((INERTIA[axis] as number) * acceleration) / FULL_TORQUE;
  });
  return [throttle, ...torque].map((action) => Math.max(-1, Math.min(1, action)));
}

type Vector = [number, number, number];
