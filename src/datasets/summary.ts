import type { ArraySpec, Layout } from "./flights-spec.ts";
import { MomentSum, type Moments } from "./moments.ts";
import type { Ending, RecordedFlights } from "./recorded-flights.ts";
import { pieceRows, pieces } from "./statistics.ts";
import { rowBytes } from "./window.ts";

export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Rows with NaN or an infinity, and where the first one is. */
export interface NonFinite {
  readonly rows: number;
  readonly first: { readonly episode: number; readonly step: number; readonly component: number };
}

/** What `firstsolo inspect FILE.hdf5` shows. */
export interface FlightsSummary {
  readonly path: string;
  readonly layout: Layout;
  readonly task?: string;
  readonly episodes: number;
  readonly steps: number;
  readonly lengths: Spread;
  /** Undiscounted; absent where no rewards are recorded. */
  readonly returns?: Spread;
  /** Shares of the episodes, 0 to 1. */
  readonly endings: Readonly<Record<Ending, number>>;
  readonly groups: Readonly<Record<string, ArraySpec>>;
  readonly successors: "recorded" | "following";
  /** Steps whose successor was not recorded and that did not end in a death. */
  readonly withoutSuccessor: number;
  readonly action: ArraySpec & {
    readonly low?: readonly number[];
    readonly high?: readonly number[];
  };
  readonly actions: Moments;
  readonly notes: Readonly<Record<string, ArraySpec>>;
  readonly nonFinite: Readonly<Record<string, NonFinite>>;
  /** Bytes of all steps in memory, for a learner that wants all groups and their successors. */
  readonly memoryBytes: number;
  readonly remarks: readonly string[];
}

/** Goes once through observations, actions and rewards. Open with `nonFinite: "allow"` to have NaN counted. */
export function summarise(flights: RecordedFlights): FlightsSummary {
  const { spec, episodes, path, layout, steps, remarks } = flights;
  const { lengths, endings, observed } = episodes;
  const names = Object.keys(spec.groups);
  const wanted = { groups: names, successors: names, notes: [], nextActions: false };
  const following = spec.successors === "following";
  const open = endings.filter(
    (ending, e) => ending !== "terminated" && following && observed[e] === lengths[e],
  );
  const rows = steps + (following ? lengths.length : 0);
  const share = (ending: Ending) => endings.filter((e) => e === ending).length / endings.length;
  return {
    path,
    layout,
    ...(spec.env && { task: spec.env.task }),
    episodes: lengths.length,
    steps,
    lengths: spreadOf(lengths),
    ...(spec.hasRewards && { returns: spreadOf(episodes.returns) }),
    endings: {
      terminated: share("terminated"),
      truncated: share("truncated"),
      unfinished: share("unfinished"),
    },
    groups: spec.groups,
    successors: spec.successors,
    withoutSuccessor: open.length,
    action: spec.action,
    notes: spec.notes,
    ...scanned(flights, names),
    memoryBytes: rows * rowBytes(flights, { ...wanted, rewards: spec.hasRewards }),
    remarks,
  };
}

function scanned(flights: RecordedFlights, groups: readonly string[]) {
  const { spec } = flights;
  const nonFinite: Record<string, NonFinite> = {};
  const arrays: [string, ArraySpec][] = groups.map((name) => [`obs/${name}`, spec.groups[name]!]);
  if (spec.hasRewards) arrays.push(["rewards", { width: 1, kept: "float32" }]);
  for (const [array, { width, kept }] of arrays) {
    if (kept === "uint8") continue;
    const found = scan(flights, array, { width });
    if (found) nonFinite[array] = found;
  }
  const moments = new MomentSum(spec.action.width);
  const found = scan(flights, "actions", { width: spec.action.width, moments });
  if (found) nonFinite.actions = found;
  return { actions: moments.done(), nonFinite };
}

function scan(
  flights: RecordedFlights,
  array: string,
  { width, moments }: { width: number; moments?: MomentSum },
): NonFinite | undefined {
  const rows = pieceRows(width);
  const values = new Float32Array(rows * width);
  let bad = 0;
  let first: NonFinite["first"] | undefined;
  for (const run of pieces(flights, flights.episodes.lengths.keys(), rows)) {
    flights.read(array, run, values, 0);
    moments?.add(values, run.count);
    for (let row = 0; row < run.count; row += 1) {
      const component = badComponent(values, row, width);
      if (component < 0) continue;
      bad += 1;
      first ??= { episode: run.episode, step: run.from + row, component };
    }
  }
  return first && { rows: bad, first };
}

function badComponent(values: Float32Array, row: number, width: number): number {
  for (let k = 0; k < width; k += 1) if (!Number.isFinite(values[row * width + k])) return k;
  return -1;
}

function spreadOf(values: Float64Array): Spread {
  let [sum, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { mean: sum / values.length, least, most };
}
