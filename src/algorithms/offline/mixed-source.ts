import type { Experience } from "../../learning/experience.ts";
import { pastPrefix } from "../../learning/parameters.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Collector } from "../../running/collector.ts";
import type { Source, Sourced, SourceState } from "../../running/source.ts";
import type { RecordedSource } from "./recorded-source.ts";
import type { BufferFacts, ReplayBuffer } from "./replay-buffer.ts";

export interface MixedOptions {
  readonly recorded: RecordedSource;
  /** The student flies, with noise. */
  readonly fresh: Collector;
  readonly buffer: ReplayBuffer;
  /** What was flown as the learner sees it; absent: as it was flown. */
  readonly seen?: ((flown: Experience) => Experience) | undefined;
  /** Of each batch, that is fresh. */
  readonly share: number;
}

/** What is kept beside the place in the data set. */
interface OnlineFacts {
  readonly interrupted: boolean;
  readonly collector: unknown;
  readonly buffer: BufferFacts;
}

/** Recorded flights, and those that the student flies by and by: each batch has its share of both. */
export class MixedSource implements Source {
  readonly #options: MixedOptions;
  /** Somebody else had the environments: what was under way in them is gone. */
  #interrupted = false;
  /** An experience as the recorded ones are. */
  #sizes: Experience | undefined;

  constructor(options: MixedOptions) {
    this.#options = options;
  }

  /** Whoever flies in these environments besides says so here. */
  interrupt(): void {
    this.#interrupted = true;
  }

  async start(): Promise<void> {
    await this.#options.recorded.start();
    await this.#options.fresh.start();
  }

  async next(stage: Stage): Promise<Sourced> {
    const { fresh, buffer, share, seen = (same) => same } = this.#options;
    if (this.#interrupted) await fresh.restart(stage.iteration);
    this.#interrupted = false;
    const flown = await fresh.next(stage);
    const { experience, metrics } = await this.#recorded();
    buffer.add(seen(flown.experience), Object.keys(experience.arrays));
    buffer.mixInto(experience, Math.round(share * experience.numEnvs));
    const figures = { ...metrics, ...flown.metrics, "Train/online_steps": buffer.rows };
    return { ...flown, experience, metrics: figures };
  }

  /** Nothing is read where nothing of it would be left. */
  async #recorded(): Promise<Pick<Sourced, "experience" | "metrics">> {
    const { recorded, share } = this.#options;
    const known = this.#sizes;
    if (share < 1) return recorded.next();
    if (known === undefined) {
      // One look at how an experience is laid out; the place in the data set stays, also in a run that goes on.
      const place = await recorded.save();
      const read = await recorded.next();
      await recorded.load(place);
      this.#sizes = read.experience;
      return read;
    }
    const arrays = Object.entries(known.arrays).map(
      ([name, data]) => [name, new (data.constructor as typeof Float32Array)(data.length)] as const,
    );
    return { experience: { ...known, arrays: Object.fromEntries(arrays) }, metrics: {} };
  }

  async save(): Promise<SourceState> {
    const { recorded, fresh, buffer } = this.#options;
    const { facts } = await recorded.save();
    const { facts: collector, bytes, ...lost } = await fresh.save();
    const kept = buffer.save();
    const interrupted = this.#interrupted;
    const online: OnlineFacts = { interrupted, collector, buffer: kept.facts };
    const buffers = Object.entries(kept.bytes).map(([name, data]) => [pastPrefix + name, data]);
    return {
      facts: { ...(facts as object), online },
      bytes: { ...bytes, ...Object.fromEntries(buffers) },
      ...lost,
    };
  }

  /** A run that learned from recorded flights alone goes on with fresh ones beside them. */
  async load(state: SourceState, iteration: number): Promise<string> {
    const { recorded, fresh, buffer } = this.#options;
    const where = await recorded.load(state);
    const { online } = state.facts as { readonly online?: OnlineFacts };
    if (!online) {
      await fresh.start();
      return `${where}, and the first flights of its own`;
    }
    const { simulator, ...rest } = state.bytes;
    const kept = Object.entries(rest).map(([name, data]) => [name.slice(pastPrefix.length), data]);
    buffer.load(online.buffer, Object.fromEntries(kept));
    this.#interrupted = online.interrupted;
    const bytes: SourceState["bytes"] = simulator ? { simulator } : {};
    const fleet = await fresh.load({ facts: online.collector, bytes }, iteration);
    return `${where}, ${fleet}`;
  }

  async close(): Promise<void> {
    await this.#options.recorded.close();
  }
}
