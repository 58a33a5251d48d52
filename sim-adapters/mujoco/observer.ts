import type { Observations } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import { type Quantity, quantities, readingsWidth } from "./readings.ts";
import { Streams } from "./streams.ts";
import { noiseOf, type Task } from "./tasks.ts";

interface Group {
  readonly name: string;
  /** Where in a row of readings each component stands. */
  readonly columns: Int32Array;
  /** Standard deviations; absent for an exact group. */
  readonly noise: Float64Array | undefined;
  /** One row of standard normal numbers. */
  readonly drawn: Float64Array;
  /** What was observed last, `[numEnvs, width]`. */
  readonly rows: Float32Array;
}

/**
 * From readings to observation groups. Noise has streams of its own: goals are the same with and
 * without it, and a noise of zero gives exactly the exact group.
 */
export class Observer {
  readonly streams: Streams;
  readonly #groups: readonly Group[];

  constructor(task: Task, numEnvs: number, settings: Settings) {
    this.streams = new Streams(numEnvs, 2);
    this.#groups = Object.entries(task.groups).map(([name, parts]) => {
      const columns = Int32Array.from(parts.flatMap(({ quantity }) => columnsOf(quantity)));
      return {
        name,
        columns,
        noise: noiseOf(parts, settings),
        drawn: new Float64Array(columns.length),
        rows: new Float32Array(numEnvs * columns.length),
      };
    });
  }

  /** The last observations themselves, for a snapshot. */
  get arrays(): readonly Float32Array[] {
    return this.#groups.map(({ rows }) => rows);
  }

  observeAll(readings: Float64Array): void {
    for (const group of this.#groups) {
      const count = group.rows.length / group.columns.length;
      for (let i = 0; i < count; i++) this.#write(group, i, readings);
    }
  }

  /** Observes these environments anew, with fresh noise. */
  observe(envs: Int32Array, readings: Float64Array): void {
    for (const group of this.#groups) {
      for (const i of envs) this.#write(group, i, readings);
    }
  }

  /** Fresh copies of the last observations, of all environments or of these. */
  copy(envs?: Int32Array): Observations {
    const copies: Record<string, Float32Array> = {};
    for (const { name, columns, rows } of this.#groups) {
      copies[name] = envs === undefined ? rows.slice() : pick(rows, columns.length, envs);
    }
    return copies;
  }

  #write({ columns, noise, drawn, rows }: Group, i: number, readings: Float64Array): void {
    const width = columns.length;
    const at = i * width;
    const from = i * readingsWidth;
    if (noise === undefined) {
      for (let c = 0; c < width; c++) rows[at + c] = readings[from + columns[c]!]!;
      return;
    }
    this.streams.normals(i, drawn);
    for (let c = 0; c < width; c++) {
      rows[at + c] = readings[from + columns[c]!]! + noise[c]! * drawn[c]!;
    }
  }
}

function pick(rows: Float32Array, width: number, envs: Int32Array): Float32Array {
  const picked = new Float32Array(envs.length * width);
  for (const [k, i] of envs.entries()) {
    picked.set(rows.subarray(i * width, (i + 1) * width), k * width);
  }
  return picked;
}

function columnsOf(quantity: Quantity): number[] {
  const { offset, axes } = quantities[quantity];
  return axes.map((_, axis) => offset + axis);
}
