import { around } from "../../policies/around.ts";
import type { Policy } from "../../policies/policy.ts";
import type { Random } from "../../policies/random.ts";
import type { ObservationArray } from "../../protocol/frame.ts";

/**
 * The same policy, shown in one observation group what another environment sees: rows in a new order at every step. A
 * policy that flies as well as before makes no use of that group. The policy stays the caller's.
 */
export function withShuffledGroup(policy: Policy, group: string, random: Random): Policy {
  return around(policy, {
    act: (frame, memory) => {
      const { observations, started } = frame;
      const shown = shuffled(observations[group]!, started.length, random);
      return policy.act({ ...frame, observations: { ...observations, [group]: shown } }, memory);
    },
    dispose: () => {},
  });
}

function shuffled(all: ObservationArray, rows: number, random: Random): ObservationArray {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  // Sattolo: one cycle through all rows, so that none keeps its own.
  for (let i = rows - 1; i > 0; i -= 1) {
    const j = Math.floor(random.uniform() * i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const width = all.length / rows;
  const moved = all.slice();
  for (const [row, from] of order.entries()) {
    moved.set(all.subarray(from * width, (from + 1) * width), row * width);
  }
  return moved;
}
