/** Curves as text: braille dots, the largest and smallest figure at the left, marks on the axis below. */

import type { Level, Mark } from "../state/marks.ts";
import type { Bucket, Series } from "../state/series.ts";
import { figure } from "../view/figures.ts";
import { fitText, type Line, type Span, span, type Tone } from "../view/span.ts";
import { BrailleCanvas } from "./braille.ts";

export interface Curve {
  readonly series: Series;
  readonly tone: Tone;
  /** A row of separate dots instead of a line with its spread. */
  readonly dotted?: boolean;
}

export interface ChartOptions {
  /** Cells, labels and axis included. */
  readonly width: number;
  readonly height: number;
  readonly scale: "linear" | "log";
  /** Later ones are drawn over earlier ones. */
  readonly curves: readonly Curve[];
  readonly marks: readonly Mark[];
  /** First and last iteration, so that charts beside each other agree; undefined before the first. */
  readonly range: IterationRange | undefined;
}

export type IterationRange = readonly [number, number];

const labelWidth = 8;

/** First and last iteration of the curves, or undefined where there is nothing to show. */
export function iterationRange(curves: readonly Series[]): IterationRange | undefined {
  const ends = curves.flatMap(({ buckets, stride }) =>
    buckets.length === 0 ? [] : [buckets[0]!.at * stride, buckets.at(-1)!.at * stride + stride - 1],
  );
  return ends.length === 0 ? undefined : [Math.min(...ends), Math.max(...ends)];
}

/** Exactly `height` lines of `width` columns, the last one the axis. */
export function drawChart(options: ChartOptions): readonly Line[] {
  const { width, height, curves, scale, range } = options;
  const columns = Math.max(1, width - labelWidth);
  const rows = Math.max(1, height - 1);
  const bounds = range && valueRange(curves, scale);
  const canvas = new BrailleCanvas(columns, rows);
  if (range && bounds) {
    const frame = frameOf(canvas, range, bounds, scale);
    for (const curve of curves) drawCurve(canvas, curve, frame);
  }
  const lines = Array.from({ length: rows }, (_, row) => [
    label(row, rows, bounds),
    span(row === 0 || row === rows - 1 ? "┤" : "│", "quiet"),
    ...rowOf(canvas, row, range && markColumns(options.marks, range, columns)),
  ]);
  return [...lines, axis(options.marks, range, columns)];
}

function label(row: number, rows: number, bounds: readonly [number, number] | undefined): Span {
  const value = row === 0 ? bounds?.[1] : row === rows - 1 ? bounds?.[0] : undefined;
  const text = value === undefined ? "" : figure(value);
  return span(fitText(text, labelWidth - 1).padStart(labelWidth - 1), "quiet");
}

/** Smallest and largest figure; a curve without any height gets some. */
function valueRange(
  curves: readonly Curve[],
  scale: ChartOptions["scale"],
): readonly [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { series } of curves) {
    for (const { min, max, count } of series.buckets) {
      if (count === 0 || (scale === "log" && max <= 0)) continue;
      low = Math.min(low, scale === "log" && min <= 0 ? max : min);
      high = Math.max(high, max);
    }
  }
  if (!(low <= high)) return undefined;
  if (low < high) return [low, high];
  return scale === "log" ? [low / 1.5, high * 1.5] : [low - margin(low), high + margin(high)];
}

function margin(value: number): number {
  return Math.max(Math.abs(value) * 0.05, 1e-6);
}

interface PlotFrame {
  readonly x: (iteration: number) => number;
  /** NaN where the scale has no place for a value. */
  readonly y: (value: number) => number;
}

function frameOf(
  canvas: BrailleCanvas,
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
  scale: ChartOptions["scale"],
): PlotFrame {
  const place = scale === "log" ? Math.log : (value: number) => value;
  const [bottom, top] = [place(low), place(high)];
  const right = canvas.width * 2 - 1;
  const depth = canvas.height * 4 - 1;
  return {
    x: (iteration) => Math.round(((iteration - from) / Math.max(1, to - from)) * right),
    y: (value) => {
      const share = (place(value) - bottom) / (top - bottom);
      return Number.isFinite(share)
        ? Math.round((1 - Math.min(1, Math.max(0, share))) * depth)
        : NaN;
    },
  };
}

