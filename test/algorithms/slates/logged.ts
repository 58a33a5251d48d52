import { createSlatePilot } from "../../../policies/pilots/slates.ts";
import { catalogueOf } from "../../../sim-adapters/slates/items.ts";
import { itemsOf } from "../../../sim-adapters/slates/items-word.ts";
import { openSlates } from "../../../sim-adapters/slates/open-slates.ts";
import { itemWidth } from "../../../sim-adapters/slates/sizes.ts";
import { FlightWriter } from "../../../src/datasets/flight-writer.ts";

/** Slates of the logging policy in the real simulator, `turns` of each episode. */
export async function logSlates(
  path: string,
  { episodes, turns = 100 }: { readonly episodes: number; readonly turns?: number },
) {
  const env = await openSlates({ task: "slates-diffuse_topdown", numEnvs: episodes });
  const { spec } = env;
  const items = { ...catalogueOf(itemsOf(spec)!), width: itemWidth };
  const pilot = createSlatePilot({ name: "logging", spec, items });
  const writer = await FlightWriter.create(path, spec, { existing: "replace" });
  const widths = { policy: 20, user: 40, actions: 10 };
  const kept = Array.from({ length: episodes }, () => ({
    policy: new Float32Array((turns + 1) * widths.policy),
    user: new Float32Array((turns + 1) * widths.user),
    actions: new Float32Array(turns * widths.actions),
    rewards: new Float32Array(turns),
  }));
  let frame = await env.reset(3);
  let memory = pilot.initialMemory(episodes);
  const row = (all: ArrayLike<number>, i: number, width: number) =>
    (all as Float32Array).subarray(i * width, (i + 1) * width);
  const observe = (turn: number) => {
    for (const [i, episode] of kept.entries()) {
      for (const group of ["policy", "user"] as const) {
        const width = widths[group];
        episode[group].set(row(frame.observations[group]!, i, width), turn * width);
      }
    }
  };
  for (let turn = 0; turn < turns; turn += 1) {
    observe(turn);
    const flown = await pilot.act(frame, memory);
    memory = flown.memory;
    const stepped = await env.step(flown.actions.slice());
    for (const [i, episode] of kept.entries()) {
      episode.actions.set(row(flown.actions, i, 10), turn * 10);
      episode.rewards[turn] = stepped.rewards[i]!;
    }
    const { final } = stepped;
    frame = final ? { ...stepped.frame, observations: final.observations } : stepped.frame;
  }
  observe(turns);
  for (const { policy, user, actions, rewards } of kept) {
    const truncated = new Uint8Array(turns);
    truncated[turns - 1] = 1;
    const seen = { "obs/policy": policy.slice(0, -20), "obs/user": user.slice(0, -40) };
    writer.write(writer.start(), turns, {
      arrays: { ...seen, actions, rewards, terminated: new Uint8Array(turns), truncated },
      last: { policy: policy.slice(-20), user: user.slice(-40) },
    });
  }
  await env.close();
  return writer.close();
}
