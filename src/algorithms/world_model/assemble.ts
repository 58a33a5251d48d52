import { deriveSeed, Random } from "../../../policies/random.ts";
import { openFlights } from "../../datasets/open-flights.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { flightStatistics } from "../../datasets/statistics.ts";
import { type WholeEpisodes, wholeEpisodes } from "../../datasets/whole-episodes.ts";
import { Windows, type WindowsOptions } from "../../datasets/windows.ts";
import { RunningError } from "../../running/running-error.ts";
import type { Assembled, Site } from "../algorithm.ts";
import { actionOf, readsOf } from "../offline/fit-data.ts";
import { FlyingJudge, noJudge } from "../offline/flying-judge.ts";
import type { WorldModelConfig } from "./keys.ts";
import { WorldModelLearner } from "./learner.ts";
import { WorldModelPlan } from "./plans.ts";
import { bytesOf, checkSaved } from "./run-checkpoint.ts";
import { WindowSource } from "./window-source.ts";
import { WorldJudge, worldMonitors } from "./world-judge.ts";
import { type WorldOfFlights, worldOf } from "./world-of-flights.ts";

/** @throws DatasetError, RunningError, LearningError when data, simulator and settings don't fit */
export async function assemble(site: Site<WorldModelConfig>): Promise<Assembled> {
  const { config, env, say, compile } = site;
  const flights = await openFlights(config.dataset!, {
    memoryBytes: config.dataset_memory * 2 ** 20,
    ...(config.dataset_format && { layout: config.dataset_format }),
  });
  for (const remark of flights.remarks) say(`${config.dataset}: ${remark}`);
  const split = heldOut(flights, config);
  const world = worldIn(flights, split.learned, site);
  const windows = windowsOf(flights, split.learned, { world, config });
  const held = windowsOf(flights, split.held, { world, config });
  const { facts } = world;
  const learner = new WorldModelLearner(config.algorithm, {
    ...{ facts, seed: config.seed, compile },
  });
  if (!env) say(`nothing flies: ${flights.path} is learned from without a simulator (--task, --sim)`);
  const { batch_size: batch, validation_windows: most } = config.algorithm;
  const updates = config.updates_per_iteration ?? Math.max(1, Math.round(windows.count / batch));
  const program = learner.asked;
  const flying = env ? flyingJudge(site, learner) : noJudge;
  return {
    plan: new WorldModelPlan(learner.plan, config.max_iterations),
    source: new WindowSource(flights, windows, updates),
    learner,
    judge: new WorldJudge({ program, facts, held: held.spread(most), flying }),
    monitors: worldMonitors(facts),
    write: (state) => bytesOf(state, { facts, settings: config.algorithm, program }),
    check: (saved) => checkSaved(saved, program),
    facts: {
      dataset: `${flights.path}, ${flights.layout}: ${split.learned.length} episodes learned from, ${windows.count} windows; ${split.held.length} episodes held out`,
      plan: learner.plan,
      predicts: facts.heads.map(({ name, components }) => `${name}: ${components.join(", ")}`),
      updates_per_iteration: updates,
      ...(env ? {} : { task: flights.spec.env?.task ?? "" }),
    },
  };
}

interface Split {
  readonly learned: Int32Array;
  readonly held: Int32Array;
}

/** Some whole episodes are only measured on: the same ones for the same seed. */
function heldOut({ episodes, path }: RecordedFlights, config: WorldModelConfig): Split {
  const count = episodes.lengths.length;
  const { validation_share: share } = config.algorithm;
  const most = Math.min(count - 1, Math.max(1, Math.round(share * count)));
  if (count < 2) {
    throw new RunningError(
      "too-few-episodes",
      `${path} holds ${count} episode${count === 1 ? "" : "s"}; expected 2 or more, as some are only measured on`,
      "Record more flights.",
    );
  }
  const random = new Random(deriveSeed(config.seed, "validation"));
  const order = Int32Array.from({ length: count }, (_, episode) => episode);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = Math.floor(random.uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return { learned: order.slice(most).sort(), held: order.slice(0, most).sort() };
}

function worldIn(
  flights: RecordedFlights,
  episodes: Int32Array,
  { config, env, say }: Site<WorldModelConfig>,
): WorldOfFlights {
  const reads = readsOf(flights, config.obs_groups.student, env?.spec);
  const { actions } = flightStatistics(flights, { groups: [] });
  const { remark, ...bounds } = actionOf(flights, env?.spec, actions);
  if (remark) say(remark);
  return worldOf(flights, { reads, bounds, settings: config.algorithm, episodes });
}

function windowsOf(
  flights: RecordedFlights,
  chosen: Int32Array,
  { world, config }: { readonly world: WorldOfFlights; readonly config: WorldModelConfig },
): Windows {
  const { facts, groups } = world;
  const { pre_len, history, td_steps, discount, batch_size } = config.algorithm;
  const memoryBytes = config.dataset_memory * 2 ** 20 * 0.75;
  const episodes: WholeEpisodes = wholeEpisodes(flights, { groups, episodes: chosen, memoryBytes });
  const options: WindowsOptions = {
    ...{ length: pre_len, history, ahead: td_steps, discount, batch: batch_size },
    seen: facts.observations.mean.length,
    padding: Float32Array.from(facts.observations.mean),
    predicted: facts.heads.flatMap(({ columns }) => columns),
    seed: deriveSeed(config.seed, "windows"),
  };
  return new Windows(episodes, options);
}

function flyingJudge({ config, env }: Site<WorldModelConfig>, { policies }: WorldModelLearner) {
  const { interval, episodes } = config.evaluation;
  const { discount } = config.algorithm;
  return new FlyingJudge({
    ...{ env: env!, student: policies.student, interval, episodes, discount },
    iterations: config.max_iterations,
    seed: deriveSeed(config.seed, "evaluation in flight"),
  });
}
