import { DatasetError } from "./dataset-error.ts";
import type { ArraySpec } from "./flights-spec.ts";
import type { RecordedFlights } from "./recorded-flights.ts";

/** Which arrays of the flights a reader wants, and whether a step needs what came after it. */
export interface Wanted {
  readonly groups: readonly string[];
  readonly successors: readonly string[];
  readonly notes: readonly string[];
  readonly rewards: boolean;
  /** The action of the next step too, as the note `next_actions`. */
  readonly nextActions: boolean;
}

/** Consecutive steps of one episode. */
export interface Run {
  readonly episode: number;
  readonly from: number;
  readonly count: number;
}

type Kept = Float32Array | Uint8Array;

export interface WindowColumn {
  readonly width: number;
  readonly data: Kept;
}

/** A column's name, and the flights' array and width that fill it. */
interface Source {
  readonly name: string;
  readonly spec: ArraySpec;
}

/**
 * Steps in memory. Rows of one run follow each other, with one row more behind them where successors
 * or next actions are wanted: what came after row `i` is always in row `i + 1`. Where a death's
 * successor was not recorded, that row repeats the last observation and action: a value-based learner
 * masks it, and only it.
 */
export class StepWindow {
  readonly #flights: RecordedFlights;
  readonly #wanted: Wanted;
  readonly #columns: Readonly<Record<string, WindowColumn>>;
  readonly #extra: 0 | 1;
  readonly #following: boolean;
  /** Rows that may be drawn. */
  readonly drawable: Int32Array;
  #count = 0;

  /** @param rows that fit into it. @throws DatasetError for a group or note that is not there */
  constructor(flights: RecordedFlights, wanted: Wanted, rows: number) {
    this.#flights = flights;
    this.#wanted = wanted;
    this.#following = follows(flights, wanted);
    this.#extra = extraRows(flights, wanted);
    const columns = sourcesOf(flights, wanted).map(({ name, spec }) => {
      const Numbers = spec.kept === "uint8" ? Uint8Array : Float32Array;
      return [name, { width: spec.width, data: new Numbers(rows * spec.width) }] as const;
    });
    this.#columns = Object.fromEntries(columns);
    this.drawable = new Int32Array(rows);
  }

  /** How many rows of `drawable` count. */
  get count(): number {
    return this.#count;
  }

  column(name: string): WindowColumn {
    return this.#columns[name]!;
  }

  /** The column and how many rows further the successor's observation is. */
  successor(group: string): { readonly column: WindowColumn; readonly shift: 0 | 1 } {
    if (this.#following) return { column: this.column(`obs/${group}`), shift: 1 };
    return { column: this.column(`next/${group}`), shift: 0 };
  }

  /** Replaces what is in memory. @throws DatasetError as `read` does */
  load(runs: Iterable<Run>): void {
    this.#count = 0;
    let row = 0;
    for (const run of runs) {
      for (const name of Object.keys(this.#columns)) this.#fill(name, run, row);
      this.#mark(run, row);
      row += run.count + this.#extra;
    }
  }

  #fill(name: string, run: Run, row: number): void {
    const { width, data } = this.#columns[name]!;
    const there = this.#rowsOf(name, run.episode) - run.from;
    const count = Math.min(run.count + this.#extra, there);
    const rows = { episode: run.episode, from: run.from, count };
    this.#flights.read(name, rows, data, row * width);
    if (count === run.count + this.#extra) return;
    const last = (row + count - 1) * width;
    data.copyWithin(last + width, last, last + width);
  }

  #rowsOf(name: string, episode: number): number {
    const { lengths, observed } = this.#flights.episodes;
    return (name.startsWith("obs/") && this.#following ? observed : lengths)[episode]!;
  }

  #mark({ episode, from, count }: Run, row: number): void {
    const { lengths } = this.#flights.episodes;
    for (let i = 0; i < count; i += 1) {
      const last = from + i + 1 === lengths[episode];
      if (last && lacksEnd(this.#flights, this.#wanted, episode)) continue;
      this.drawable[this.#count] = row + i;
      this.#count += 1;
    }
  }
}

/** Bytes that a row costs. */
export function rowBytes(flights: RecordedFlights, wanted: Wanted): number {
  const columns = sourcesOf(flights, wanted).reduce(
    (sum, { spec }) => sum + spec.width * (spec.kept === "uint8" ? 1 : 4),
    0,
  );
  return columns + Int32Array.BYTES_PER_ELEMENT;
}

/** Rows that a run takes beside its steps. */
export function extraRows(flights: RecordedFlights, wanted: Wanted): 0 | 1 {
  return follows(flights, wanted) || wanted.nextActions ? 1 : 0;
}

/**
 * Whether an episode's last step can't be drawn: what came after it is wanted, was not recorded, and
 * matters, since the episode did not end in a death.
 */
export function lacksEnd(flights: RecordedFlights, wanted: Wanted, episode: number): boolean {
  const { endings, lengths, observed } = flights.episodes;
  if (endings[episode] === "terminated") return false;
  if (wanted.nextActions) return true;
  return follows(flights, wanted) && observed[episode] === lengths[episode];
}

/** Whether an episode's death has a repeated observation for its successor. */
export function repeatsEnd(flights: RecordedFlights, wanted: Wanted, episode: number): boolean {
  const { endings, lengths, observed } = flights.episodes;
  if (endings[episode] !== "terminated" || !follows(flights, wanted)) return false;
  return observed[episode] === lengths[episode];
}

function follows({ spec }: RecordedFlights, { successors }: Wanted): boolean {
  return successors.length > 0 && spec.successors === "following";
}

const one = (kept: "float32" | "uint8"): ArraySpec => ({ width: 1, kept });

function sourcesOf(flights: RecordedFlights, wanted: Wanted): readonly Source[] {
  const { spec, path } = flights;
  const need = (name: string, table: Readonly<Record<string, ArraySpec>>, what: string) => {
    const found = table[name];
    if (found) return found;
    const there = Object.keys(table).join(", ") || "none";
    throw new DatasetError(
      what === "note" ? "missing-note" : "missing-group",
      `${path} has no ${what} ${name}; it has: ${there}`,
      what === "note"
        ? "Record it again with what the learner asks for."
        : "Name one of these, or make one of several (obs_groups).",
    );
  };
  if (wanted.rewards && !spec.hasRewards) {
    throw new DatasetError(
      "missing-rewards",
      `${path} has no rewards recorded`,
      "Only imitation (bc) can learn from flights without rewards.",
    );
  }
  const recorded = spec.successors === "recorded";
  const groups = new Set([...wanted.groups, ...(recorded ? [] : wanted.successors)]);
  const group = (name: string) => need(name, spec.groups, "observation group");
  return [
    ...[...groups].map((name) => ({ name: `obs/${name}`, spec: group(name) })),
    ...(recorded ? wanted.successors : []).map((name) => ({
      name: `next/${name}`,
      spec: group(name),
    })),
    { name: "actions", spec: spec.action },
    ...(wanted.rewards ? [{ name: "rewards", spec: one("float32") }] : []),
    { name: "terminated", spec: one("uint8") },
    { name: "truncated", spec: one("uint8") },
    ...wanted.notes.map((name) => ({
      name: `notes/${name}`,
      spec: need(name, spec.notes, "note"),
    })),
  ];
}
