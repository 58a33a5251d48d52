import type { ObservationArray, Observations } from "../../protocol/frame.ts";
import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Arrays } from "../learning/experience.ts";
import { DatasetError } from "./dataset-error.ts";
import { FlightPlace } from "./flight-place.ts";
import { Hdf5Writer, type TableRows } from "./hdf5-writer.ts";
import { pythonJson } from "./json-text.ts";
import { SPEC_KEY } from "./minari-metadata.ts";
import { actionSpace, isPlain, observationSpace } from "./minari-spaces.ts";

export interface WriteOptions {
  /** Observation groups; all of the specification. */
  readonly groups?: readonly string[];
  /** `none`: simulated flights hardly shrink. Pictures do, and are compressed in any case. */
  readonly compression?: "none" | "gzip";
  readonly existing?: "refuse" | "replace";
  /** Further metadata as Minari has them, e.g. `algorithm_name`, `description`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface WrittenFlights {
  readonly path: string;
  /** The folder to give to `minari.MinariDataset`. */
  readonly minariFolder: string;
  readonly episodes: number;
  readonly steps: number;
}

/** What every 0.5 of Minari reads. */
const MINARI_VERSION = "0.5.0";
/** Bytes of an attribute, a little below what HDF5 allows; the bounds of large pictures are longer. */
const MOST_ATTRIBUTE = 60_000;
const FLAG = { dtype: "bool", shape: [] } as const;
const SCALAR = { dtype: "<f4", shape: [] } as const;

/** An episode that is being written. */
interface Open {
  readonly name: string;
  steps: number;
  tables: boolean;
}

/**
 * Writes flights in Minari's layout, episode by episode, and keeps none in memory. The file gets its
 * name when it is closed; until then, and after a crash, there is only a hidden draft beside it.
 *
 *     const writer = await FlightWriter.create("flights.hdf5", spec);
 *     writer.write(writer.start(), steps, { arrays, last });
 *     const { minariFolder } = writer.close();
 */
export class FlightWriter {
  readonly spec: EnvSpec;
  readonly groups: readonly string[];
  readonly #place: FlightPlace;
  readonly #file: Hdf5Writer;
  readonly #options: WriteOptions;
  readonly #open = new Map<number, Open>();
  #episodes = 0;
  #steps = 0;

  /** @param path ends in .hdf5 for a file, else a folder. @throws DatasetError */
  static async create(path: string, spec: EnvSpec, options: WriteOptions = {}) {
    const place = new FlightPlace(path, options.existing ?? "refuse");
    const file = await Hdf5Writer.create(place.draft);
    return new FlightWriter(place, file, { spec, options });
  }

  private constructor(
    place: FlightPlace,
    file: Hdf5Writer,
    { spec, options }: { spec: EnvSpec; options: WriteOptions },
  ) {
    this.spec = spec;
    this.groups = options.groups ?? Object.keys(spec.observations);
    this.#place = place;
    this.#file = file;
    this.#options = options;
    for (const group of this.groups) this.#groupSpec(group);
  }

  /** A new episode's number. Each that was started must be ended by a `last`. */
  start(): number {
    const id = this.#episodes;
    this.#episodes += 1;
    this.#open.set(id, { name: `episode_${id}`, steps: 0, tables: false });
    return id;
  }