function drawCurve(canvas: BrailleCanvas, { series, tone, dotted }: Curve, frame: PlotFrame): void {
  let last: readonly [number, number] | undefined;
  for (const bucket of series.buckets) {
    const here = placeOf(bucket, series.stride, frame);
    if (!here) {
      last = undefined;
      continue;
    }
    const [x, y] = here;
    if (dotted) {
      dotAcross(canvas, last ?? here, here, tone);
    } else {
      canvas.line(last ?? here, here, tone);
      const [high, low] = [frame.y(bucket.max), frame.y(bucket.min)];
      canvas.line([x, Number.isNaN(high) ? y : high], [x, Number.isNaN(low) ? y : low], tone);
    }
    last = here;
  }
}

function placeOf(bucket: Bucket, stride: number, frame: PlotFrame) {
  if (bucket.count === 0) return undefined;
  const x = frame.x(bucket.at * stride + (stride - 1) / 2);
  const y = frame.y(bucket.sum / bucket.count);
  return Number.isNaN(y) ? undefined : ([x, y] as const);
}

/** Every other dot of the straight line: a curve that is known without its colour. */
function dotAcross(
  canvas: BrailleCanvas,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  tone: Tone,
): void {
  for (let x = x0; x <= x1; x += 1) {
    const y = x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
    if (x % 4 < 2) canvas.dot(x, Math.round(y), tone);
  }
}

const ranks: Readonly<Record<Mark["kind"], number>> = { request: 0, monitor: 1, switch: 2 };

/** Sign of each marked column; of two in one the switch stays, then the monitor's, else the later one. */
function markColumns(
  marks: readonly Mark[],
  [from, to]: readonly [number, number],
  columns: number,
): ReadonlyMap<number, Mark> {
  const found = new Map<number, Mark>();
  for (const mark of marks) {
    if (mark.iteration < from || mark.iteration > to + 1) continue;
    const share = (mark.iteration - from) / Math.max(1, to - from);
    const column = Math.min(columns - 1, Math.round(share * (columns - 1)));
    const there = found.get(column);
    if (!there || ranks[mark.kind] >= ranks[there.kind]) found.set(column, mark);
  }
  return found;
}

function rowOf(
  canvas: BrailleCanvas,
  row: number,
  marks: ReadonlyMap<number, Mark> | undefined,
): readonly Span[] {
  const spans: { text: string; tone?: Tone }[] = [];
  for (let column = 0; column < canvas.width; column += 1) {
    const cell = canvas.at(column, row);
    const dashed = cell.text === " " && marks?.get(column)?.kind === "switch";
    const piece = dashed ? span("┊", "quiet") : span(cell.text, cell.tone);
    const last = spans.at(-1);
    // Spaces have no colour: they go with whatever is before them.
    if (last && (last.tone === piece.tone || piece.text === " ")) last.text += piece.text;
    else spans.push({ ...piece });
  }
  return spans;
}

const markTones: Readonly<Record<Level, Tone>> = { info: "quiet", warn: "teacher", alarm: "bad" };

function axis(marks: readonly Mark[], range: IterationRange | undefined, columns: number): Line {
  const found = range ? markColumns(marks, range, columns) : new Map<number, Mark>();
  const spans: { text: string; tone: Tone }[] = [{ text: "└", tone: "quiet" }];
  for (let column = 0; column < columns; column += 1) {
    const { sign = "─", level = "info" } = found.get(column) ?? {};
    const tone = markTones[level];
    const last = spans.at(-1)!;
    if (last.tone === tone) last.text += sign;
    else spans.push({ text: sign, tone });
  }
  return [span(" ".repeat(labelWidth - 1)), ...spans];
}
