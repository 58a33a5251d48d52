import type { MessagePort } from "node:worker_threads";
import type { TableInfo } from "./table-info.ts";

/** Bytes of the memory that rows cross in. */
export const CROSSING = 4 << 20;

/** Where the numbers of the last question and of the last answer stand, and the thread's own on Linux. */
export const [ASKED, ANSWERED, THREAD] = [0, 1, 2];
/** In place of the last answer's number: the thread has ended, and answers nothing any more. */
export const GONE = -1;

/** What the thread that reads is told when it starts. */
export interface ReadingOrder {
  readonly numbers: Int32Array;
  /** `CROSSING` bytes. */
  readonly rows: Uint8Array;
  /** For questions and answers. */
  readonly port: MessagePort;
}

/** What can be asked of a file in that thread: argument and answer. */
export interface Asks {
  readonly open: readonly [
    { readonly path: string; readonly chunkLimit: number; readonly identity?: string },
    { readonly bytes: number; readonly identity: string },
  ];
  readonly names: readonly [group: string, readonly string[] | undefined];
  readonly kindOf: readonly [path: string, "group" | "table" | "other" | "none"];
  readonly table: readonly [path: string, TableInfo | undefined];
  /** Several at once; where a table has no more bytes than `whole`, with its rows. */
  readonly tables: readonly [
    { readonly paths: readonly string[]; readonly whole: number },
    readonly (TableInfo | undefined)[],
  ];
  readonly attribute: readonly [
    { readonly path: string; readonly name: string },
    string | number | boolean | undefined,
  ];
  /** Gives their bytes; the first of them have crossed. */
  readonly bring: readonly [
    { readonly table: TableInfo; readonly from: number; readonly count: number },
    number,
  ];
  /** Has what was brought cross, from that byte on. */
  readonly more: readonly [from: number, undefined];
  readonly close: readonly [undefined, undefined];
}

export interface Question {
  readonly number: number;
  readonly file: number;
  readonly name: keyof Asks;
  readonly argument: unknown;
}

/** `broken`: by now the library over there is not to be asked any more. */
export type Answer = { readonly broken: boolean } & (
  | { readonly value: unknown }
  | { readonly code?: string; readonly message: string; readonly hint?: string }
);
