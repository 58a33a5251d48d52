import type { Rule } from "./script.ts";

/** What becomes of one message. */
export interface Fate {
  /** What is passed on, in this order; empty: nothing. */
  readonly messages: readonly (readonly Uint8Array[])[];
  /** Seconds before it is, for this message alone. */
  readonly delay: number;
  /** Seconds in which nothing at all passes in this direction. */
  readonly stall: number;
  /** Names of what was done to it. */
  readonly done: readonly string[];
  readonly cut: boolean;
  readonly kill: boolean;
}

/** Decides, for one direction. Pure but for its own counter and random numbers: same seed, same mischief. */
export class Mischief {
  readonly #rules: readonly Rule[];
  readonly #random: () => number;
  #count = 0;
  /** Held back by `reorder` until the next one has passed. */
  #held: readonly Uint8Array[] | undefined;

  constructor(rules: readonly Rule[], direction: "requests" | "replies", seed: number) {
    this.#rules = rules.filter((rule) => rule.direction === "both" || rule.direction === direction);
    this.#random = randomOf(seed ^ (direction === "requests" ? 0x5bd1e995 : 0x27d4eb2f));
  }

  judge(message: readonly Uint8Array[]): Fate {
    this.#count++;
    const due = this.#rules.filter((rule) => this.#isDue(rule));
    const sum = (fault: Rule["fault"]) =>
      due.reduce((total, rule) => total + (rule.fault === fault ? rule.amount : 0), 0);
    const has = (fault: Rule["fault"]) => due.some((rule) => rule.fault === fault);
    let changed = message;
    if (has("flip")) changed = this.#flip(changed, sum("flip"));
    if (has("truncate")) changed = truncate(changed, sum("truncate"));
    return {
      messages: this.#order(changed, has("drop"), has("duplicate"), has("reorder")),
      delay: sum("delay"),
      stall: sum("stall"),
      done: due.map(({ fault }) => fault),
      cut: has("cut"),
      kill: has("kill"),
    };
  }

  /** Every rule draws for every message, so that one more rule does not change what the others do. */
  #isDue({ when }: Rule): boolean {
    if (when.kind === "share") return this.#random() < when.share;
    if (when.kind === "every") return this.#count % when.every === 0;
    return when.numbers.includes(this.#count);
  }

  #order(
    message: readonly Uint8Array[],
    drop: boolean,
    duplicate: boolean,
    reorder: boolean,
  ): (readonly Uint8Array[])[] {
    const held = this.#held === undefined ? [] : [this.#held];
    this.#held = undefined;
    if (drop) return held;
    const copies = duplicate ? [message, message] : [message];
    if (!reorder || held.length > 0) return [...copies, ...held];
    this.#held = message;
    return copies.slice(1);
  }

  #flip(message: readonly Uint8Array[], bits: number): readonly Uint8Array[] {
    const copy = message.map((frame) => frame.slice());
    const size = copy.reduce((sum, { length }) => sum + length, 0);
    for (let i = 0; i < bits && size > 0; i++) {
      let at = Math.floor(this.#random() * size);
      for (const frame of copy) {
        if (at < frame.length) {
          frame[at]! ^= 1 << Math.floor(this.#random() * 8);
          break;
        }
        at -= frame.length;
      }
    }
    return copy;
  }
}

/** Takes bytes off the last frames. */
function truncate(message: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  const kept = [...message].reverse().map((frame) => {
    const taken = Math.min(left, frame.length);
    left -= taken;
    return frame.subarray(0, frame.length - taken);
  });
  return kept.reverse();
}

/** Uniform numbers in [0, 1): mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
