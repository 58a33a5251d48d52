import { Boredom } from "./boredom.ts";
import {
  clickChances,
  highestScore,
  type SardineItems,
  type SardineParameters,
  sardineRelevance,
  sardineTopics,
} from "./sardine-rules.ts";

/** Of the items, the same for all users. */
export interface SardineCatalogue extends SardineItems {
  readonly mainTopic: Uint16Array;
  readonly highestScore: number;
}

export function sardineCatalogue(items: SardineItems): SardineCatalogue {
  return { ...items, mainTopic: sardineTopics(items), highestScore: highestScore(items) };
}

/**
 * One user of SARDINE 1.0.8 (PyPI `sardine-rec`): topics are single numbers, boredom may put off
 * the user altogether, and the first slate is shown by the reset.
 */
export class SardineUser {
  /** `[topics]`, length 1, boredom left aside. */
  readonly taste: Float64Array;
  readonly #catalogue: SardineCatalogue;
  readonly #parameters: SardineParameters;
  readonly #boredom: Boredom;
  #turn = 0;

  constructor(catalogue: SardineCatalogue, parameters: SardineParameters, taste: Float64Array) {
    const { recent_items_maxlen, boredom_moving_window, boredom_threshold } = parameters;
    this.taste = taste.slice();
    this.#catalogue = catalogue;
    this.#parameters = parameters;
    this.#boredom = new Boredom(1, {
      topics: catalogue.topics,
      remembered: recent_items_maxlen,
      // The clock has gone on when old clicks are looked for.
      oldest: boredom_moving_window - 1,
      threshold: boredom_threshold,
      turns: boredom_moving_window,
    });
  }

  /** As items are scored now. */
  get effective(): Float64Array {
    const { boredom_type: type } = this.#parameters;
    const { timers } = this.#boredom;
    if (type === "user_car" && this.#boredom.any(0)) return new Float64Array(this.taste.length);
    if (type !== "user_tloi") return this.taste.slice();
    return this.taste.map((value, topic) => (timers[topic]! > 0 ? 0 : value));
  }

  /** Of the items of a slate, before anything is clicked. */
  relevances(slate: readonly number[]): Float64Array {
    const { embeddings, topics, highestScore: highest } = this.#catalogue;
    const { effective } = this;
    const bored = this.#boredom.timers.reduce((count, timer) => count + Number(timer > 0), 0);
    return Float64Array.from(slate, (item) => {
      let score = 0;
      for (let k = 0; k < topics; k++) score += embeddings[item * topics + k]! * effective[k]!;
      return sardineRelevance(score / highest, bored, this.#parameters);
    });
  }

  /** How likely each item of a slate is clicked. */
  chances(slate: readonly number[]): Float64Array {
    const topics = slate.map((item) => this.#catalogue.mainTopic[item]!);
    return clickChances(this.relevances(slate), topics, this.#parameters);
  }

  /** A turn is over, in which these items were clicked, in the order of the slate. */
  click(items: readonly number[]): void {
    this.remember(items);
    this.#follow(items);
  }

  /** As `click`, but the taste is already that behind it. */
  remember(items: readonly number[]): void {
    for (const item of items) {
      this.#boredom.note(0, this.#turn, this.#catalogue.mainTopic[item]!);
    }
    this.#boredom.endTurn(0, this.#turn++);
  }

  /** What it tells of itself: user, clicks per topic / threshold, timer / window: `[3 · topics]`. */
  get state(): readonly number[] {
    const { boredom_threshold: threshold, boredom_moving_window: window } = this.#parameters;
    const { counts, timers } = this.#boredom;
    return [
      ...this.effective,
      ...Array.from(counts, (count) => Math.min(1, count / threshold)),
      // Where nothing bores the timer stands at its beginning.
      ...Array.from(timers, (timer) => (timer === 0 ? 1 : timer / window)),
    ];
  }

  /** Towards one number, the mean over all components of all that was clicked: so version 1.0.8 has it. */
  #follow(items: readonly number[]): void {
    if (items.length === 0) return;
    const { embeddings, topics } = this.#catalogue;
    const omega = this.#parameters.env_omega;
    let sum = 0;
    for (const item of items) {
      for (let k = 0; k < topics; k++) sum += embeddings[item * topics + k]!;
    }
    const pull = ((1 - omega) * sum) / (items.length * topics);
    for (let k = 0; k < topics; k++) this.taste[k] = omega * this.taste[k]! + pull;
    const length = Math.hypot(...this.taste);
    for (let k = 0; k < topics; k++) this.taste[k]! /= length;
  }
}
