import { wordsOf } from "../../../protocol/visible.ts";
import { badDocument, type ReferenceDocument } from "../parity/document.ts";
import type { QTransform, SearchSettings } from "./search-settings.ts";

type Table = readonly (readonly number[])[];

/** A search that mctx recorded, and the random tables it searched in. */
export interface MctxCase {
  readonly states: number;
  readonly actions: number;
  /** `[states][actions]` each. */
  readonly reward: Table;
  readonly nextState: Table;
  readonly discount: Table;
  readonly priorLogits: Table;
  /** `[states]`. */
  readonly value: readonly number[];
  readonly rootState: number;
  readonly forbidden: Uint8Array;
  readonly settings: SearchSettings;
  readonly result: {
    readonly visitCounts: readonly number[];
    readonly actionWeights: readonly number[];
    /** Null where the action was never followed. */
    readonly qValues: readonly (number | null)[];
    readonly rootValue: number;
    readonly action: number;
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Says where a field is, and refuses it. */
interface Place {
  readonly fields: Fields;
  readonly where: string;
  readonly file: ReferenceDocument;
}

/** All searches of a file. @throws LearningError `bad-parity-file`, naming search and field */
export function mctxCases(file: ReferenceDocument): readonly MctxCase[] {
  const { cases } = file.document;
  if (!Array.isArray(cases) || cases.length === 0) {
    throw badDocument(file, "holds no searches: 'cases' is no list, or empty");
  }
  return cases.map((one, i) => caseOf({ fields: fieldsIn(one), where: `search ${i + 1}`, file }));
}

function caseOf(place: Place): MctxCase {
  const { value, states, actions } = sizesOf(place);
  const shape = { rows: states, columns: actions };
  const state = (number: unknown) => isWhole(number) && number < states;
  const nextState = table(place, "next_state", { ...shape, fits: state, expected: "a state" });
  const noise = place.fields.dirichlet_fraction ?? 0;
  if (noise !== 0) {
    throw refuse(
      place,
      "dirichlet_fraction",
      `${wordsOf(noise, 80)}; random noise can't be repeated`,
    );
  }
  return {
    ...{ states, actions, value, nextState },
    reward: table(place, "reward", shape),
    discount: table(place, "discount", shape),
    priorLogits: table(place, "prior_logits", shape),
    rootState: whole(place, "root_state", { least: 0, below: states }),
    forbidden: forbiddenIn(place, actions),
    settings: settingsOf(place),
    result: resultOf(inner(place, "result"), actions),
  };
}

function sizesOf(place: Place) {
  const value = place.fields.value;
  if (!Array.isArray(value) || value.length === 0) {
    throw refuse(place, "value", "no list of a number for each state");
  }
  const states = value.length;
  const actions = whole(place, "num_actions", { least: 1, below: 1 << 20 });
  return { states, actions, value: list(place, "value", { length: states }) };
}

function settingsOf(place: Place): SearchSettings {
  const simulations = whole(place, "num_simulations", { least: 1, below: 1 << 24 });
  const depth = { least: 1, below: Number.MAX_SAFE_INTEGER };
  const pbCInit = number(place, "pb_c_init");
  const pbCBase = number(place, "pb_c_base");
  if (pbCInit < 0) throw refuse(place, "pb_c_init", `${pbCInit}, expected 0 or above`);
  if (pbCBase <= 0) throw refuse(place, "pb_c_base", `${pbCBase}, expected above 0`);
  return {
    ...{ simulations, pbCInit, pbCBase, qTransform: transformOf(place) },
    maxDepth: whole(place, "max_depth", depth),
  };
}

function transformOf(place: Place): QTransform {
  const kind = place.fields.qtransform;
  if (kind === "by_parent_and_siblings") return { kind };
  if (kind !== "by_min_max") {
    const known = "expected by_parent_and_siblings or by_min_max";
    throw refuse(place, "qtransform", `${JSON.stringify(kind)}, ${known}`);
  }
  const [least, most] = [number(place, "min_value"), number(place, "max_value")];
  if (least < most) return { kind, least, most };
  throw refuse(place, "max_value", `${most}, expected above min_value, ${least}`);
}

function forbiddenIn(place: Place, actions: number): Uint8Array {
  const flag = (value: unknown) => value === 0 || value === 1 || typeof value === "boolean";
  const expected = "0 or 1";
  const marks = list(place, "invalid_actions", { length: actions, fits: flag, expected });
  if (marks.every(Boolean)) throw refuse(place, "invalid_actions", "forbidding every action");
  return Uint8Array.from(marks, Number);
}

function resultOf(place: Place, actions: number): MctxCase["result"] {
  const length = actions;
  const maybe = (value: unknown) => value === null || isNumber(value);
  const expected = "a number or null";
  return {
    visitCounts: list(place, "visit_counts", { length, fits: isWhole, expected: "a count" }),
    actionWeights: list(place, "action_weights", { length }),
    qValues: list(place, "qvalues", { length, fits: maybe, expected }),
    rootValue: number(place, "root_value"),
    action: whole(place, "action", { least: 0, below: actions }),
  };
}

function inner({ fields, where, file }: Place, name: string): Place {
  return { fields: fieldsIn(fields[name]), where: `${where}, ${name}`, file };
}

function fieldsIn(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

interface Wanted {
  readonly length: number;
  readonly fits?: (value: unknown) => boolean;
  readonly expected?: string;
}

function list<T = number>(place: Place, name: string, wanted: Wanted): T[] {
  return checkedList<T>(place, { name, value: place.fields[name] }, wanted);
}

function checkedList<T>(
  place: Place,
  { name, value }: { readonly name: string; readonly value: unknown },
  { length, fits = isNumber, expected = "a number" }: Wanted,
): T[] {
  if (!Array.isArray(value)) throw refuse(place, name, "no list");
  if (value.length !== length) {
    throw refuse(place, name, `a list of ${value.length}, expected ${length}`);
  }
  const wrong = value.findIndex((one) => !fits(one));
  if (wrong < 0) return value;
  throw refuse(place, `${name}[${wrong}]`, `${JSON.stringify(value[wrong])}, expected ${expected}`);
}

interface TableShape extends Omit<Wanted, "length"> {
  readonly rows: number;
  readonly columns: number;
}

function table(place: Place, name: string, { rows, columns, ...each }: TableShape): Table {
  const all = list<unknown>(place, name, { length: rows, fits: () => true });
  return all.map((value, row) =>
    checkedList<number>(place, { name: `${name}[${row}]`, value }, { length: columns, ...each }),
  );
}

function number(place: Place, name: string): number {
  const value = place.fields[name];
  if (isNumber(value)) return value;
  throw refuse(place, name, `${JSON.stringify(value) ?? "missing"}, expected a number`);
}

function whole(
  place: Place,
  name: string,
  { least, below }: { readonly least: number; readonly below: number },
): number {
  const value = place.fields[name];
  if (isWhole(value) && value >= least && value < below) return value;
  const expected = `expected a whole number from ${least} to ${below - 1}`;
  throw refuse(place, name, `${JSON.stringify(value) ?? "missing"}, ${expected}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isWhole(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value >= 0;
}

function refuse({ where, file }: Place, name: string, what: string) {
  return badDocument(file, `says in ${where} for '${name}': ${what}`);
}
