import type { Catalogue, Column } from "./catalogue.ts";
import { DatasetError } from "./dataset-error.ts";
import type { FlightsSpec, Layout } from "./flights-spec.ts";
import type { Episodes, Numbers, RecordedFlights, Rows } from "./recorded-flights.ts";
import { listed, type RowReader } from "./row-reader.ts";

/** Recorded flights of a file, by what its layout found. */
export class FileFlights implements RecordedFlights {
  readonly path: string;
  readonly layout: Layout;
  readonly spec: FlightsSpec;
  readonly episodes: Episodes;
  readonly steps: number;
  readonly remarks: readonly string[];
  readonly #reader: RowReader;
  readonly #columns: Readonly<Record<string, Column>>;
  readonly #nonFinite: "refuse" | "allow";

  constructor(reader: RowReader, catalogue: Catalogue, nonFinite: "refuse" | "allow") {
    this.path = reader.file.path;
    this.layout = catalogue.layout;
    this.spec = catalogue.spec;
    this.episodes = catalogue.episodes;
    this.remarks = catalogue.remarks;
    this.steps = catalogue.episodes.lengths.reduce((sum, length) => sum + length, 0);
    this.#reader = reader;
    this.#columns = catalogue.columns;
    this.#nonFinite = nonFinite;
  }

  read(array: string, rows: Rows, into: Numbers, at: number): void {
    const column = this.#columns[array];
    const isFlag = array === "terminated" || array === "truncated";
    if (!column && !isFlag) throw this.#missing(array);
    const width = column?.spec.width ?? 1;
    if (!column) into.fill(0, at, at + rows.count);
    else if (column.parts.length === 1) this.#part(column.parts[0]!, rows, { into, at });
    else this.#parts(column, rows, { into, at });
    if (isFlag) this.#settleFlags(array, rows, { into, at });
    else if (this.#nonFinite === "refuse" && !(into instanceof Uint8Array)) {
      const end = at + rows.count * width;
      const bad = firstNonFinite(into, at, end);
      if (bad >= 0) throw this.#notFinite(array, rows, { at: bad - at, width, value: into[bad]! });
    }
  }

  close(): void {
    this.#reader.file.close();
  }

  #part(
    part: Column["parts"][number],
    { episode, from, count }: Rows,
    { into, at }: { into: Numbers; at: number },
  ): void {
    const { path, first } = part.place(episode);
    this.#reader.read(path, { from: first + from, count, width: part.width }, into, at);
  }

  #parts(column: Column, rows: Rows, { into, at }: { into: Numbers; at: number }): void {
    const { width } = column.spec;
    let offset = 0;
    for (const part of column.parts) {
      const piece = new Float32Array(rows.count * part.width);
      this.#part(part, rows, { into: piece, at: 0 });
      for (let row = 0; row < rows.count; row += 1) {
        const values = piece.subarray(row * part.width, (row + 1) * part.width);
        into.set(values, at + row * width + offset);
      }
      offset += part.width;
    }
  }

  /** Flags are 0 or 1, and the last step's are how the episode ended. */
  #settleFlags(flag: string, rows: Rows, { into, at }: { into: Numbers; at: number }): void {
    for (let i = at; i < at + rows.count; i += 1) into[i] = into[i] ? 1 : 0;
    const last = this.episodes.lengths[rows.episode]! - 1;
    if (last < rows.from || last >= rows.from + rows.count) return;
    const ending = this.episodes.endings[rows.episode];
    const i = at + last - rows.from;
    into[i] = ending === flag || (flag === "truncated" && into[i]) ? 1 : 0;
  }

  #missing(array: string): DatasetError {
    const [kind, ...rest] = array.split("/");
    const name = rest.join("/");
    const { groups, notes } = this.spec;
    if (kind === "next" && name in groups) {
      return new DatasetError(
        "missing-successors",
        `${this.path} has no successors of the observation group ${name}`,
        "Leave that group out, or record it again with the successors of all groups.",
      );
    }
    if (kind === "obs" || kind === "next") {
      return new DatasetError(
        "missing-group",
        `${this.path} has no observation group ${name}; it has: ${listed(Object.keys(groups))}`,
        "Name one of these, or make one of several (obs_groups).",
      );
    }
    if (kind === "notes") {
      return new DatasetError(
        "missing-note",
        `${this.path} has no ${name} recorded beside its steps; it has: ${listed(Object.keys(notes))}`,
        "Record it again with what the learner asks for.",
      );
    }
    return new DatasetError(
      "missing-array",
      `${this.path} has no ${array} recorded`,
      "Only imitation (bc) can learn from flights without rewards.",
    );
  }

  #notFinite(
    array: string,
    rows: Rows,
    { at, width, value }: { at: number; width: number; value: number },
  ): DatasetError {
    const step = rows.from + Math.floor(at / width);
    const component = at % width;
    const name = this.#columns[array]?.spec.names?.[component];
    const called = name === undefined ? "" : ` (${name})`;
    return new DatasetError(
      "not-finite",
      `${this.path}: ${array} of episode ${rows.episode}, step ${step}, component ${component}${called} is ${value}`,
      "A simulator that blew up was recorded; cut that episode out or record it again.",
    );
  }
}

/** Index, or -1. A value minus itself is 0 unless it is NaN or infinite. */
export function firstNonFinite(values: Numbers, from: number, end: number): number {
  for (let i = from; i < end; i += 1) {
    const value = values[i]!;
    if (value - value !== 0) return i;
  }
  return -1;
}
