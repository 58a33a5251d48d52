import { deriveSeed, Random } from "../random.ts";

/** What was shown to whom, and clicked: one episode after the other. */
export interface LoggedClicks {
  readonly items: number;
  readonly slots: number;
  /** Turns before each episode's first, and of all at the end. */
  readonly starts: Int32Array;
  /** `[turns, slots]`. */
  readonly slates: Uint16Array;
  readonly clicks: Uint8Array;
}

export interface Factoring {
  readonly width: number;
  readonly seed: number;
  readonly epochs?: number;
}

const rate = 0.05;
const decay = 1e-3;

/**
 * Embeddings of items from logged clicks, `[items, width]`, length 1 each: the log-odds of a click are taken for
 * u·e + an item's + a place's own number, u the user of an episode (logistic matrix factorisation: Johnson,
 * 2014, over what was shown), by stochastic gradient steps of a size that falls linearly.
 */
export function factorise(logged: LoggedClicks, { width, seed, epochs = 8 }: Factoring) {
  const { items, slots, starts } = logged;
  const random = new Random(deriveSeed(seed, "matrix factorisation"));
  const users = starts.length - 1;
  const small = (length: number) => Float32Array.from({ length }, () => 0.1 * random.normal());
  const model: Model = {
    ...{ width, users: small(users * width), items: small(items * width) },
    ...{ itemBias: new Float32Array(items), placeBias: new Float32Array(slots).fill(-1) },
  };
  const order = Int32Array.from({ length: users }, (_, user) => user);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    random.shuffle(order);
    const step = rate * (1 - epoch / epochs);
    for (const user of order) learnUser(model, logged, { user, step });
  }
  return unitRows(model.items, width);
}

interface Model {
  readonly width: number;
  readonly users: Float32Array;
  readonly items: Float32Array;
  readonly itemBias: Float32Array;
  readonly placeBias: Float32Array;
}

function learnUser(
  { width, users, items, itemBias, placeBias }: Model,
  { starts, slots, slates, clicks }: LoggedClicks,
  { user, step }: { readonly user: number; readonly step: number },
): void {
  const u = user * width;
  const end = starts[user + 1]! * slots;
  for (let i = starts[user]! * slots; i < end; i += 1) {
    const item = slates[i]!;
    const [e, place] = [item * width, i % slots];
    let odds = itemBias[item]! + placeBias[place]!;
    for (let k = 0; k < width; k += 1) odds += users[u + k]! * items[e + k]!;
    const error = clicks[i]! - 1 / (1 + Math.exp(-odds));
    itemBias[item]! += step * (error - decay * itemBias[item]!);
    placeBias[place]! += step * error;
    for (let k = 0; k < width; k += 1) {
      const [a, b] = [users[u + k]!, items[e + k]!];
      users[u + k] = a + step * (error * b - decay * a);
      items[e + k] = b + step * (error * a - decay * b);
    }
  }
}

/** Rows of length 1; one that is all zeros stays so. */
function unitRows(table: Float32Array, width: number): Float32Array {
  for (let from = 0; from < table.length; from += width) {
    const row = table.subarray(from, from + width);
    const length = Math.hypot(...row);
    if (length > 0) for (let k = 0; k < width; k += 1) row[k]! /= length;
  }
  return table;
}