  /**
   * Adds steps to an episode, `[steps, width]` row-major: `obs/GROUP`, `actions`, `rewards`,
   * `terminated`, `truncated`, `notes/NAME`. With `last`, the observations after the last step by
   * group, `[width]`, the episode is complete. @throws DatasetError
   */
  write(
    id: number,
    steps: number,
    piece: { readonly arrays: Arrays; readonly last?: Observations },
  ): void {
    const episode = this.#open.get(id);
    if (!episode) throw closedEpisode(id);
    const { arrays, last } = piece;
    const put = (path: string, spec: Pick<TableRows, "dtype" | "shape">, data: TableRows["data"]) =>
      this.#put(episode, path, { ...spec, data: typed(spec.dtype, data) }, last === undefined);
    const plain = isPlain(this.groups);
    if (!episode.tables) this.#groupsOf(episode.name, arrays, plain);
    for (const group of this.groups) {
      const rows = arrays[`obs/${group}`] as ObservationArray;
      const path = plain ? "observations" : `observations/${group}`;
      put(path, this.#groupSpec(group), last ? joined(rows, last[group]!) : rows);
    }
    put("actions", this.spec.action, arrays.actions!);
    put("rewards", SCALAR, arrays.rewards!);
    put("terminations", FLAG, arrays.terminated!);
    put("truncations", FLAG, arrays.truncated!);
    for (const [name, data] of Object.entries(arrays)) {
      if (name.startsWith("notes/")) put(`infos/${name.slice(6)}`, noteSpec(data, steps), data);
    }
    episode.tables = true;
    episode.steps += steps;
    this.#steps += steps;
    if (last) this.#end(id, episode);
  }

  /** Gives the flights their name. @throws DatasetError where an episode was not ended */
  close(): WrittenFlights {
    const [open] = this.#open.values();
    if (open) {
      const message = `${open.name} was started and never ended`;
      throw new DatasetError("unfinished", message, "Write its last observation first.");
    }
    const metadata = this.#metadata();
    for (const [key, value] of Object.entries(metadata)) {
      const fits = typeof value === "number" || value.length <= MOST_ATTRIBUTE;
      if (fits) this.#file.attribute("", key, value);
    }
    this.#file.close();
    this.#place.settle(pythonJson({ ...metadata, jpeg_encoding: false }));
    const { path, minariFolder } = this.#place;
    return { path, minariFolder, episodes: this.#episodes, steps: this.#steps };
  }

  /** Leaves nothing behind. */
  abandon(): void {
    this.#file.abandon();
    this.#place.abandon();
  }

  #metadata(): Record<string, string | number> {
    const groups = this.groups.map((group) => [group, this.#groupSpec(group)] as const);
    return {
      ...this.#options.metadata,
      dataset_id: this.#place.datasetId,
      total_episodes: this.#episodes,
      total_steps: this.#steps,
      data_format: "hdf5",
      observation_space: observationSpace(Object.fromEntries(groups)),
      action_space: actionSpace(this.spec),
      minari_version: MINARI_VERSION,
      [SPEC_KEY]: pythonJson(this.spec),
    };
  }

  #put(episode: Open, path: string, rows: TableRows, grows: boolean): void {
    const full = `${episode.name}/${path}`;
    if (episode.tables) this.#file.append(full, rows);
    else {
      const { compression = "none" } = this.#options;
      const picture = rows.dtype === "|u1" && rows.shape.length === 3;
      this.#file.table(full, rows, { compression: picture ? "gzip" : compression, grows });
    }
  }

  /** HDF5 makes no group by itself. */
  #groupsOf(name: string, arrays: Arrays, plain: boolean): void {
    const made = new Set<string>();
    const make = (path: string) => {
      const parts = path.split("/");
      for (let depth = 1; depth < parts.length; depth += 1) {
        const group = parts.slice(0, depth).join("/");
        if (!made.has(group)) this.#file.group(group);
        made.add(group);
      }
    };
    make(`${name}/actions`);
    if (!plain) for (const group of this.groups) make(`${name}/observations/${group}`);
    for (const key of Object.keys(arrays)) {
      if (key.startsWith("notes/")) make(`${name}/infos/${key.slice(6)}`);
    }
  }

  #end(id: number, { name, steps }: Open): void {
    this.#file.attribute(name, "id", id);
    this.#file.attribute(name, "total_steps", steps);
    this.#open.delete(id);
  }

  #groupSpec(group: string): TensorSpec {
    const spec = this.spec.observations[group];
    if (spec) return spec;
    throw new DatasetError(
      "missing-group",
      `The simulator has no observation group ${group}; it has: ${Object.keys(this.spec.observations).join(", ")}`,
      "Record one of these.",
    );
  }
}

function noteSpec(data: Arrays[string], steps: number): Pick<TensorSpec, "dtype" | "shape"> {
  const width = data.length / steps;
  const dtype = data instanceof Uint8Array ? "|u1" : data instanceof Int32Array ? "<i4" : "<f4";
  return { dtype, shape: width === 1 ? [] : [width] };
}

function typed(dtype: TableRows["dtype"], data: TableRows["data"]): TableRows["data"] {
  if (dtype === "<f4") return data instanceof Float32Array ? data : Float32Array.from(data);
  if (dtype === "|u1" || dtype === "bool")
    return data instanceof Uint8Array ? data : Uint8Array.from(data);
  return data instanceof Int32Array ? data : Int32Array.from(data);
}

function joined(rows: ObservationArray, last: ObservationArray): ObservationArray {
  const Numbers = rows instanceof Uint8Array ? Uint8Array : Float32Array;
  const all = new Numbers(rows.length + last.length);
  all.set(rows);
  all.set(last, rows.length);
  return all;
}

function closedEpisode(id: number): DatasetError {
  const message = `Episode ${id} was never started, or is complete`;
  return new DatasetError("no-episode", message, "Start a new one.");
}
