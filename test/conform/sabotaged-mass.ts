import type { Frame, StepResult } from "../../protocol/frame.ts";
import { PointMass } from "../remote/point-mass.ts";

/** What one sabotage does to an honest point mass. */
export interface Sabotage {
  readonly reset?: (frame: Frame, seed: number, resets: number) => Frame;
  readonly step?: (result: StepResult, actions: Float32Array, resets: number) => StepResult;
  readonly restore?: (frame: Frame) => Frame;
}

/** A point mass that is honest but for one thing. */
export class SabotagedMass extends PointMass {
  readonly #sabotage: Sabotage;
  #resets = 0;

  constructor(asked: ConstructorParameters<typeof PointMass>[0], sabotage: Sabotage) {
    super(asked);
    this.#sabotage = sabotage;
  }

  override async reset(seed: number): Promise<Frame> {
    const frame = await super.reset(seed);
    this.#resets += 1;
    return this.#sabotage.reset?.(frame, seed, this.#resets) ?? frame;
  }

  override async step(actions: Float32Array): Promise<StepResult> {
    const result = await super.step(actions);
    return this.#sabotage.step?.(result, actions, this.#resets) ?? result;
  }

  override async restore(state: Uint8Array): Promise<Frame> {
    const frame = await super.restore(state);
    return this.#sabotage.restore?.(frame) ?? frame;
  }
}

/** Adds to the first number of a group. */
export function shifted(frame: Frame, by: number): Frame {
  const policy = Float32Array.from(frame.observations.policy!);
  policy[0]! += by;
  return { ...frame, observations: { ...frame.observations, policy } };
}

/** The old episode's last observation where the new one's first belongs. */
export function stillOld(result: StepResult): StepResult {
  const { final, frame } = result;
  if (final === undefined) return result;
  const observations = Object.fromEntries(
    Object.entries(frame.observations).map(([group, data]) => {
      const [all, last] = [Float32Array.from(data), final.observations[group]!];
      const width = last.length / final.rows.length;
      for (const [k, row] of final.rows.entries()) {
        all.set(last.subarray(k * width, (k + 1) * width), row * width);
      }
      return [group, all];
    }),
  );
  return { ...result, frame: { ...frame, observations } };
}
