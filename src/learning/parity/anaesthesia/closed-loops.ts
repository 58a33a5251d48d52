import { badDocument, type DocumentKind } from "../document.ts";
import { parsedDocument, saidIn } from "../document-schema.ts";
import { controlFigures } from "./control-figures.ts";
import { stepsOf } from "./fields.ts";
import { type Flown, flyLoop } from "./loop.ts";
import {
  closedLoops,
  type LoopCase,
  type RowLayout,
  rowLayout,
  usualTolerance,
} from "./loop-file.ts";
import { WorstError } from "./worst.ts";

/** Patients in the hands of the PID. */
export const closedLoopParity: DocumentKind = {
  form: "json",
  name: "anaesthesia_pid",
  unit: { one: "case", many: "cases" },
  tolerance: { weights: usualTolerance, metrics: usualTolerance },
  toleranceOf(file) {
    const { tolerance } = parsedDocument(closedLoops, file);
    return { weights: tolerance, metrics: tolerance };
  },
  recognises: ({ cases }) =>
    Array.isArray(cases) && cases.some((one) => Object.hasOwn(Object(one), "style")),
  async replay(file) {
    const { source, cases } = parsedDocument(closedLoops, file);
    return cases.map((one, i) => {
      const refuse = (what: string) => badDocument(file, `at cases[${i}]${what}`);
      return { update: i + 1, metrics: compare(one, source, refuse) };
    });
  },
};

type Refuse = (what: string) => Error;

function compare(one: LoopCase, source: string, refuse: Refuse) {
  const layout = rowLayout(one, refuse);
  const ts = one.ts ?? saidIn(source, "ts") ?? 1;
  const rows = one.rows.map((row, k) => {
    const steps = stepsOf(row[layout.t]!, ts);
    if (steps !== undefined) return { steps, row };
    throw refuse(`.rows[${k}]: ${row[layout.t]} s is no whole number of steps of ${ts} s`);
  });
  const steps = Math.max(...rows.map((timed) => timed.steps));
  const first = rows.find((timed) => timed.steps === 0)?.row;
  const flown = flyLoop(one, { source, ts, steps, start: first?.[layout.bis], refuse });
  const worst = new WorstError((expected) => Math.max(1, Math.abs(expected)));
  for (const { steps, row } of rows) noteRow({ flown, layout, worst }, steps, row);
  noteFigures(one, flown, worst, refuse);
  return worst.worst;
}

interface Noting {
  readonly flown: Flown;
  readonly layout: RowLayout;
  readonly worst: WorstError;
}

function noteRow({ flown, layout, worst }: Noting, step: number, row: readonly number[]): void {
  const at = ` at ${row[layout.t]} s`;
  worst.note(`BIS${at}`, flown.bis[step], row[layout.bis]!);
  const others = [
    ["MAP", layout.map, flown.pressure],
    ["propofol", layout.propofol, flown.propofol],
    ["remifentanil", layout.remifentanil, flown.remifentanil],
  ] as const;
  for (const [name, column, values] of others) {
    if (column >= 0) worst.note(`${name}${at}`, values[step], row[column]!);
  }
}

function noteFigures(one: LoopCase, flown: Flown, worst: WorstError, refuse: Refuse): void {
  const { bis, ts, times } = flown;
  if (one.sum_abs_error !== undefined) {
    const sum = bis.reduce((total, value) => total + Math.abs(value - 50), 0);
    worst.note("sum_abs_error", sum, one.sum_abs_error);
  }
  const figures = controlFigures(one.style, { bis, ts }, times);
  for (const [name, expected] of Object.entries(one.metrics ?? {})) {
    if (!Object.hasOwn(figures, name)) {
      const known = Object.keys(figures).join(", ");
      throw refuse(`.metrics: '${name}' is not known of ${one.style}; known: ${known}`);
    }
    worst.note(name, figures[name], expected);
  }
}
