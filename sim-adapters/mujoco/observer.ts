import type { Observations } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { Arena } from "../inside/arena.ts";
import { Streams } from "../inside/streams.ts";
import type { Rows } from "./bodies.ts";
import { DelayLine } from "./delay-line.ts";
import { type Quantity, quantities, readingsWidth } from "./readings.ts";
import { noiseOf, type Task } from "./tasks.ts";

interface Group {
  readonly name: string;
  /** Where in a row of readings each component stands. */
  readonly columns: Int32Array;
  /** Standard deviations of the sensors, the first components; empty for an exact group. */
  readonly noise: Float64Array;
  /** One row of standard normal numbers, as many as there are of noise. */
  readonly drawn: Float64Array;
  /** Holds the sensors back; absent when they are at once. */
  readonly delay: DelayLine | undefined;
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

  constructor(
    task: Task,
    numEnvs: number,
    { settings, arena }: { readonly settings: Settings; readonly arena: Arena },
  ) {
    this.streams = new Streams(numEnvs, 2, { arena });
    this.#groups = Object.entries(task.groups).map(([name, { parts, delay }]) => {
      const columns = Int32Array.from(parts.flatMap(({ quantity }) => columnsOf(quantity)));
      const noise = noiseOf(parts, settings);
      const steps = delay === undefined ? 0 : Number(settings[delay]);
      return {
        name,
        columns,
        noise,
        drawn: new Float64Array(noise.length),
        delay:
          steps === 0 ? undefined : new DelayLine(numEnvs, { steps, width: noise.length, arena }),
        rows: arena.float32(numEnvs * columns.length),
      };
    });
  }

  /** The last observations themselves and what is on its way, for a snapshot. */
  get state(): readonly (Float32Array | Uint32Array)[] {
    return this.#groups.flatMap(({ rows, delay }) =>
      delay === undefined ? [rows] : [rows, delay.held, delay.oldest],
    );
  }

  /** A control step has passed in environments `first` … `end - 1`. */
  observe(readings: Float64Array, { first, end }: Rows): void {
    for (const group of this.#groups) {
      const { columns, delay, rows } = group;
      const width = columns.length;
      for (let i = first; i < end; i++) {
        this.#write(group, i, readings);
        delay?.pass(i, rows, i * width);
      }
    }
  }

  /** After `observe` of every environment. */
  advance(): void {
    for (const { delay } of this.#groups) delay?.advance();
  }

  /** The first observations of episodes in these environments, with fresh noise. */
  begin(envs: Int32Array, readings: Float64Array): void {
    for (const group of this.#groups) {
      for (const i of envs) {
        this.#write(group, i, readings);
        group.delay?.begin(i, group.rows, i * group.columns.length);
      }
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
    const sensors = noise.length;
    const at = i * width;
    const from = i * readingsWidth;
    if (sensors > 0) this.streams.normals(i, drawn);
    for (let c = 0; c < sensors; c++) {
      rows[at + c] = readings[from + columns[c]!]! + noise[c]! * drawn[c]!;
    }
    for (let c = sensors; c < width; c++) rows[at + c] = readings[from + columns[c]!]!;
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
