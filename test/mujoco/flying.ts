import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { SimulationEnv } from "../../sim-adapters/inside/simulation-env.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Opens, hands over, closes whatever happens. */
export async function withEnv<T>(
  options: {
    readonly task?: string;
    readonly numEnvs?: number;
    readonly settings?: Settings;
    readonly blockSize?: number;
    readonly groups?: readonly string[];
  },
  use: (env: SimulationEnv) => Promise<T>,
): Promise<T> {
  const env = await openMujoco({ task: "quadcopter", numEnvs: 1, ...options });
  try {
    return await use(env);
  } finally {
    await env.close();
  }
}

/** Thrust that carries the weight at the default 1.9 weights of full throttle. */
export const hoverThrust = 2 / 1.9 - 1;

/** The same action for all. */
export function all(numEnvs: number, action: readonly number[]): Float32Array {
  return Float32Array.from({ length: numEnvs * 4 }, (_, k) => action[k % 4]!);
}

/**
 * Lively actions that depend on the environment and the step alone: about hovering, half of the
 * time tumbling.
 */
export function livelyActions(numEnvs: number, step: number): Float32Array {
  const actions = new Float32Array(numEnvs * 4);
  for (let i = 0; i < numEnvs; i++) {
    const phase = i * 0.7 + step * 0.13;
    const strength = i % 2 === 0 ? 0.02 : 1.5;
    actions[4 * i] = hoverThrust + 0.3 * Math.sin(phase);
    actions[4 * i + 1] = strength * Math.sin(3 * phase + 1);
    actions[4 * i + 2] = strength * Math.sin(5 * phase + 2);
    actions[4 * i + 3] = strength * Math.sin(7 * phase + 3);
  }
  return actions;
}

/** Every number of a frame or a result but its timing, in one string of bits. */
export function bitsOf(said: Frame | StepResult): string {
  const { timing: _, ...rest } = said as Partial<StepResult>;
  return JSON.stringify(rest, (_key, value) =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")
      : value,
  );
}

/** Bits of a reset and of `steps` lively steps. */
export async function record(env: VectorEnv, seed: number, steps: number): Promise<string[]> {
  const bits = [bitsOf(await env.reset(seed))];
  for (let step = 0; step < steps; step++) {
    bits.push(bitsOf(await env.step(livelyActions(env.spec.numEnvs, step))));
  }
  return bits;
}

/** Row `i` of a group of this width. */
export function row(
  observations: Frame["observations"],
  group: string,
  i: number,
  width = 12,
): number[] {
  return Array.from(observations[group]!.subarray(width * i, width * (i + 1)));
}

export function norm(vector: readonly number[]): number {
  return Math.hypot(...vector);
}
