import type { Random } from "../../../policies/random.ts";
import type { LoggedClicks } from "../../../policies/rankers/factorise.ts";
import type { Turns } from "../../../policies/rankers/ranker.ts";

/** Turns from one number to before another. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** In the order they were logged; the last may be smaller. */
export function* batchesOf(logged: LoggedClicks, part: Part, size: number): Generator<Turns> {
  const { slots, slates, clicks } = logged;
  for (let from = part.from; from < part.to; from += size) {
    const to = Math.min(from + size, part.to);
    const cut = [from * slots, to * slots] as const;
    yield { rows: to - from, slates: slates.subarray(...cut), clicks: clicks.subarray(...cut) };
  }
}

/** All turns of a part once, in random order, in whole batches; fewer turns than that are one. */
export function* shuffledBatches(
  logged: LoggedClicks,
  { from, to }: Part,
  { batch, random }: { readonly batch: number; readonly random: Random },
): Generator<Turns> {
  const order = Int32Array.from({ length: to - from }, (_, i) => from + i);
  random.shuffle(order);
  const size = Math.min(batch, order.length);
  for (let at = 0; at + size <= order.length; at += size) {
    yield gather(logged, order.subarray(at, at + size));
  }
}

function gather({ slots, slates, clicks }: LoggedClicks, rows: Int32Array): Turns {
  const shown = new Uint16Array(rows.length * slots);
  const clicked = new Uint8Array(rows.length * slots);
  for (const [i, row] of rows.entries()) {
    const cut = [row * slots, (row + 1) * slots] as const;
    shown.set(slates.subarray(...cut), i * slots);
    clicked.set(clicks.subarray(...cut), i * slots);
  }
  return { rows: rows.length, slates: shown, clicks: clicked };
}
