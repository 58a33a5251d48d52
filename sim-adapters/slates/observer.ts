import type { Observations } from "../../protocol/frame.ts";
import type { Audience } from "./audience.ts";
import { itemWidth, slateLength, topicCount, topicWidth } from "./sizes.ts";

/** As many recent clicks on a topic as make it bore, and turns for which it then does. */
const most = 5;

const widths = { policy: 2 * slateLength, user: itemWidth + 2 * topicCount };

/** Rows of both groups, in the order that `tasks.ts` names. */
export function observe(audience: Audience, envs?: Int32Array): Observations {
  const count = envs?.length ?? audience.size;
  const policy = new Float32Array(count * widths.policy);
  const user = new Float32Array(count * widths.user);
  for (let row = 0; row < count; row++) {
    const i = envs?.[row] ?? row;
    observeSlate(audience, i, policy, row * widths.policy);
    observeUser(audience, i, user, row * widths.user);
  }
  return { policy, user };
}

function observeSlate({ slates, clicks }: Audience, i: number, out: Float32Array, to: number) {
  for (let rank = 0; rank < slateLength; rank++) {
    out[to + rank] = slates[i * slateLength + rank]!;
    out[to + slateLength + rank] = clicks[i * slateLength + rank]!;
  }
}

function observeUser({ users, boredom }: Audience, i: number, out: Float32Array, to: number) {
  const { timers, counts } = boredom;
  for (let topic = 0; topic < topicCount; topic++) {
    const timer = timers[i * topicCount + topic]!;
    for (let k = topic * topicWidth; k < (topic + 1) * topicWidth; k++) {
      out[to + k] = timer > 0 ? 0 : users[i * itemWidth + k]!;
    }
    const recent = counts[i * topicCount + topic]!;
    out[to + itemWidth + topic] = Math.min(1, recent / most);
    out[to + itemWidth + topicCount + topic] = timer / most;
  }
}
