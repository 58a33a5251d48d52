import { around } from "../../../policies/around.ts";
import type { Network } from "../../../policies/networks/network.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Random } from "../../../policies/random.ts";
import { compiledPolicy } from "../compiled-policies.ts";
import { type OfflineSite, rangeOf } from "./site.ts";
import type { TransitionView } from "./transitions.ts";

export interface DrawingParts {
  /** Puts out what a `Draw` reads. */
  readonly network: Network;
  readonly view: Pick<TransitionView, "normaliser" | "reads">;
  /** As it draws now: asked at each step. */
  readonly begin: () => Draw;
}

/** One component of an action in ±1, of a row of the raw policy's outputs and a normal number. */
export type Draw = (outputs: Float32Array, component: number, normal: number) => number;

/** A learner's explorer that draws instead of doing what is most probable. The network stays the learner's. */
export function drawingExplorer(
  site: OfflineSite,
  { network, view, begin }: DrawingParts,
): (random: Random) => Policy {
  const { normaliser, reads } = view;
  return (random) => {
    const raw = new NetworkPolicy({ network, normaliser, reads });
    return drawing(compiledPolicy(raw, site.compile), { site, random, begin });
  };
}

interface Drawing extends Pick<DrawingParts, "begin"> {
  readonly site: OfflineSite;
  readonly random: Random;
}

/** @param raw is disposed with it */
function drawing(raw: Policy, { site, random, begin }: Drawing): Policy {
  const { center, half } = rangeOf(site.action);
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
