/** What a learner's values say where episodes start, of a checkpoint. */
import { join } from "node:path";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import { createCql } from "../src/algorithms/cql/learner.ts";
import type { CqlSettings } from "../src/algorithms/cql/settings.ts";
import { createIql } from "../src/algorithms/iql/learner.ts";
import type { IqlSettings } from "../src/algorithms/iql/settings.ts";
import { readRun } from "../src/algorithms/offline/run-checkpoint.ts";
import { createRebrac } from "../src/algorithms/rebrac/learner.ts";
import type { RebracSettings } from "../src/algorithms/rebrac/settings.ts";
import { createSac } from "../src/algorithms/sac/learner.ts";
import type { SacSettings } from "../src/algorithms/sac/settings.ts";
import { createTd3Bc } from "../src/algorithms/td3_bc/learner.ts";
import type { Td3BcSettings } from "../src/algorithms/td3_bc/settings.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import type { Config } from "../src/config/schema.ts";
import type { LearnerState } from "../src/learning/learner.ts";
import type { BatchLearner } from "../src/learning/offline/batch-learner.ts";
import type { OfflineSite } from "../src/learning/offline/site.ts";
import { type DataFigures, task } from "./offline-data.ts";

/** Of which figure the mean is taken: Q(s, π(s)), or V(s) where that is what is learned. */
const learners: Readonly<
  Record<
    string,
    { readonly figure: string; create(settings: object, site: OfflineSite): BatchLearner }
  >
> = {
  td3_bc: {
    figure: "Value/q_mean",
    create: (settings, site) => createTd3Bc(settings as Td3BcSettings, site),
  },
  rebrac: {
    figure: "Value/q_mean",
    create: (settings, site) => createRebrac(settings as RebracSettings, site),
  },
  iql: {
    figure: "Value/v_mean",
    create: (settings, site) => createIql(settings as IqlSettings, site),
  },
  cql: {
    figure: "Value/q_mean",
    create: (settings, site) => createCql(settings as CqlSettings, site),
  },
  sac: {
    figure: "Value/q_mean",
    create: (settings, site) => createSac(settings as SacSettings, site),
  },
};

const stage = {
  ...{ name: "judged", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: {},
};

/** Nothing is valued by it: null. Else what its learner notes of one update whose steps are of length 0. */
export async function ourValue(
  run: string,
  checkpoint: string,
  data: DataFigures,
): Promise<number | null> {
  const { config } = resolveConfig({ base: join(run, "params", "agent.yaml") });
  return startValue(config, (await readRun(checkpoint)).state.learner, data);
}

export async function startValue(
  { algorithm }: Pick<Config, "algorithm">,
  state: LearnerState,
  data: DataFigures,
): Promise<number | null> {
  const { class_name: name, ...settings } = algorithm as unknown as Record<string, unknown>;
  const known = learners[name as string];
  if (known === undefined) return null;
  const rates = Object.keys(settings).filter((key) => key.endsWith("learning_rate"));
  const still = Object.fromEntries(rates.map((key) => [key, 1e-300]));
  // Every update has a step of the actor, which notes its values.
  const often = "policy_freq" in settings ? { policy_freq: 1 } : {};
  const env = await openMujoco({ task, numEnvs: 1 });
  const { low, high } = env.spec.action;
  await env.close();
  const site = { reads: ["policy"], observationWidth: data.width, action: { low, high }, seed: 1 };
  const learner = known.create({ ...settings, ...often, ...still }, site);
  try {
    learner.load(state);
    const figures = await learner.update(startsOf(data, low.length), stage);
    return figures[known.figure]!;
  } finally {
    learner.dispose();
  }
}

/** One batch: what all episodes start with. */
function startsOf({ episodes: rows, starts }: DataFigures, actions: number) {
  const arrays = {
    ...{ "obs/policy": starts, "next/policy": starts },
    actions: new Float32Array(rows * actions),
    "notes/next_actions": new Float32Array(rows * actions),
    rewards: new Float32Array(rows),
    ...{ terminated: new Uint8Array(rows), truncated: new Uint8Array(rows) },
  };
  return { steps: 1, numEnvs: rows, arrays };
}
