import { z } from "zod";
import { finite, hill, male, period, positive, remarks, time } from "./fields.ts";

/** Of a file that says none. */
export const usualTolerance = 1e-4;

const patient = z
  .object({ age: positive, height: positive, weight: positive, male })
  .catchall(remarks);

const point = z.tuple([time, finite, finite]);

const loopCase = z
  .object({
    patient,
    hill: hill.optional(),
    map_base: positive.optional(),
    ts: period.optional(),
    style: z.enum(["induction", "maintenance", "total"]),
    /** The package's names, or `[s, BIS, mmHg]` with lines in between. */
    disturbance: z
      .union([z.enum(["realistic", "simple", "step", "null"]), z.array(point)])
      .optional(),
    /** s, of the lasting disturbance and of the figures. */
    start_step: time.optional(),
    end_step: time.optional(),
    columns: z.array(z.string()).optional(),
    rows: z.array(z.array(finite)).min(1),
    sum_abs_error: finite.optional(),
    metrics: z.record(z.string(), finite.nullable()).optional(),
  })
  .catchall(remarks);

/** Closed loops of the package's PID. */
export const closedLoops = z
  .object({
    source: z.string().default(""),
    tolerance: positive.default(usualTolerance),
    cases: z.array(loopCase).min(1),
  })
  .catchall(remarks);

export type LoopCase = z.output<typeof loopCase>;

/** Where in a row what stands; -1: it isn't there. */
export interface RowLayout {
  readonly t: number;
  readonly bis: number;
  readonly map: number;
  readonly propofol: number;
  readonly remifentanil: number;
}

const usualColumns = ["t", "BIS", "MAP", "propofol", "remifentanil"];

/** By the first words of the columns. @throws what `refuse` makes of columns or rows that don't fit */
export function rowLayout(
  { columns = usualColumns, rows }: LoopCase,
  refuse: (what: string) => Error,
): RowLayout {
  const words = columns.map((column) => (/^[a-z]+/i.exec(column)?.[0] ?? "").toLowerCase());
  const known = usualColumns.map((name) => name.toLowerCase());
  const strange = words.findIndex((word, i) => !known.includes(word) || words.indexOf(word) !== i);
  if (strange >= 0) {
    const all = usualColumns.join(", ");
    throw refuse(`.columns[${strange}]: '${columns[strange]}' is not one of ${all}, once each`);
  }
  const [t, bis, map, propofol, remifentanil] = known.map((name) => words.indexOf(name)) as Places;
  if (t < 0 || bis < 0) throw refuse(".columns: t and BIS are missing, or one of them");
  const short = rows.findIndex((row) => row.length !== columns.length);
  if (short >= 0) {
    const { length } = rows[short]!;
    throw refuse(`.rows[${short}]: has ${length} numbers for ${columns.length} columns`);
  }
  const negative = rows.findIndex((row) => row[t]! < 0);
  if (negative >= 0) throw refuse(`.rows[${negative}]: its time is below zero`);
  return { t, bis, map, propofol, remifentanil };
}

type Places = [number, number, number, number, number];
