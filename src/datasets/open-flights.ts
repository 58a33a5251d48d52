import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Catalogue } from "./catalogue.ts";
import { combineGroups } from "./combine-groups.ts";
import { readD4rl } from "./d4rl.ts";
import { DatasetError } from "./dataset-error.ts";
import { FileFlights } from "./file-flights.ts";
import type { Layout } from "./flights-spec.ts";
import { Hdf5File } from "./hdf5-file.ts";
import { EPISODE, readMinari } from "./minari.ts";
import type { RecordedFlights } from "./recorded-flights.ts";
import { DEMO, readRobomimic } from "./robomimic.ts";
import { listed, RowReader } from "./row-reader.ts";

export const MAIN_DATA = "main_data.hdf5";
/** 1 GiB. */
export const DEFAULT_MEMORY = 1 << 30;

export interface OpenOptions {
  /** Instead of deciding by what the file holds. */
  readonly layout?: Layout;
  /** Bytes that all readers of the file together may hold; 1 GiB. */
  readonly memoryBytes?: number;
  /** Groups made of several of the file's, one after the other: `{ policy: ["observation", "goal"] }`. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** `allow` lets NaN and infinities through, for who counts them. */
  readonly nonFinite?: "refuse" | "allow";
  /** Seconds of processor time for anything that is asked of the file; 5. Opening a large file may take longer. */
  readonly patience?: number;
}

/**
 * Opens recorded flights: an HDF5 file in the layout of D4RL, Minari or robomimic, or the folder of a
 * Minari data set. Goes once through rewards and flags, and through nothing else.
 *
 *     const flights = await openFlights("flights.hdf5");
 *     flights.spec.groups.policy?.width;   // 24
 *     flights.close();
 *
 * @throws DatasetError
 */
export async function openFlights(
  path: string,
  options: OpenOptions = {},
): Promise<RecordedFlights> {
  const { layout, memoryBytes = DEFAULT_MEMORY, groups = {}, nonFinite = "refuse" } = options;
  checkMemory(memoryBytes);
  // The library has a working directory of its own.
  const file = new Hdf5File(resolve(locate(path)), {
    chunkLimit: Math.max(16 << 20, memoryBytes / 16),
    ...(options.patience !== undefined && { patience: options.patience }),
  });
  try {
    const reader = new RowReader(file, Math.floor(memoryBytes / 4));
    const catalogue = READERS[layout ?? detect(file)](reader);
    const combined = combineGroups(catalogue, groups, file.path);
    const flights = new FileFlights(reader, combined, nonFinite);
    file.opened();
    return flights;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a path is meant as recorded flights, by its name or, for a folder, by what is in it. */
export function isFlightsPath(path: string): boolean {
  if (/\.(hdf5|h5|he5)$/i.test(path)) return true;
  return [MAIN_DATA, join("data", MAIN_DATA)].some((inner) => existsSync(join(path, inner)));
}

const READERS: Readonly<Record<Layout, (reader: RowReader) => Catalogue>> = {
  d4rl: readD4rl,
  minari: readMinari,
  robomimic: readRobomimic,
};

function checkMemory(bytes: number): void {
  if (bytes >= 1 << 20) return;
  throw new DatasetError(
    "too-little-memory",
    `A memory of ${bytes} bytes is too little to read flights with`,
    "Allow 1 MiB or more; 1 GiB is the default.",
  );
}

/** A Minari data set may be given as its folder, the `data` folder in it, or the file. */
function locate(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return path;
  if (stat?.isDirectory()) {
    const inside = [join(path, MAIN_DATA), join(path, "data", MAIN_DATA)].find((p) =>
      existsSync(p),
    );
    if (inside) return inside;
    throw new DatasetError(
      "not-found",
      `${path} is a folder without ${MAIN_DATA} or data/${MAIN_DATA}`,
      "Give an .hdf5 file, or the folder of a Minari data set that is stored as HDF5 (not Arrow).",
    );
  }
  const what = stat === undefined ? "is not there" : "is neither a file nor a folder";
  throw new DatasetError("not-found", `${path} ${what}`, "Check the path of the data set.");
}

function detect(file: Hdf5File): Layout {
  const top = file.names("") ?? [];
  if (top.some((name) => EPISODE.test(name))) return "minari";
  if (top.includes("data") && file.names("data")?.some((name) => DEMO.test(name))) {
    return "robomimic";
  }
  if (top.includes("observations") && top.includes("actions")) return "d4rl";
  if (top.length === 0) {
    const message = `${file.path} is an HDF5 file that holds nothing`;
    throw new DatasetError("no-flights", message, "Record some flights: firstsolo record.");
  }
  throw new DatasetError(
    "unknown-layout",
    `${file.path} is in none of the layouts d4rl, minari, robomimic; at the top: ${listed(top)}`,
    "d4rl has observations and actions at the top, minari episode_<i>, robomimic data/demo_<i>.",
  );
}
