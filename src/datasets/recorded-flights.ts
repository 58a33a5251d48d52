import type { FlightsSpec, Layout } from "./flights-spec.ts";

/** `unfinished`: the recording stopped, the episode did not. */
export type Ending = "terminated" | "truncated" | "unfinished";
export type Numbers = Float32Array | Float64Array | Uint8Array;

/** By episode, in the file's order. */
export interface Episodes {
  /** Steps. */
  readonly lengths: Float64Array;
  /** Rows of observations: as many as steps, or one more where the last observation is there too. */
  readonly observed: Float64Array;
  /** Undiscounted sums of rewards; 0 where none are recorded. */
  readonly returns: Float64Array;
  readonly endings: readonly Ending[];
}

/** Which rows of which episode, both from 0. */
export interface Rows {
  readonly episode: number;
  readonly from: number;
  readonly count: number;
}

/** An open file of recorded flights. It reads what is asked for and keeps a few blocks, never the file. */
export interface RecordedFlights {
  readonly path: string;
  readonly layout: Layout;
  readonly spec: FlightsSpec;
  readonly episodes: Episodes;
  readonly steps: number;
  /** What a person should know about this file, in sentences. */
  readonly remarks: readonly string[];
  /** Puts rows of an array, named as in an experience, into `into` from its element `at` on. @throws DatasetError, also for NaN */
  read(array: string, rows: Rows, into: Numbers, at: number): void;
  close(): void;
}
