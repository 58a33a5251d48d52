import { Streams } from "../inside/streams.ts";
import { Boredom } from "./boredom.ts";
import { type Catalogue, drawTopics } from "./items.ts";
import { type ClickModel, crowded, drawTowards, examination, relevance, weigh } from "./laws.ts";
import { itemCount, itemWidth, slateLength, topicCount, topicWidth } from "./sizes.ts";

/** Ages 0 to 5: clicks of the turn and of the five before it. */
const boredomRules = { topics: topicCount, remembered: 10, oldest: 5, threshold: 5, turns: 5 };

/** Purposes of random streams; the items' is 1. */
const purposes = { users: 2, clicks: 3 };

/** All users, an array for each quantity and a row for each of them: it is all that a snapshot holds of them. */
export class Audience {
  readonly size: number;
  /** `[size, 20]`, topics that bore included. */
  readonly users: Float64Array;
  readonly boredom: Boredom;
  /** `[size, 10]`: item ids of the last slate, and whether each was clicked. */
  readonly slates: Int32Array;
  readonly clicks: Uint8Array;
  /** Turns since the episode began. */
  readonly turns: Int32Array;
  readonly #catalogue: Catalogue;
  readonly #penalty: number;
  readonly #examination: Float64Array;
  readonly #who: Streams;
  readonly #mood: Streams;
  readonly #relevances = new Float64Array(slateLength);
  readonly #topics = new Uint8Array(slateLength);
  readonly #drawn = new Float64Array(itemWidth);

  constructor(size: number, catalogue: Catalogue, model: ClickModel) {
    this.size = size;
    this.users = new Float64Array(size * itemWidth);
    this.boredom = new Boredom(size, boredomRules);
    this.slates = new Int32Array(size * slateLength);
    this.clicks = new Uint8Array(size * slateLength);
    this.turns = new Int32Array(size);
    this.#catalogue = catalogue;
    this.#penalty = model.penalty;
    this.#examination = examination(model);
    this.#who = new Streams(size, purposes.users);
    this.#mood = new Streams(size, purposes.clicks);
  }

  /** Everything that decides what comes next, for a snapshot. */
  get state(): readonly (Float64Array | Int32Array | Uint8Array | Uint32Array)[] {
    const { users, boredom, slates, clicks, turns } = this;
    return [users, ...boredom.state, slates, clicks, turns, this.#who.state, this.#mood.state];
  }

  seed(seed: number): void {
    this.#who.seed(seed);
    this.#mood.seed(seed);
  }

  /** Another user in place `i`: w = U³ in each topic. The slate that is shown as its last one was never asked about. */
  begin(i: number): void {
    drawTopics(this.#who, i, this.#drawn, 3);
    this.users.set(this.#drawn, i * itemWidth);
    weigh(this.users, i * itemWidth);
    this.boredom.clear(i);
    for (let k = i * slateLength; k < (i + 1) * slateLength; k++) {
      this.slates[k] = Math.floor(itemCount * this.#who.uniform(i));
      this.clicks[k] = 0;
    }
    this.turns[i] = 0;
  }

  /** Shows user `i` the slate that stands in its row of `slates`, and gives the number of clicks. */
  turn(i: number): number {
    const from = i * slateLength;
    const attraction = this.#look(i);
    const turn = this.turns[i]!++;
    let count = 0;
    for (let rank = 0; rank < slateLength; rank++) {
      const chance = this.#relevances[rank]! * attraction * this.#examination[rank]!;
      const clicked = this.#mood.uniform(i) < chance;
      this.clicks[from + rank] = clicked ? 1 : 0;
      if (!clicked) continue;
      const item = this.slates[from + rank]!;
      const { embeddings } = this.#catalogue;
      drawTowards(this.users, i * itemWidth, { embeddings, item });
      this.boredom.note(i, turn, this.#topics[rank]!);
      count++;
    }
    this.boredom.endTurn(i, turn);
    return count;
  }

  /** Relevances and main topics of the slate; gives what each relevance is to be multiplied by. */
  #look(i: number): number {
    const { embeddings, mainTopic } = this.#catalogue;
    for (let rank = 0; rank < slateLength; rank++) {
      const item = this.slates[i * slateLength + rank]!;
      this.#relevances[rank] = relevance(this.#score(i, embeddings, item));
      this.#topics[rank] = mainTopic[item]!;
    }
    return this.#penalty !== 1 && crowded(this.#topics) ? 1 / this.#penalty : 1;
  }

  /** e·u without the topics that bore. */
  #score(i: number, embeddings: Float32Array, item: number): number {
    const { users, boredom } = this;
    let score = 0;
    for (let topic = 0; topic < topicCount; topic++) {
      if (boredom.timers[i * topicCount + topic]! > 0) continue;
      const e = item * itemWidth + topic * topicWidth;
      const u = i * itemWidth + topic * topicWidth;
      score += embeddings[e]! * users[u]! + embeddings[e + 1]! * users[u + 1]!;
    }
    return score;
  }
}
