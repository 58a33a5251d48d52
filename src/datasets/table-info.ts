import type { ElementKind } from "./hdf5-numbers.ts";

/** A data set of numbers, taken as rows along its first axis. */
export interface TableInfo {
  readonly path: string;
  readonly shape: readonly number[];
  readonly rows: number;
  /** Numbers in a row; 1 for a list. */
  readonly width: number;
  readonly kind: ElementKind;
  readonly isBool: boolean;
  /** Rows that are compressed together; 1 where nothing is. */
  readonly chunkRows: number;
  /** Of a small table that was looked at with its rows: what is stored. */
  readonly stored?: Uint8Array;
}
