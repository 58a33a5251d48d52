import { join } from "node:path";
import { linesOf } from "../../disk/lines.ts";
import type { MetricSink } from "../metric-sink.ts";
import { decodeRow, encodeEvent, encodeRow, parseObject } from "./jsonl-row.ts";
import { LineFile } from "./line-file.ts";

export interface JsonlOptions {
  /** Folder that holds `metrics.jsonl` and `events.jsonl`; it is there already. */
  readonly folder: string;
  /** The next iteration of a run that goes on: rows from there on are flown again, and cut off. */
  readonly resumeAt?: number;
  /** Told once when lines can't be written, once when they can again. */
  readonly onFailure: (line: string) => void;
  /** Unix seconds; for tests. */
  readonly now?: () => number;
}

export interface JsonlSink extends MetricSink {
  /** Resolves when every row and event is on the disk, also for a power cut; false where it takes none. */
  flush(): Promise<boolean>;
}

/**
 * The canonical record: one row per iteration in `metrics.jsonl`, all that happened in
 * `events.jsonl`. A last line that was only half written is cut off. Events stay when rows are cut:
 * they did happen. @throws the file system's error when the files can't be opened
 */
export async function openJsonl(options: JsonlOptions): Promise<JsonlSink> {
  const { folder, onFailure, now = () => Date.now() / 1000 } = options;
  const resumeAt = options.resumeAt ?? Number.POSITIVE_INFINITY;
  const metricsPath = join(folder, "metrics.jsonl");
  const eventsPath = join(folder, "events.jsonl");
  const rows = await LineFile.open(metricsPath, await wholeRows(metricsPath, resumeAt), onFailure);
  const events = await LineFile.open(eventsPath, await wholeEvents(eventsPath), onFailure);
  return {
    write: (iteration, metrics) => rows.append(encodeRow({ iteration, time: now(), metrics })),
    event: (event) => events.append(encodeEvent(event)),
    flush: async () => {
      const done = await Promise.all([rows.flush(), events.flush()]);
      return done.every((flushed) => flushed);
    },
    close: async () => {
      await Promise.all([rows.close(), events.close()]);
    },
  };
}

/** Bytes up to the first row of `resumeAt` or later, and up to a half-written end. */
function wholeRows(path: string, resumeAt: number): Promise<number> {
  return wholeLines(path, (line) => {
    const row = decodeRow(line);
    return row === undefined || row.iteration < resumeAt ? row !== undefined : "end";
  });
}

function wholeEvents(path: string): Promise<number> {
  return wholeLines(path, (line) => parseObject(line) !== undefined);
}

/** Bytes up to the end of the last line that `keep` is true for, before one for which it is "end". */
async function wholeLines(path: string, keep: (line: string) => boolean | "end"): Promise<number> {
  let kept = 0;
  for await (const { text, end } of linesOf(path)) {
    const verdict = keep(text);
    if (verdict === "end") break;
    if (verdict) kept = end;
  }
  return kept;
}

/**
 * The iteration behind the last of the rows that follow each other without a hole; undefined where there is
 * no row at all. A run that goes on from there has all its figures.
 */
export async function rowsReach(path: string): Promise<number | undefined> {
  let next: number | undefined;
  for await (const { text } of linesOf(path)) {
    const iteration = decodeRow(text)?.iteration;
    if (iteration === undefined) continue;
    if (next !== undefined && iteration > next) break;
    next = Math.max(next ?? 0, iteration + 1);
  }
  return next;
}
