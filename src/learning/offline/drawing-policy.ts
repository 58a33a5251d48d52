import { around } from "../../../policies/around.ts";
import type { OutputRange } from "../../../policies/networks/bounded.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Random } from "../../../policies/random.ts";

export interface DrawingOptions {
  /** Of the simulator's actions. */
  readonly range: OutputRange;
  readonly random: Random;
  /** As it draws now: asked at each step. */
  readonly begin: () => Draw;
}

/** One component of an action in ±1, of a row of the raw policy's outputs and a normal number. */
export type Draw = (outputs: Float32Array, component: number, normal: number) => number;

/** Acts by drawing instead of by what is most probable. @param raw puts out what a `Draw` reads; is disposed with it */
export function drawingPolicy(raw: Policy, { range, random, begin }: DrawingOptions): Policy {
  const { center, half } = range;
  const width = half.length;
  return around(raw, {
    actionWidth: width,
    act: async (frame, memory) => {
      const flown = await raw.act(frame, memory);
      const drawn = begin();
      const actions = new Float32Array(frame.started.length * width);
      for (let i = 0; i < actions.length; i += 1) {
        const [row, k] = [Math.floor(i / width), i % width];
        const outputs = flown.actions.subarray(row * raw.actionWidth, (row + 1) * raw.actionWidth);
        const unit = Math.min(1, Math.max(-1, drawn(outputs, k, random.normal())));
        actions[i] = center[k]! + half[k]! * unit;
      }
      return { actions, memory: flown.memory };
    },
    dispose: () => raw.dispose(),
  });
}
