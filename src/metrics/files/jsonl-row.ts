import { parseJson } from "../../../protocol/parse-json.ts";
import type { Metrics, RunEvent } from "../metric-sink.ts";

/** One line of `metrics.jsonl`, read back. */
export interface MetricRow {
  readonly iteration: number;
  /** Unix seconds. */
  readonly time: number;
  readonly metrics: Metrics;
}

/**
 * One line of `metrics.jsonl`, without its end. Numbers keep all bits of a float64; those JSON has no
 * word for become the text `NaN`, `Infinity` and `-Infinity`.
 */
export function encodeRow({ iteration, time, metrics }: MetricRow): string {
  const figures = Object.entries(metrics).filter(
    ([name]) => name !== "iteration" && name !== "time",
  );
  const fields = figures.map(([name, value]) => `,${JSON.stringify(name)}:${encodeNumber(value)}`);
  return `{"iteration":${encodeNumber(iteration)},"time":${encodeNumber(time)}${fields.join("")}}`;
}

/** JSON.stringify would make 0 of -0 and null of NaN. */
export function encodeNumber(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** The row of a line, or undefined where the line is not a whole row. */
export function decodeRow(line: string): MetricRow | undefined {
  const row = parseObject(line);
  if (!row) return undefined;
  const { iteration, time, ...figures } = row;
  if (!Number.isInteger(iteration) || typeof time !== "number") return undefined;
  const metrics: Record<string, number> = {};
  for (const [name, value] of Object.entries(figures)) {
    const number = decodeNumber(value);
    if (number === undefined) return undefined;
    metrics[name] = number;
  }
  return { iteration: iteration as number, time, metrics };
}

const words = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function decodeNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : words.get(value);
}

/** One line of `events.jsonl`, without its end. A detail that JSON has no form for is left out: it must not cost the event. */
export function encodeEvent(event: RunEvent): string {
  try {
    return JSON.stringify(event, encodable);
  } catch {
    const details = Object.entries(event).filter(([, value]) => isEncodable(value));
    return JSON.stringify(Object.fromEntries(details), encodable);
  }
}

function encodable(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** A circle isn't, nor a bigint. */
function isEncodable(value: unknown): boolean {
  try {
    return JSON.stringify(value, encodable) !== undefined;
  } catch {
    return false;
  }
}

/** The object a line holds, or undefined where it holds none. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseJson(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
