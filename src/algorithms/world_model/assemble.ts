import { deriveSeed } from "../../../policies/random.ts";
import type { Assembled, Site } from "../algorithm.ts";
import { FlyingJudge, noJudge } from "../offline/flying-judge.ts";
import { type FlightsWorld, withWorld } from "./flights-world.ts";
import type { WorldModelConfig } from "./keys.ts";
import { WorldModelLearner } from "./learner.ts";
import { stagesOf, WorldModelPlan } from "./plans.ts";
import { bytesOf, checkSaved } from "./run-checkpoint.ts";
import { WindowSource } from "./window-source.ts";
import { WorldJudge, worldMonitors } from "./world-judge.ts";

/** @throws DatasetError, RunningError, LearningError when data, simulator and settings don't fit */
export function assemble(site: Site<WorldModelConfig>): Promise<Assembled> {
  const { config, env, say } = site;
  return withWorld(config, { spec: env?.spec, say }, (world) => assembleIn(world, site));
}

function assembleIn(world: FlightsWorld, site: Site<WorldModelConfig>): Assembled {
  const { config, env, say, compile } = site;
  const { flights, facts, windows, floors } = world;
  const settings = config.algorithm;
  const learner = new WorldModelLearner(settings, { facts, seed: config.seed, compile });
  if (!env)
    say(`nothing flies: ${flights.path} is learned from without a simulator (--task, --sim)`);
  const updates = config.updates_per_iteration ?? world.epoch;
  const held = world.heldWindows.spread(settings.validation_windows);
  const program = learner.asked;
  const flying = env ? flyingJudge(site, learner) : noJudge;
  return {
    plan: new WorldModelPlan(learner.plan, config.max_iterations),
    source: new WindowSource(flights, windows, updates),
    learner,
    judge: new WorldJudge({ program, facts, held, floors, flying }),
    monitors: worldMonitors(facts),
    write: (state) => bytesOf(state, { facts, settings, program }),
    check: (saved) => checkSaved(saved, program),
    dispose: () => learner.dispose(),
    facts: {
      dataset: `${flights.path}, ${flights.layout}: ${world.learned.length} episodes learned from, ${windows.count} windows; ${world.held.length} episodes held out`,
      plan: learner.plan,
      stages: stagesOf(learner.plan),
      predicts: facts.heads.map(({ name, components }) => `${name}: ${components.join(", ")}`),
      updates_per_iteration: updates,
      ...(env ? {} : { task: flights.spec.env?.task ?? "" }),
    },
  };
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
