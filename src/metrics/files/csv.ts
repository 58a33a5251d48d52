/** A spreadsheet of a run's figures, made from `metrics.jsonl` when the run ends. */

import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../../protocol/parse-json.ts";
import { linesOf } from "../../disk/lines.ts";
import { putWhole } from "../../disk/whole-file.ts";
import type { MetricSink } from "../metric-sink.ts";
import { SinkGuard } from "../sink-guard.ts";

export interface CsvOptions {
  readonly runFolder: string;
  /** Receives the one line that says what went wrong. */
  readonly onFailure: (line: string) => void;
}

/**
 * Writes `metrics.csv` at `close`, so that it holds what `metrics.jsonl` holds and nothing else,
 * whatever was resumed in between. Close it once the sink that writes `metrics.jsonl` is closed.
 */
export function openCsv(options: CsvOptions): MetricSink {
  const guard = new SinkGuard("CSV", options.onFailure);
  let closing: Promise<void> | undefined;
  const makeTable = async () => {
    try {
      const source = join(options.runFolder, "metrics.jsonl");
      if (existsSync(source)) await writeCsv(source, join(options.runFolder, "metrics.csv"));
    } catch (error) {
      guard.fail(error);
    }
  };
  return {
    write() {},
    event() {},
    close: () => {
      closing ??= makeTable();
      return closing;
    },
  };
}

/**
 * RFC 4180: one header, CRLF, quotes where needed; a figure that a row hasn't is an empty cell.
 * Reads twice, first for the columns, so that memory holds one row at a time.
 * @throws what the file system throws; `target` is then what it was before.
 */
export async function writeCsv(source: string, target: string): Promise<void> {
  const columns = new Set<string>();
  for await (const row of rows(source)) for (const name of Object.keys(row)) columns.add(name);
  await putWhole(target, (draft) => writeRows(source, draft, [...columns]));
}

async function writeRows(source: string, target: string, columns: readonly string[]) {
  const fd = openSync(target, "wx", 0o644);
  try {
    writeFileSync(fd, csvLine(columns));
    for await (const row of rows(source)) {
      writeFileSync(
        fd,
        csvLine(columns.map((name) => (Object.hasOwn(row, name) ? row[name] : ""))),
      );
    }
  } finally {
    closeSync(fd);
  }
}

/** A line cut short by a crash is no row; neither is anything else that is no object. */
async function* rows(source: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const { text } of linesOf(source)) {
    const row = tryParse(text);
    if (row !== null && typeof row === "object" && !Array.isArray(row)) {
      yield row as Record<string, unknown>;
    }
  }
}

function tryParse(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return null;
  }
}

/** One record of a CSV file, its line end included. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

/** Numbers in their shortest exact form; NaN and the infinities are words, as in the source. */
function cell(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
