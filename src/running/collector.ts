import { deriveSeed } from "../../policies/random.ts";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import { EnvRevived, flownWhole, type Revival } from "../../sim-adapters/env-revived.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Experience } from "../learning/experience.ts";
import type { Needs } from "../learning/learner.ts";
import type { Stage } from "../learning/stage.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Actor } from "./actor.ts";
import type { EnvSplit } from "./env-split.ts";
import type { EpisodeBook, EpisodeState } from "./episode-book.ts";
import type { Entered } from "./plan.ts";
import { Recorder } from "./recorder.ts";
import type { Source, Sourced, SourceState } from "./source.ts";

export interface CollectorOptions {
  readonly env: VectorEnv;
  readonly actor: Actor;
  readonly book: EpisodeBook;
  readonly split: EnvSplit;
  readonly needs: Needs;
  /** Control steps per environment in one rollout. */
  readonly steps: number;
  readonly seed: number;
  /** Gets every whole rollout with all there is: each group, its successors, each note. */
  readonly record?: ((experience: Experience) => void) | undefined;
}

/** What a collector keeps besides the simulator's snapshot. */
export interface CollectorFacts {
  readonly actor: unknown;
  readonly episodes: EpisodeState;
}

/** Experience from a simulator: one rollout after the other, each with what its actor noted. */
export class Collector implements Source {
  readonly #options: CollectorOptions;
  /** Of the learner, or everything. */
  readonly #needs: Needs;
  #frame: Frame | undefined;
  /** A rollout broke off: the simulator is somewhere in the middle of it, or gone. */
  #broken = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const { env, actor, needs, record } = options;
    const groups = Object.keys(env.spec.observations);
    const notes = Object.keys(actor.notes);
    this.#needs = record ? { groups, successors: groups, notes } : needs;
  }

  async start(): Promise<void> {
    const { env, seed } = this.#options;
    this.#frame = await env.reset(seed);
  }

  /** New episodes, others than before: somebody else had the environments in between. */
  async restart(iteration: number): Promise<void> {
    const { env, actor, book, seed } = this.#options;
    this.#frame = await env.reset(deriveSeed(seed, `restart ${iteration}`));
    actor.forget();
    book.restart();
  }

  /** One whole rollout; a simulator that is lost and comes back costs the half one, and half episodes. */
  async next(stage: Stage): Promise<Sourced> {
    this.#broken = true;
    const happened: Entered[] = [];
    const onRevived = (revival: Revival) => void happened.push(this.#startOver(revival));
    const fly = (start: Frame) => this.#rollout(start, stage);
    const sourced = await flownWhole(fly, this.#frame!, { onRevived });
    this.#broken = false;
    this.#options.record?.(sourced.experience);
    return happened.length === 0 ? sourced : { ...sourced, happened };
  }

  async #rollout(start: Frame, stage: Stage): Promise<Sourced> {
    const { env, actor, book, split, steps } = this.#options;
    const needs = this.#needs;
    let frame = start;
    const { spec } = env;
    const memory = actor.memory(frame);
    const rows = split.training.to;
    const recorder = new Recorder({ spec, notes: actor.notes, needs, steps, rows, memory });
    const stopwatch = new Stopwatch();
    const logs = new Averages();
    for (let index = 0; index < steps; index += 1) {
      const acted = await actor.act(frame, stage);
      stopwatch.acted();
      const result = await env.step(acted.actions);
      stopwatch.stepped(result);
      recorder.record(index, { frame, acted, result });
      book.record(result);
      logs.add(result.log ?? {});
      frame = result.frame;
    }
    this.#frame = frame;
    return {
      experience: recorder.finish(frame),
      metrics: { ...stopwatch.metrics(), ...book.metrics(), ...logMetrics(logs.means()) },
      environmentSteps: steps * spec.numEnvs,
    };
  }

  #startOver({ message, count, outage, restored, frame }: Revival & Partial<Error>): Entered {
    this.#options.actor.forget();
    this.#options.book.restart();
    this.#frame = frame;
    const text = `${message}; the half rollout is thrown away`;
    return { type: "simulator-revived", why: "lost", message: text, count, outage, restored };
  }

  async save(): Promise<SourceState> {
    const { env, actor, book } = this.#options;
    const facts: CollectorFacts = { actor: actor.save(), episodes: book.save() };
    if (this.#broken || !env.snapshot) return { facts, bytes: {} };
    try {
      return { facts, bytes: { simulator: await env.snapshot() } };
    } catch (lost) {
      if (!(lost instanceof EnvRevived)) return { facts, bytes: {}, lost };
      // It is back, in episodes of its own: a resume begins new ones, as this run does.
      this.#startOver(lost);
      return { facts, bytes: {} };
    }
  }

  async load({ facts, bytes }: SourceState, iteration: number): Promise<string> {
    const { env, actor, book, seed } = this.#options;
    const saved = facts as CollectorFacts;
    actor.load(saved.actor);
    book.load(saved.episodes);
    if (bytes.simulator && env.restore) {
      this.#frame = await env.restore(bytes.simulator);
      return "the fleet where it was";
    }
    // Nobody can put these environments back: new episodes, other ones than at the start of the run.
    this.#frame = await env.reset(deriveSeed(seed, `resume ${iteration}`));
    actor.forget();
    book.restart();
    return "the fleet in new episodes";
  }

  close(): Promise<void> {
    return this.#options.env.close();
  }
}

/** Where the time of a rollout goes, in seconds. */
class Stopwatch {
  #mark = performance.now();
  #inference = 0;
  #trips = 0;
  #simulation = 0;

  acted(): void {
    this.#inference += this.#lap();
  }

  stepped({ timing }: StepResult): void {
    this.#trips += this.#lap();
    this.#simulation += simulationSeconds(timing ?? {});
  }

  #lap(): number {
    const now = performance.now();
    const seconds = (now - this.#mark) / 1000;
    this.#mark = now;
    return seconds;
  }

  /** The simulator's own share of each round trip is what it says; the rest is encoding, wire, waiting. */
  metrics(): Metrics {
    return {
      "Perf/inference_time": this.#inference,
      "Perf/simulation_time": this.#simulation,
      "Perf/wire_time": Math.max(0, this.#trips - this.#simulation),
    };
  }
}

/** A `total` is the sum of the parts beside it. */
export function simulationSeconds(timing: Readonly<Record<string, number>>): number {
  if (timing.total !== undefined) return timing.total;
  return Object.values(timing).reduce((sum, seconds) => sum + seconds, 0);
}

/** Of figures that only some steps have. */
class Averages {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(figures: Readonly<Record<string, number>>): void {
    for (const name in figures) {
      const entry = this.#sums.get(name);
      if (!entry) this.#sums.set(name, { sum: figures[name]!, count: 1 });
      else {
        entry.sum += figures[name]!;
        entry.count += 1;
      }
    }
  }

  means(): Record<string, number> {
    const names = [...this.#sums];
    return Object.fromEntries(names.map(([name, { sum, count }]) => [name, sum / count]));
  }
}

/** A simulator's own figure keeps its name where it has a room, and goes to `Episode/` otherwise. */
function logMetrics(logs: Readonly<Record<string, number>>): Metrics {
  const named = Object.entries(logs).map(([name, value]) => [
    name.includes("/") ? name : `Episode/${name}`,
    value,
  ]);
  return Object.fromEntries(named);
}
