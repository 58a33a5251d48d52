import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenOptions, openFlights } from "../../src/datasets/open-flights.ts";
import type { RecordedFlights } from "../../src/datasets/recorded-flights.ts";
import { readyPython } from "../python-env.ts";

const here = import.meta.dirname;

/** Flights in all layouts, and spoiled ones, as h5py and Minari write them. */
export interface FlightFiles {
  readonly python: string;
  path(name: string): string;
  remove(): void;
}

export async function makeFlightFiles(): Promise<FlightFiles> {
  const python = readyPython("datasets");
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-flights-"));
  execFileSync(python, [join(here, "make_flights.py"), folder], { stdio: "pipe" });
  return {
    python,
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Opens flights for as long as `use` takes. */
export async function withFlights<T>(
  path: string,
  use: (flights: RecordedFlights) => T | Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  const flights = await openFlights(path, options);
  try {
    return await use(flights);
  } finally {
    flights.close();
  }
}

/** Rows of an array of one episode. */
export function rowsOf(
  flights: RecordedFlights,
  array: string,
  { episode, count, width }: { episode: number; count: number; width: number },
): number[][] {
  const values = new Float32Array(count * width);
  flights.read(array, { episode, from: 0, count }, values, 0);
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
}
