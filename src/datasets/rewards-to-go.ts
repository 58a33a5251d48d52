import type { Numbers, RecordedFlights, Rows } from "./recorded-flights.ts";

/**
 * The same flights, each reward the discounted sum of the rewards from its step to its episode's end: what
 * whoever flew got from there on. Of episodes that the clock ended, what came after is not in it.
 */
export function withRewardsToGo(flights: RecordedFlights, discount: number): RecordedFlights {
  const { path, layout, spec, episodes, steps, remarks } = flights;
  return {
    ...{ path, layout, spec, episodes, steps, remarks },
    read: (array, rows, into, at) => {
      if (array === "rewards") sumUp(flights, discount, { rows, into, at });
      else flights.read(array, rows, into, at);
    },
    close: () => flights.close(),
  };
}

interface Place {
  readonly rows: Rows;
  readonly into: Numbers;
  readonly at: number;
}

function sumUp(flights: RecordedFlights, discount: number, { rows, into, at }: Place): void {
  const { episode, from, count } = rows;
  const left = flights.episodes.lengths[episode]! - from;
  const rewards = new Float64Array(left);
  flights.read("rewards", { episode, from, count: left }, rewards, 0);
  let sum = 0;
  for (let i = left - 1; i >= 0; i -= 1) {
    sum = rewards[i]! + discount * sum;
    if (i < count) into[at + i] = sum;
  }
}
