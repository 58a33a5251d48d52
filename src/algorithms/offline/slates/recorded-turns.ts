import type { LoggedClicks } from "../../../../policies/rankers/factorise.ts";
import type { Turns } from "../../../../policies/rankers/ranker.ts";
import type { RecordedFlights, Rows } from "../../../datasets/recorded-flights.ts";
import { RunError } from "../../../runs/run-error.ts";
import { SEEN } from "./groups.ts";

/**
 * Observations of an episode by time, from 0 to its length: the last is the one that its last step led to. Zeros
 * where nobody recorded that.
 */
export function seenAt(
  flights: RecordedFlights,
  { episode, from, count }: Rows,
  width: number,
): Float32Array {
  const { lengths, observed } = flights.episodes;
  const seen = new Float32Array(count * width);
  const length = lengths[episode]!;
  const there = flights.spec.successors === "following" ? observed[episode]! : length;
  const known = Math.min(count, there - from);
  if (known > 0) flights.read(`obs/${SEEN}`, { episode, from, count: known }, seen, 0);
  if (known < count && flights.spec.successors === "recorded") {
    const last = { episode, from: length - 1, count: 1 };
    flights.read(`next/${SEEN}`, last, seen, known * width);
  }
  return seen;
}

/** The slates that were shown at some steps, and what of them was clicked. */
export function turnsAt(flights: RecordedFlights, slots: number, rows: Rows): Turns {
  const { episode, from, count } = rows;
  const shown = new Float32Array(count * slots);
  flights.read("actions", rows, shown, 0);
  const after = seenAt(flights, { episode, from: from + 1, count }, 2 * slots);
  const clicks = new Uint8Array(count * slots);
  for (let row = 0; row < count; row += 1) {
    for (let slot = 0; slot < slots; slot += 1) {
      const clicked = after[row * 2 * slots + slots + slot]! > 0.5;
      clicks[row * slots + slot] = clicked ? 1 : 0;
    }
  }
  return { rows: count, slates: Uint16Array.from(shown, Math.round), clicks };
}

/** All of them, episode after episode: 30 bytes a turn. @throws RunError `no-slates` */
export function allTurns(flights: RecordedFlights): LoggedClicks {
  const slots = slotsOf(flights);
  const { lengths } = flights.episodes;
  const starts = new Int32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) starts[i + 1] = starts[i]! + length;
  const slates = new Uint16Array(flights.steps * slots);
  const clicks = new Uint8Array(flights.steps * slots);
  let most = 0;
  for (const [episode, count] of lengths.entries()) {
    if (count === 0) continue;
    const turns = turnsAt(flights, slots, { episode, from: 0, count });
    slates.set(turns.slates, starts[episode]! * slots);
    clicks.set(turns.clicks, starts[episode]! * slots);
    for (const item of turns.slates) most = Math.max(most, item);
  }
  const { high } = flights.spec.action;
  const stated = high?.every(Number.isFinite) ? Math.max(...high) : most;
  return { items: Math.max(most, stated) + 1, slots, starts, slates, clicks };
}

/** Items of a slate. @throws RunError `no-slates` */
export function slotsOf({ spec, path }: RecordedFlights): number {
  const { width: slots } = spec.action;
  const seen = spec.groups[SEEN]?.width;
  if (seen === 2 * slots && slots >= 2) return slots;
  throw new RunError(
    "no-slates",
    `${path} holds no slates: actions of ${slots} numbers beside ${seen === undefined ? "no" : `${seen}`} observations '${SEEN}'; expected those to be twice as many, ids and clicks`,
    "Record some: firstsolo record --task slates-diffuse_topdown -o slates.hdf5.",
  );
}
