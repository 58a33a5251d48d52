import type { Algorithm, Assembled, SavedRun, Site } from "../algorithms/algorithm.ts";
import { checkOwners } from "../learning/check-owners.ts";
import type { Learner } from "../learning/learner.ts";
import { noProgress } from "../running/run-state.ts";
import type { LearnerThread } from "./pipeline/learner-thread.ts";
import type { Prepared } from "./run-context.ts";

/**
 * Everything on its place, and the source at its start: of a new run, or where a saved one goes on.
 *
 * @throws when configuration, policies, data and simulator don't fit, or a learner contradicts itself
 */
export async function prepareRun(
  algorithm: Algorithm,
  site: Site,
  { thread }: { readonly thread?: Pick<LearnerThread, "learner"> | undefined } = {},
): Promise<Prepared> {
  const alone = await algorithm.assemble(site);
  try {
    const learner = thread ? await learnerIn(thread, alone, site) : alone.learner;
    return await atItsStart({ ...alone, learner }, algorithm, site);
  } catch (error) {
    alone.dispose();
    await alone.source.close();
    throw error;
  }
}

async function atItsStart(
  assembled: Assembled,
  algorithm: Algorithm,
  site: Site,
): Promise<Prepared> {
  const { learner, source } = assembled;
  checkClaims(learner, algorithm, site);
  if (site.saved) return goOn({ assembled, start: noProgress }, site.saved);
  await source.start();
  return { assembled, start: noProgress };
}

/** Before the first step, in every stage that there may be; an orphan is only told of where that is allowed. @throws LearningError */
export function checkClaims(
  learner: Learner,
  { description }: Algorithm,
  { config, say }: Pick<Site, "config" | "say">,
): void {
  const stages = description.stages.map(({ name }) => name);
  const allowed = config.checks.allow_orphans;
  checkOwners(learner, stages, allowed ? { onOrphan: ({ message }) => say(message) } : {});
}

/** What acts stays here. */
function learnerIn(
  thread: Pick<LearnerThread, "learner">,
  { learner, learnerFacts: facts }: Assembled,
  { config, env }: Site,
): Promise<Learner> {
  return thread.learner(learner, { config, spec: env!.spec, facts });
}

async function goOn({ assembled }: Prepared, saved: SavedRun): Promise<Prepared> {
  const { learner, plan, source } = assembled;
  const { progress: start, ...state } = saved.state;
  learner.load(state.learner);
  await assembled.check(saved);
  plan.load(state.plan);
  const where = await source.load(state.source, start.iteration);
  return { assembled, start, watched: state.watch, resumedFrom: `${saved.path}, ${where}` };
}
