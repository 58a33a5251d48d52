/** A spreadsheet of a run's figures, made from `metrics.jsonl` when the run ends. */
import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
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
  return {
    write() {},
    event() {},
    async close() {
      try {
        const source = join(options.runFolder, "metrics.jsonl");
        if (existsSync(source)) await writeCsv(source, join(options.runFolder, "metrics.csv"));
      } catch (error) {
        guard.fail(error);
      }
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
  const half = `${target}.tmp`;
  try {
    await writeRows(source, half, [...columns]);
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

async function writeRows(source: string, target: string, columns: readonly string[]) {
  const fd = openSync(target, "w", 0o644);
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

/** A row is a few kilobytes; longer than this, the file is something else. */
const MAX_LINE = 16 * 1024 * 1024;

/** A line cut short by a crash is no row; neither is anything else that is no object. */
async function* rows(source: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const line of lines(source)) {
    const row = tryParse(line);
    if (row !== null && typeof row === "object" && !Array.isArray(row)) {
      yield row as Record<string, unknown>;
    }
  }
}

/** Not node:readline: it lets a read error escape as an uncaught exception. */
async function* lines(source: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(source, "utf8")) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE) throw new Error(`${source} has a line above ${MAX_LINE} bytes`);
    yield* parts;
  }
  yield rest;
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line);
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
