import { codesOf } from "../../../../policies/beliefs/turn-codes.ts";
import type { Memory } from "../../../../policies/policy.ts";
import type { Random, RandomState } from "../../../../policies/random.ts";
import type { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { LatentBounds } from "../../../../policies/rankers/ranker-arrays.ts";
import { lastColumns, sideBySide, startedAnew } from "../../../../policies/rows.ts";
import type { Frame } from "../../../../protocol/frame.ts";
import type { TensorSpec } from "../../../../protocol/spec.ts";
import { clipped, refuseBrokenActions } from "../../../running/actions.ts";
import type { Acted, Actor } from "../../../running/actor.ts";
import { memoryFrom, type SavedMemory, savedMemory } from "../../../running/saved-memory.ts";
import { HISTORY, SEEN } from "./groups.ts";

/** Its note: the latents that stand for what was shown. */
export const LATENTS = "latents";

export interface LatentActorOptions {
  /** Who explores. */
  readonly student: RankedPolicy;
  readonly bounds: LatentBounds;
  /** Of the group `history`; undefined: the user is what is observed. */
  readonly turns: number | undefined;
  readonly numEnvs: number;
  /** Standard deviation of noise on the latents, in halves of their range; 0: it draws by itself. */
  readonly noise: number;
  readonly random: Random;
}

/** Shows slates to learn from, and notes what a learner of latents sees of that: see `latentExperience`. */
export class LatentActor implements Actor {
  readonly notes: Readonly<Record<string, TensorSpec>>;
  readonly #options: LatentActorOptions;
  readonly #slots: number;
  /** Codes of the turns before this one, `[numEnvs, (turns − 1) · slots]`: what a GRU remembers. */
  #memory: Memory;

  constructor(options: LatentActorOptions) {
    const { student, turns, numEnvs } = options;
    const { slots, latentWidth } = student.parts.ranker.get_config();
    const row = (width: number): TensorSpec => ({ dtype: "<f4", shape: [width] });
    this.#options = options;
    this.#slots = slots;
    this.notes = { [LATENTS]: row(latentWidth), ...(turns && { [HISTORY]: row(turns * slots) }) };
    this.#memory = student.initialMemory(numEnvs);
  }

  async act(frame: Frame): Promise<Acted> {
    const { student, bounds, noise, random } = this.#options;
    const before = this.#memory;
    const { believed, proposed } = await student.propose(frame, before);
    refuseBrokenActions("student", proposed);
    this.#memory = believed.memory;
    const { low, high } = bounds;
    const width = low.length;
    const explored = proposed.map((value, i) => {
      if (noise === 0) return value;
      const k = i % width;
      return value + ((noise * (high[k]! - low[k]!)) / 2) * random.normal();
    });
    const range = { low: Array.from(low), high: Array.from(high) };
    const wanted = clipped(explored, range);
    const { slates, latents } = await student.show(wanted, believed.state);
    const history = this.#historyOf(frame, before);
    return { actions: slates, notes: { [LATENTS]: latents, ...history } };
  }

  /** The turns up to this one, as recorded flights show them. */
  #historyOf({ observations, started }: Frame, before: Memory) {
    const { turns, numEnvs } = this.#options;
    if (turns === undefined) return {};
    const seen = observations[SEEN]!;
    const now = codesOf(seen, this.#slots, (row) => started[row] === 1);
    const [past] = startedAnew(before, [(turns - 1) * this.#slots], started);
    return { [HISTORY]: sideBySide(past!, now, numEnvs) };
  }

  memory(): Memory {
    return [];
  }

  forget(): void {
    this.#memory = this.#options.student.initialMemory(this.#options.numEnvs);
  }

  save(): LatentActorState {
    return { random: this.#options.random.save(), memory: savedMemory(this.#memory) };
  }

  load(state: unknown): void {
    const { random, memory } = state as LatentActorState;
    const { student, numEnvs } = this.#options;
    this.#memory = memoryFrom(memory, student.initialMemory(numEnvs), "the student");
    this.#options.random.load(random);
  }
}

interface LatentActorState {
  readonly random: RandomState;
  readonly memory: SavedMemory;
}

/** The turns behind a step: those up to it, less the oldest, and what came of the step. */
export function historyAfter(
  history: Float32Array,
  next: ArrayLike<number>,
  { rows, slots }: { readonly rows: number; readonly slots: number },
): Float32Array {
  const kept = lastColumns(history, rows, history.length / rows - slots);
  return sideBySide(
    kept,
    codesOf(next, slots, () => false),
    rows,
  );
}
