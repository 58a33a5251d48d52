/** Logs in memory. */
import {
  encodeRecord,
  LOG_HEADER,
  type LogEnd,
  type LogRecord,
  readRecords,
} from "../../src/metrics/wandb/record-log.ts";

/** A log of these records, and the offset behind each. */
export function logOf(records: readonly Uint8Array[]): { bytes: Uint8Array; ends: number[] } {
  const parts: Uint8Array[] = [LOG_HEADER as Uint8Array];
  const ends: number[] = [];
  let position = LOG_HEADER.length;
  for (const record of records) {
    const bytes = encodeRecord(position, record);
    parts.push(bytes);
    position += bytes.length;
    ends.push(position);
  }
  return { bytes: Buffer.concat(parts), ends };
}

/** All records before the first that can't be read, and why it can't. */
export function readAll(bytes: Uint8Array): { records: LogRecord[]; end: LogEnd } {
  const records: LogRecord[] = [];
  const reading = readRecords((position, into) => {
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  });
  for (;;) {
    const next = reading.next();
    if (next.done) return { records, end: next.value };
    records.push(next.value);
  }
}
