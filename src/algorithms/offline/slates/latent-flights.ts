import { codesOf } from "../../../../policies/beliefs/turn-codes.ts";
import type { Ranker } from "../../../../policies/rankers/ranker.ts";
import type { LatentBounds } from "../../../../policies/rankers/ranker-arrays.ts";
import type { FlightsSpec } from "../../../datasets/flights-spec.ts";
import type { Numbers, RecordedFlights, Rows } from "../../../datasets/recorded-flights.ts";
import { HISTORY, USER } from "./groups.ts";
import { seenAt, turnsAt } from "./recorded-turns.ts";

export interface LatentOptions {
  readonly ranker: Ranker;
  readonly bounds: LatentBounds;
  /** Of the group `history`; absent: the user is what is observed. */
  readonly turns: number | undefined;
}

/** Flights of slates as flights of latent actions, seen as the latest turns or as the user that nobody sees. */
export function latentFlights(flights: RecordedFlights, options: LatentOptions): RecordedFlights {
  const { path, layout, episodes, steps, remarks } = flights;
  const { ranker, turns } = options;
  const { slots } = ranker.get_config();
  return {
    ...{ path, layout, episodes, steps, remarks },
    spec: specOf(flights.spec, options),
    read: (array, rows, into, at) => {
      const time = { [`obs/${HISTORY}`]: 0, [`next/${HISTORY}`]: 1 }[array];
      if (array === "actions") into.set(ranker.encode(turnsAt(flights, slots, rows)).mean, at);
      else if (time === undefined || !turns) flights.read(array, rows, into, at);
      else readHistory(flights, { rows, time, into, at, slots, turns });
    },
    close: () => flights.close(),
  };
}

function specOf(spec: FlightsSpec, { ranker, bounds, turns }: LatentOptions): FlightsSpec {
  const { slots, latentWidth: width } = ranker.get_config();
  const user = spec.groups[USER];
  const groups =
    turns === undefined
      ? { ...(user && { [USER]: user }) }
      : { [HISTORY]: { width: turns * slots, kept: "float32" as const } };
  const action = { low: Array.from(bounds.low), high: Array.from(bounds.high) };
  return { ...spec, groups, action: { width, kept: "float32", ...action } };
}

interface Wanted {
  readonly rows: Rows;
  /** From a row's number to its observation's time. */
  readonly time: number;
  readonly into: Numbers;
  readonly at: number;
  readonly slots: number;
  readonly turns: number;
}

/** For each row the codes of the turns up to it, oldest first; zeros before an episode's first. */
function readHistory(flights: RecordedFlights, wanted: Wanted): void {
  const { rows, time, into, at, slots, turns } = wanted;
  const { episode, count } = rows;
  const last = rows.from + time;
  const from = Math.max(0, last - turns + 1);
  const before = last - from;
  const seen = seenAt(flights, { episode, from, count: before + count }, 2 * slots);
  const codes = codesOf(seen, slots, (row) => from + row === 0);
  for (let row = 0; row < count; row += 1) {
    const end = before + row + 1;
    const begin = Math.max(0, end - turns);
    const start = at + row * turns * slots;
    const known = start + (turns - (end - begin)) * slots;
    into.fill(0, start, known);
    into.set(codes.subarray(begin * slots, end * slots), known);
  }
}
