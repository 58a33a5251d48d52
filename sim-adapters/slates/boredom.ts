export interface BoredomRules {
  readonly topics: number;
  /** Clicks that are remembered at most. */
  readonly remembered: number;
  /** Turns after which a click is forgotten: one of this turn has the age 0. */
  readonly oldest: number;
  /** So many remembered clicks on a topic, and it bores. */
  readonly threshold: number;
  /** Turns for which it does. */
  readonly turns: number;
}

/**
 * Who is tired of which topics, a row for each user. At the end of a turn old clicks are forgotten,
 * running timers go down by one, and topics that were clicked too often get a fresh timer; one that
 * runs is not started again.
 */
export class Boredom {
  /** `[users, topics]`: turns for which a topic still bores. */
  readonly timers: Uint8Array;
  /** `[users, topics]`: clicks that are remembered. */
  readonly counts: Uint8Array;
  /** `[users, remembered]`, oldest first: turn and topic; and how many there are. */
  readonly #turns: Int32Array;
  readonly #topics: Uint8Array;
  readonly #lengths: Int32Array;
  readonly #rules: BoredomRules;

  constructor(users: number, rules: BoredomRules) {
    this.timers = new Uint8Array(users * rules.topics);
    this.counts = new Uint8Array(users * rules.topics);
    this.#turns = new Int32Array(users * rules.remembered);
    this.#topics = new Uint8Array(users * rules.remembered);
    this.#lengths = new Int32Array(users);
    this.#rules = rules;
  }

  /** Everything, for a snapshot. */
  get state(): readonly (Uint8Array | Int32Array)[] {
    return [this.timers, this.counts, this.#turns, this.#topics, this.#lengths];
  }

  clear(user: number): void {
    const { topics } = this.#rules;
    this.timers.fill(0, user * topics, (user + 1) * topics);
    this.counts.fill(0, user * topics, (user + 1) * topics);
    this.#lengths[user] = 0;
  }

  /** A click; the oldest is forgotten where there are too many. */
  note(user: number, turn: number, topic: number): void {
    const { remembered, topics } = this.#rules;
    if (this.#lengths[user] === remembered) this.#forget(user, 1);
    const at = user * remembered + this.#lengths[user]!++;
    this.#turns[at] = turn;
    this.#topics[at] = topic;
    this.counts[user * topics + topic]!++;
  }

  /** @param turn the one that ends */
  endTurn(user: number, turn: number): void {
    const { remembered, topics, oldest, threshold, turns } = this.#rules;
    const from = user * remembered;
    let old = 0;
    while (old < this.#lengths[user]! && turn - this.#turns[from + old]! > oldest) old++;
    this.#forget(user, old);
    for (let k = user * topics; k < (user + 1) * topics; k++) {
      if (this.timers[k]! > 0) this.timers[k]!--;
      if (this.timers[k] === 0 && this.counts[k]! >= threshold) this.timers[k] = turns;
    }
  }

  /** Whether any topic bores. */
  any(user: number): boolean {
    const { topics } = this.#rules;
    for (let k = user * topics; k < (user + 1) * topics; k++) if (this.timers[k]! > 0) return true;
    return false;
  }

  #forget(user: number, count: number): void {
    if (count === 0) return;
    const { remembered, topics } = this.#rules;
    const from = user * remembered;
    const to = from + this.#lengths[user]!;
    for (let k = 0; k < count; k++) this.counts[user * topics + this.#topics[from + k]!]!--;
    this.#turns.copyWithin(from, from + count, to);
    this.#topics.copyWithin(from, from + count, to);
    this.#lengths[user]! -= count;
  }
}
