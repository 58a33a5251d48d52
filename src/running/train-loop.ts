import type { Metrics } from "../metrics/metric-sink.ts";
import type { Judgement } from "./judge.ts";
import { type CheckpointKind, enter, stateOf, type TrainLoop, tell } from "./loop.ts";
import { obey } from "./obey.ts";
import type { Progress } from "./run-state.ts";
import type { Sourced } from "./source.ts";

/** From `start` until the plan ends or a stop is asked for; gives the counters it ended with. */
export async function train(loop: TrainLoop, start: Progress): Promise<Progress> {
  const { learner, judge, sink, settings } = loop;
  let progress = start;
  while (progress.iteration < settings.max_iterations && (await obey(loop, progress))) {
    const { iteration } = progress;
    const planned = enter(loop, iteration);
    const { stage } = planned;
    const clock = new Clock();
    const sourced = await loop.source.next(stage).catch(rescue(loop, progress));
    clock.lap("collection");
    tell(loop, iteration, sourced.happened ?? []);
    const learned = await learner.update(sourced.experience, stage, loop.meter?.(iteration));
    clock.lap("learning");
    await loop.learned?.(iteration);
    const judged: Judged = await judge.assess(iteration, stage).catch(unjudged);
    progress = advanced(progress, sourced, clock.seconds());
    const seen = { ...learned, ...clock.metrics(sourced.environmentSteps), ...sourced.metrics };
    const row = { ...seen, ...judged.metrics, ...planned.metrics, ...counters(loop, progress) };
    sink.write(iteration, row);
    loop.watch?.observe(iteration, row, planned);
    loop.plan.observe(row, judged.merit);
    if (judged.failure) await rescue(loop, progress)(judged.failure.cause);
    progress = await keep(loop, progress, judged.merit);
  }
  return progress;
}

interface Judged extends Judgement {
  readonly failure?: { readonly cause: unknown };
}

/** What was learned before a judge failed gets its row all the same, and is kept, before the run ends. */
function unjudged(cause: unknown): Judged {
  return { metrics: {}, merit: Number.NaN, failure: { cause } };
}

/** A simulator that dies takes half a rollout with it, and nothing that was learned. */
function rescue(loop: TrainLoop, progress: Progress) {
  return async (error: unknown): Promise<never> => {
    await loop.save(["rescue"], await stateOf(loop, progress));
    throw error;
  };
}

class Clock {
  readonly #parts = { collection: 0, learning: 0 };
  #mark = performance.now();

  lap(part: "collection" | "learning"): void {
    const at = performance.now();
    this.#parts[part] = (at - this.#mark) / 1000;
    this.#mark = at;
  }

  seconds(): number {
    return this.#parts.collection + this.#parts.learning;
  }

  /** @param steps control steps, over all environments; 0 where nothing was flown */
  metrics(steps: number): Metrics {
    return {
      ...(steps > 0 ? { "Perf/total_fps": Math.round(steps / this.seconds()) } : {}),
      "Perf/collection_time": this.#parts.collection,
      "Perf/learning_time": this.#parts.learning,
    };
  }
}

function advanced(from: Progress, { environmentSteps }: Sourced, seconds: number): Progress {
  return {
    ...from,
    iteration: from.iteration + 1,
    environmentSteps: from.environmentSteps + environmentSteps,
    seconds: from.seconds + seconds,
  };
}

function counters({ settings: { room } }: TrainLoop, progress: Progress): Metrics {
  return {
    [`${room}/current_iteration`]: progress.iteration - 1,
    [`${room}/environment_steps`]: progress.environmentSteps,
    [`${room}/seconds`]: progress.seconds,
  };
}

/** Saves the student when it is the best so far, and at every `save_interval`; once where it is both. */
async function keep(loop: TrainLoop, progress: Progress, merit: number): Promise<Progress> {
  const { save_interval, max_iterations } = loop.settings;
  const isBest = Number.isFinite(merit) && merit > (progress.best ?? -Infinity);
  const kept = isBest ? { ...progress, best: merit } : progress;
  const done = kept.iteration - 1;
  const isDue = done % save_interval === 0 || kept.iteration === max_iterations;
  const kinds: CheckpointKind[] = [];
  if (isBest) kinds.push("best");
  if (isDue) kinds.push("periodic");
  if (kinds.length > 0) await loop.save(kinds, await stateOf(loop, kept));
  return kept;
}
