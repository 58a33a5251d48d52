import { smallest } from "../choose-ui.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Rows of each part. All together they are at most one less than the terminal has. */
export interface Layout {
  readonly columns: number;
  /** Rows of the whole frame: one as tall as the terminal would wipe what was above it. */
  readonly rows: number;
  /** Too small for anything but a few lines. */
  readonly cramped: boolean;
  /** Names instead of abbreviations. */
  readonly roomy: boolean;
  /** Columns of the titles at the left. */
  readonly headWidth: number;
  /** A bar under the words that say where the time goes. */
  readonly timeBar: boolean;
  /** Empty lines between the parts: 0 or 1. */
  readonly gap: number;
  /** The charts with their title and axis; 0 where there is no room. */
  readonly charts: number;
  readonly chartWidths: readonly [number, number];
  readonly events: number;
}

/** Header, progress, gate, student, time, simulator, keys. */
const fixedRows = 7;
const chartGap = 2;

export function layoutOf({ columns, rows }: Size): Layout {
  const room = Math.max(1, rows - 1);
  const cramped = columns < smallest.columns || rows < smallest.rows;
  const gap = room >= 30 ? 1 : 0;
  const timeBar = room >= 22;
  const free = room - fixedRows - (timeBar ? 1 : 0) - gap * 3;
  const events = Math.min(10, Math.max(2, Math.floor(free / 5)));
  const left = Math.floor((columns - chartGap) / 2);
  return {
    columns,
    rows: room,
    cramped,
    roomy: columns >= 100,
    headWidth: columns >= 100 ? 11 : 10,
    timeBar,
    gap,
    charts: cramped ? 0 : free - events,
    chartWidths: [left, columns - chartGap - left],
    events,
  };
}
