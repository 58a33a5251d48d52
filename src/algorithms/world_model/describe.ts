import type { SavedRun } from "../algorithm.ts";
import type { SavedWorld } from "./run-checkpoint.ts";

/** What a person wants to know of a model of the world: what it reads and predicts, how it acts, how large it is. */
export function describeWorld({ state, own }: SavedRun): readonly (readonly [string, string])[] {
  const { world, settings } = own as SavedWorld;
  const { encoder, history, latent, hidden_dims: hidden, plan } = settings;
  const heads = world.heads.map(({ name, columns }) => `${name} (${columns.length})`);
  const seen = `${world.observations.mean.length} numbers of ${world.reads.join(", ")}`;
  return [
    ["reads", history === 1 ? seen : `${seen}, the last ${history}`],
    ["state", `${encoder} → ${latent}; hidden layers ${hidden.join(" → ")}`],
    ["predicts", `${heads.join(", ")}; ${settings.heads}`],
    ["acts", `${world.levels.length} components, each one of ${settings.action_levels} levels`],
    ["plan", plan],
    ...sizesOf(state.learner.arrays),
  ];
}

/** Parameters of each group. */
function sizesOf(arrays: SavedRun["state"]["learner"]["arrays"]) {
  const sizes = new Map<string, number>();
  for (const [name, { data }] of Object.entries(arrays)) {
    const group = /^parameters\/([^/]+)\//.exec(name)?.[1];
    if (group !== undefined) sizes.set(group, (sizes.get(group) ?? 0) + data.length);
  }
  return [...sizes].map(([group, size]) => [group, `${size} parameters`] as const);
}
