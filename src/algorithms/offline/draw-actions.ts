import { deriveSeed, Random } from "../../../policies/random.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";

/** Recorded actions of steps drawn at random, `[count, width]`: of all episodes alike, at most all that there are. */
export function drawActions(flights: RecordedFlights, count: number, seed: number): Float32Array {
  const { episodes, steps, spec } = flights;
  const { width } = spec.action;
  const random = new Random(deriveSeed(seed, "drawn actions"));
  const wanted = Math.min(count, steps);
  const actions = new Float32Array(wanted * width);
  const flown = [...episodes.lengths.keys()].filter((episode) => episodes.lengths[episode]! > 0);
  for (let i = 0; i < wanted; i += 1) {
    const episode = flown[Math.floor(random.uniform() * flown.length)]!;
    const from = Math.floor(random.uniform() * episodes.lengths[episode]!);
    flights.read("actions", { episode, from, count: 1 }, actions, i * width);
  }
  return actions;
}
