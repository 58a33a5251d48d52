import type { NamedArray } from "../../../policies/named-array.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Acting } from "../acting.ts";
import type { Arrays, Experience } from "../experience.ts";
import type { Learner, LearnerState } from "../learner.ts";
import type { GradientMeter } from "../owners.ts";
import { arraysUnder, pastPrefix, without } from "../parameters.ts";
import type { Stage } from "../stage.ts";
import type { Calls } from "./calls.ts";
import type { Learned } from "./port.ts";

/** Of what acts, in a saved state; of the figures that the next row will have, among its counters. */
export const actingPrefix = "acting/";
export const pipelineCounter = "pipeline";

/**
 * Has a learner made in the other thread, in the state of the one here. What fails there is heard at the first
 * update.
 *
 * @param options order: what `serveLearner` makes it from; always: what acts is an update older everywhere, not
 *   only where `mayLag` says that it costs nothing
 */
export async function learnElsewhere(
  calls: Calls,
  local: Learner,
  { order, always }: { readonly order: unknown; readonly always: boolean },
): Promise<Learner> {
  const { acting } = local;
  if (!acting) throw new Error("a learner that does not say what acts can't learn elsewhere");
  calls.ask("make", order);
  const begun = calls.ask("load", await local.save());
  return new PipelinedLearner(local, { acting, calls, begun, always });
}

interface Elsewhere {
  /** Of the learner in this thread. */
  readonly acting: Acting;
  /** To the one in the other. */
  readonly calls: Calls;
  /** The state it begins with. */
  readonly begun: Promise<Learned>;
  readonly always: boolean;
}

/**
 * A learner in another thread, seen from the thread that flies. `update` hands a rollout over and waits for the
 * update BEFORE it: while rollout k + 1 is flown, rollout k is learned. So, by counts and never by a clock:
 *
 * * rollout k is flown with the weights behind update k − 2, and learned from by those behind update k − 1. Where
 *   the stage of update k − 1 may not lag it is waited for, and rollout k flown with what it learned;
 * * what `update` gives for rollout k are the figures of update k − 1; nothing for the first.
 *
 * `save` waits for every update that was handed over, and keeps what acts beside what has been learned, so that a
 * run that goes on flies the same weights as one that was never interrupted.
 */
class PipelinedLearner implements Learner {
  readonly needs;
  readonly groups;
  readonly updates;
  readonly losses;
  readonly policies;
  readonly acting: Acting;
  readonly #local: Learner;
  readonly #calls: Calls;
  readonly #always: boolean;
  /** The newest update that was handed over: it acts from the next one on. */
  #newest: Promise<Learned>;

  /** @param local the same learner in this thread: its policies act, and it learns nothing; disposed with this one */
  constructor(local: Learner, { acting, calls, begun, always }: Elsewhere) {
    this.needs = local.needs;
    this.groups = local.groups;
    this.updates = local.updates;
    this.losses = local.losses ?? local.updates.flatMap(({ terms }) => terms);
    this.policies = local.policies;
    this.acting = acting;
    this.#local = local;
    this.#calls = calls;
    this.#newest = begun;
    this.#always = always;
  }

  async update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics> {
    const before = this.#newest;
    const measured = meter?.elsewhere?.most;
    const order = { experience, stage, ...(measured === undefined ? {} : { measured }) };
    this.#newest = this.#calls.ask("update", order, wholeBuffers(experience.arrays));
    const { metrics, acting, seconds } = await before;
    const late = this.#always || this.acting.mayLag(stage);
    this.acting.take(late ? acting : (await this.#newest).acting);
    // What is measured is judged behind this call: nothing is won by going on.
    if (measured !== undefined) meter?.elsewhere?.take((await this.#newest).rows);
    return seconds === 0 ? metrics : { ...metrics, "Perf/update_time": seconds };
  }

  async save(): Promise<LearnerState> {
    const [{ metrics }, { arrays, counters }] = [
      await this.#newest,
      await this.#calls.ask("save", undefined),
    ];
    const acting = Object.entries(await this.acting.give());
    const kept = acting.map(([name, array]): [string, NamedArray] => [actingPrefix + name, array]);
    return {
      arrays: { ...arrays, ...Object.fromEntries(kept) },
      counters: { ...counters, [pipelineCounter]: metrics },
    };
  }

  /** Of a state that was saved without a pipeline what was learned acts at once. */
  load(state: LearnerState): void {
    const { [pipelineCounter]: metrics = {}, ...counters } = state.counters;
    const learned = { counters, arrays: without(actingPrefix, state.arrays) };
    this.#local.load({ counters, arrays: without(pastPrefix, learned.arrays) });
    const acting = arraysUnder(actingPrefix, state.arrays);
    if (Object.keys(acting).length > 0) this.acting.take(acting);
    this.#newest = this.#calls
      .ask("load", learned)
      .then((loaded) => ({ ...loaded, metrics: metrics as Metrics }));
    this.#newest.catch(() => undefined);
  }

  dispose(): void {
    this.#local.dispose();
  }
}

/** Nobody reads a rollout again when it was handed over. A part of a larger buffer is copied instead. */
function wholeBuffers(arrays: Arrays): readonly ArrayBuffer[] {
  const buffers = Object.values(arrays).flatMap(({ buffer, byteLength }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [],
  );
  return [...new Set(buffers)];
}
