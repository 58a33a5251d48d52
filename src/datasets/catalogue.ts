import { DatasetError } from "./dataset-error.ts";
import type { ActionArraySpec, ArraySpec, FlightsSpec, Layout } from "./flights-spec.ts";
import { keptAs } from "./hdf5-numbers.ts";
import type { Ending, Episodes } from "./recorded-flights.ts";
import type { RowReader } from "./row-reader.ts";
import type { TableInfo } from "./table-info.ts";

/** Where an episode's first row of an array is. */
export interface Place {
  readonly path: string;
  readonly first: number;
}

/** Some components of an array, from one table. */
export interface Part {
  readonly width: number;
  place(episode: number): Place;
}

export interface Column {
  readonly spec: ArraySpec;
  readonly parts: readonly Part[];
}

/** What a layout found: which arrays there are, and where. */
export interface Catalogue {
  readonly layout: Layout;
  readonly spec: FlightsSpec;
  readonly episodes: Episodes;
  readonly remarks: readonly string[];
  /** By name as in an experience: `obs/GROUP`, `next/GROUP`, `actions`, `notes/NAME` … */
  readonly columns: Readonly<Record<string, Column>>;
}

/** A table below a group, by its path from there: `policy`, `camera/rgb`. */
export interface Leaf {
  readonly name: string;
  readonly table: TableInfo;
}

const DEEPEST = 8;

/** All tables of numbers below a group; what isn't numbers is left out where `lenient`. */
export function leavesOf(reader: RowReader, group: string, how: "strict" | "lenient"): Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (path: string, name: string, depth: number) => {
    for (const key of reader.file.names(path) ?? []) {
      const inner = `${path}/${key}`;
      const called = name === "" ? key : `${name}/${key}`;
      const kind = kindOf(reader, inner, how);
      if (kind === "group" && depth < DEEPEST) visit(inner, called, depth + 1);
      if (kind !== "table") continue;
      const table = how === "strict" ? reader.table(inner) : tableIfNumbers(reader, inner);
      if (table) leaves.push({ name: called, table });
    }
  };
  visit(group, "", 0);
  return leaves;
}

/** A single table is the group `policy`; a tree gives a group for each table. */
export function groupsOf(reader: RowReader, path: string): Leaf[] {
  if (reader.file.kindOf(path) !== "group") return [{ name: "policy", table: reader.table(path) }];
  const leaves = leavesOf(reader, path, "strict");
  if (leaves.length > 0) return leaves;
  throw new DatasetError(
    "missing-array",
    `${reader.file.path}: ${path} holds no observations`,
    "Record with at least one observation group.",
  );
}

function specOf(table: TableInfo): ArraySpec {
  const [, ...shape] = table.shape;
  const kept = keptAs(table.kind, table.isBool);
  return { width: table.width, kept, ...(shape.length > 1 && { shape }) };
}

function actionSpecOf(table: TableInfo): ActionArraySpec {
  const whole = !table.isBool && !table.kind.startsWith("f");
  return { ...specOf(table), ...(whole && { whole }) };
}

/** Tables of a layout by what they hold. */
interface Tables {
  readonly groups: readonly Leaf[];
  readonly actions: TableInfo;
  readonly notes: readonly Leaf[];
}

export function arraySpecs({
  groups,
  actions,
  notes,
}: Tables): Pick<FlightsSpec, "groups" | "action" | "notes"> {
  const specs = (leaves: readonly Leaf[]) =>
    Object.fromEntries(leaves.map(({ name, table }) => [name, specOf(table)]));
  return { groups: specs(groups), action: actionSpecOf(actions), notes: specs(notes) };
}

/** Of a layout's own array, whose form is known. */
export function column(spec: ArraySpec, place: Part["place"]): Column {
  return { spec, parts: [{ width: spec.width, place }] };
}

export function tableColumn(table: TableInfo, place: Part["place"]): Column {
  return column(specOf(table), place);
}

function kindOf(reader: RowReader, path: string, how: "strict" | "lenient") {
  try {
    return reader.file.kindOf(path);
  } catch (error) {
    if (how === "strict") throw error;
    return "other";
  }
}

function tableIfNumbers(reader: RowReader, path: string): TableInfo | undefined {
  try {
    return reader.file.table(path);
  } catch (error) {
    if (error instanceof DatasetError && error.code === "implausible-size") throw error;
    return undefined;
  }
}

/** Episodes, as they are found one after the other. */
export class EpisodeList {
  readonly #lengths: number[] = [];
  readonly #observed: number[] = [];
  readonly #returns: number[] = [];
  readonly #endings: Ending[] = [];

  add(length: number, facts: { observed: number; total: number; ending: Ending }): void {
    this.#lengths.push(length);
    this.#observed.push(facts.observed);
    this.#returns.push(facts.total);
    this.#endings.push(facts.ending);
  }

  /** @throws DatasetError where there is no step at all */
  done(path: string): Episodes {
    if (!this.#lengths.some((length) => length > 0)) {
      const message = `${path} holds no step of any flight`;
      throw new DatasetError("no-flights", message, "Record some: firstsolo record --episodes N.");
    }
    return {
      lengths: Float64Array.from(this.#lengths),
      observed: Float64Array.from(this.#observed),
      returns: Float64Array.from(this.#returns),
      endings: this.#endings,
    };
  }
}

/** `episode_10` after `episode_9`. */
export function numbered(names: readonly string[], pattern: RegExp): string[] {
  return names
    .filter((name) => pattern.test(name))
    .sort((a, b) => Number(pattern.exec(a)?.[1]) - Number(pattern.exec(b)?.[1]));
}
