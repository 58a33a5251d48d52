/** What was measured, as a table for people and as plain data for programs. */

export type Figure = number | string;

/** One measured case. */
export interface Row {
  readonly what: string;
  /** By column; a column's name ends in its unit. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** Why figures are missing, or what they must be read with. */
  readonly note?: string;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  /** Wall time the section took. */
  readonly seconds: number;
}

export type Say = (line: string) => void;

/** What a section of the benchmark is given. */
export interface BenchOptions {
  readonly seeds: readonly number[];
  /** Also what we compare with. */
  readonly peer: boolean;
  /** Of the section `offline`. */
  readonly offline: {
    /** Methods; none: all. */
    readonly only: readonly string[];
    readonly updates: number;
    /** Recorded, and flown by the judge. */
    readonly episodes: number;
  };
  /** Of the section `soak`. */
  readonly minutes: number;
  readonly say: Say;
}

/** Those that `--only` names; undefined where it names none. @throws Error where there is none of that name */
export function namedOnly<const T extends string>(
  { offline: { only } }: Pick<BenchOptions, "offline">,
  all: readonly T[],
): readonly T[] | undefined {
  const unknown = only.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: expected some of ${all.join(",")}`);
  return only.length === 0 ? undefined : all.filter((one) => only.includes(one));
}

/** Measures; a part that is missing becomes a row that says so. */
export interface Bench {
  readonly title: string;
  readonly run: (options: BenchOptions) => Promise<readonly Row[]>;
}

export function missing(what: string, error: unknown): Row {
  const line = error instanceof Error ? error.message : String(error);
  return { what, figures: {}, note: `not measured: ${line.slice(0, 400)}` };
}

/** Columns in the order they first appear; a note stands at the end of its line. */
export function table({ title, rows }: Section): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const cells = rows.map((row) => [row.what, ...columns.map((c) => shown(row.figures[c]))]);
  const lines = [["", ...columns], ...cells];
  const widths = [0, ...columns.map((_, i) => i + 1)].map((i) =>
    Math.max(...lines.map((line) => line[i]!.length)),
  );
  const text = lines.map((line, k) => {
    const padded = line.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
    );
    return `  ${padded.join("  ")}${note(rows[k - 1])}`.trimEnd();
  });
  return [`\n${title}`, ...text].join("\n");
}

function note(row: Row | undefined): string {
  return row?.note === undefined ? "" : `  (${row.note})`;
}

function shown(figure: Figure | undefined): string {
  if (figure === undefined) return "–";
  if (typeof figure === "string") return figure;
  const size = Math.abs(figure);
  if (size >= 10_000) return Math.round(figure).toLocaleString("en-US");
  if (Number.isInteger(figure)) return String(figure);
  return figure.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 3 : 4);
}
