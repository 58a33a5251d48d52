import { z } from "zod";
import { leanBodyMass } from "../../../../sim-adapters/patient/models/body.ts";
import { steadyGain } from "../../../../sim-adapters/patient/models/compartments.ts";
import { OnePatient } from "../../../../sim-adapters/patient/models/one-patient.ts";
import { badDocument, type DocumentKind, type ReferenceDocument } from "../document.ts";
import { parsedDocument, saidIn } from "../document-schema.ts";
import { finite, hill, male, period, positive, rate, remarks, stepsOf, time } from "./fields.ts";
import { WorstError } from "./worst.ts";

/** Of a file that says none. */
const usualTolerance = 1e-6;

/** Below this (µg/mL, ng/mL) a difference is measured by it: nothing is relative to zero. */
const least = 1e-3;

/** What a row may hold of the state after `t` seconds, and where it is found. */
const readings: Readonly<Record<string, (patient: OnePatient) => number>> = {
  cp: ({ propofol }) => propofol[0]!,
  cep: ({ propofol }) => propofol[3]!,
  propofol_map_1: ({ propofol }) => propofol[4]!,
  propofol_map_2: ({ propofol }) => propofol[5]!,
  cr: ({ remifentanil }) => remifentanil[0]!,
  cer: ({ remifentanil }) => remifentanil[3]!,
  remifentanil_map: ({ remifentanil }) => remifentanil[4]!,
  bis: ({ bis }) => bis,
  map: ({ pressure }) => pressure,
};

const row = z
  .object({ t: time })
  .catchall(finite)
  .superRefine((given, context) => {
    const names = Object.keys(given).filter((name) => name !== "t");
    const strange = names.find((name) => !Object.hasOwn(readings, name));
    const known = Object.keys(readings).join(", ");
    if (strange !== undefined) {
      context.addIssue({ code: "custom", message: `'${strange}' is not known; known: ${known}` });
    } else if (names.length === 0) {
      context.addIssue({ code: "custom", message: `holds nothing to compare; known: ${known}` });
    }
  });

const segment = z.tuple([time, time, rate, rate]);

const oneCase = z
  .object({
    age: positive,
    height: positive,
    weight: positive,
    male,
    hill: hill.optional(),
    map_base: positive.optional(),
    ts: period.optional(),
    lbm: finite.optional(),
    v1_propofol: finite.optional(),
    v1_remifentanil: finite.optional(),
    steady_gain_propofol: finite.optional(),
    steady_gain_remifentanil: finite.optional(),
    segments: z.array(segment),
    rows: z.array(row).min(1),
  })
  .catchall(remarks);

const schema = z
  .object({
    source: z.string().default(""),
    tolerance: positive.default(usualTolerance),
    cases: z.array(oneCase).min(1),
  })
  .catchall(remarks);

type Case = z.output<typeof oneCase>;

/** Patients under infusions that were planned beforehand. */
export const trajectoryParity: DocumentKind = {
  form: "json",
  name: "anaesthesia_trajectories",
  unit: { one: "case", many: "cases" },
  tolerance: { weights: usualTolerance, metrics: usualTolerance },
  toleranceOf(file) {
    const { tolerance } = parsedDocument(schema, file);
    return { weights: tolerance, metrics: tolerance };
  },
  recognises: ({ cases }) =>
    Array.isArray(cases) && cases.some((one) => Object.hasOwn(Object(one), "segments")),
  async replay(file) {
    const { source, cases } = parsedDocument(schema, file);
    return cases.map((one, i) => {
      const ts = one.ts ?? saidIn(source, "ts") ?? 1;
      const pressure = one.map_base ?? saidIn(source, "map_base");
      const options = { period: ts, ...(pressure !== undefined && { pressure }) };
      const patient = new OnePatient(one, { ...options, ...(one.hill && { hill: one.hill }) });
      const where = { file, index: i, ts };
      return { update: i + 1, metrics: compare(patient, one, where) };
    });
  },
};

interface Where {
  readonly file: ReferenceDocument;
  readonly index: number;
  /** s */
  readonly ts: number;
}

function compare(patient: OnePatient, one: Case, where: Where) {
  const worst = new WorstError((expected) => Math.max(least, Math.abs(expected)));
  noteConstants(patient, one, worst);
  const rows = stepped(one, where);
  let step = 0;
  for (const { at, row } of rows) {
    for (; step < at; step++) patient.advance(...ratesAt(one, step * where.ts));
    for (const [name, read] of Object.entries(readings)) {
      if (row[name] !== undefined) worst.note(`${name} at ${row.t} s`, read(patient), row[name]!);
    }
  }
  return worst.worst;
}

function noteConstants({ kinetics }: OnePatient, one: Case, worst: WorstError): void {
  const constants = {
    lbm: leanBodyMass(one),
    v1_propofol: kinetics.propofol.volumes[0],
    v1_remifentanil: kinetics.remifentanil.volumes[0],
    steady_gain_propofol: steadyGain(kinetics.propofol),
    steady_gain_remifentanil: steadyGain(kinetics.remifentanil),
  };
  for (const [name, value] of Object.entries(constants)) {
    const expected = one[name as keyof typeof constants];
    if (expected !== undefined) worst.note(name, value, expected);
  }
}

/** In the order of time. @throws LearningError `bad-parity-file` for a time between two steps */
function stepped({ rows }: Case, { file, index, ts }: Where) {
  const timed = rows.map((row, k) => {
    const at = stepsOf(row.t, ts);
    if (at !== undefined) return { at, row: row as Readonly<Record<string, number>> };
    const where = `at cases[${index}].rows[${k}].t`;
    throw badDocument(file, `${where}: ${row.t} s is no whole number of steps of ${ts} s`);
  });
  return timed.sort((a, b) => a.at - b.at);
}

/** Segments are half open, and what overlaps adds up. */
function ratesAt({ segments }: Case, seconds: number): [number, number] {
  let [propofol, remifentanil] = [0, 0];
  for (const [from, to, p, r] of segments) {
    if (seconds < from || seconds >= to) continue;
    propofol += p;
    remifentanil += r;
  }
  return [propofol, remifentanil];
}
