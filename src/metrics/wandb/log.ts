/** The `.wandb` file of a run: opened, repaired and appended to; every call may throw. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { ProtoWriter } from "../../../protocol/protobuf.ts";
import { MetricFormatError } from "../metric-format-error.ts";
import type { Metrics } from "../metric-sink.ts";
import { encodeRecord, LOG_HEADER, type LogRecord, readRecords } from "./record-log.ts";
import { decodeRecord, RECORD, type RecordBody } from "./records.ts";

/** Appends records; each is in the file, whole, when the call returns. */
export class WandbLog {
  readonly #fd: number;
  #position: number;
  #num: number;
  #open = true;

  /** Takes over the file descriptor; `num` is that of the last record. */
  constructor(fd: number, position: number, num: number) {
    this.#fd = fd;
    this.#position = position;
    this.#num = num;
  }

  append(body: RecordBody): void {
    const record = new ProtoWriter().varint(RECORD.num, this.#num + 1);
    body(record);
    const bytes = encodeRecord(this.#position, record.finish());
    writeAll(this.#fd, bytes, this.#position);
    this.#position += bytes.length;
    this.#num += 1;
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

/** The system may write less than it was given; a full disk throws at the next try. */
function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** @throws where the file exists already. */
export function createLog(path: string): WandbLog {
  const fd = openSync(path, "wx+", 0o644);
  try {
    writeAll(fd, LOG_HEADER, 0);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return new WandbLog(fd, LOG_HEADER.length, 0);
}

/** What the part that is kept says of the run so far. */
export interface Past {
  readonly runId: string;
  /** Of the last row kept; -1 before the first. */
  readonly lastStep: number;
  /** Seconds of flight until then. */
  readonly runtime: number;
  readonly definedMetrics: ReadonlySet<string>;
  readonly savedFiles: ReadonlySet<string>;
  /** Bytes behind the last record kept because of damage in the file, not by intent. */
  readonly damagedBytes: number;
}

export interface ContinueOptions {
  /** The next iteration: its row and later ones are cut off, with all that follows them. */
  readonly resumeAt: number;
  /** Receives every row that is kept, oldest first. */
  readonly onRow?: (metrics: Metrics) => void;
}

/**
 * Opens a log to go on in it: cut back to its last whole record, without the exit that ended it.
 * Reads the file once; memory doesn't grow with it.
 * @throws MetricFormatError `no-run` where not even the start of a run is left.
 */
export function continueLog(path: string, options: ContinueOptions): { log: WandbLog; past: Past } {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const kept = scan(fd, options);
    if (kept.runId === "") throw noRun(path);
    ftruncateSync(fd, kept.end);
    forgetUpload(path);
    return { log: new WandbLog(fd, kept.end, kept.num), past: kept };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

interface Scan extends Past {
  readonly end: number;
  readonly num: number;
}

function scan(fd: number, options: ContinueOptions): Scan {
  const records = readRecords((position, into) => readSync(fd, into, 0, into.length, position));
  const definedMetrics = new Set<string>();
  const savedFiles = new Set<string>();
  const size = fstatSync(fd).size;
  let kept = { end: 0, num: 0, runId: "", lastStep: -1, runtime: 0 };
  let damagedBytes = 0;
  for (;;) {
    const next = records.next();
    if (next.done) {
      damagedBytes = next.value === "whole" ? 0 : size - kept.end;
      break;
    }
    const decoded = tryDecode(next.value);
    if (!decoded) {
      damagedBytes = size - kept.end;
      break;
    }
    const { num, record } = decoded;
    if (record.kind === "exit") break;
    if (record.kind === "history") {
      if (record.row.step >= options.resumeAt) break;
      options.onRow?.(record.row.metrics);
      kept = { ...kept, lastStep: record.row.step, runtime: record.row.runtime };
    } else if (record.kind === "run" && kept.runId === "") {
      kept = { ...kept, runId: record.id };
    } else if (record.kind === "metric") definedMetrics.add(record.name);
    else if (record.kind === "files") for (const file of record.paths) savedFiles.add(file);
    kept = { ...kept, end: next.value.end, num };
  }
  return { ...kept, definedMetrics, savedFiles, damagedBytes };
}

function tryDecode(record: LogRecord): ReturnType<typeof decodeRecord> | undefined {
  try {
    return decodeRecord(record.data);
  } catch (error) {
    if (error instanceof MetricFormatError) return undefined;
    throw error;
  }
}

/** `wandb sync` passes over a file that it has marked as uploaded, but there is more to come. */
function forgetUpload(path: string): void {
  try {
    unlinkSync(`${path}.synced`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function noRun(path: string): MetricFormatError {
  return new MetricFormatError(
    "no-run",
    `${path} holds no whole run record`,
    "a new W&B run is begun beside it; the old file may be deleted",
  );
}
