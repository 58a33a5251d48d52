import type { Catalogue, Column, Leaf } from "./catalogue.ts";
import { arraySpecs, column, EpisodeList, groupsOf, leavesOf, tableColumn } from "./catalogue.ts";
import { DatasetError } from "./dataset-error.ts";
import type { Ending } from "./recorded-flights.ts";
import type { RowReader } from "./row-reader.ts";
import type { TableInfo } from "./table-info.ts";

const PIECE = 65_536;

interface Flat {
  readonly groups: readonly Leaf[];
  readonly nextGroups: readonly Leaf[];
  readonly actions: TableInfo;
  readonly terminals: TableInfo;
  readonly rewards: TableInfo | undefined;
  readonly timeouts: TableInfo | undefined;
  readonly notes: readonly Leaf[];
}

/**
 * D4RL's layout: all steps of all episodes one after the other in `observations`, `actions`,
 * `rewards`, `terminals`, perhaps `timeouts` and `next_observations`, and `infos/…`. An episode ends
 * where a terminal or a time-out is set; both set is a death, as it is to D4RL.
 *
 * Without `next_observations` the successor of a step is the next row of the same episode. The last
 * step of an episode that timed out, and of one that the file's end cuts, has none.
 */
export function readD4rl(reader: RowReader): Catalogue {
  const flat = tablesOf(reader);
  checkLengths(reader, flat);
  const cuts = flat.timeouts === undefined && flat.nextGroups.length > 0;
  const borders = cuts ? hiddenBorders(reader, flat) : undefined;
  const { episodes, starts } = scan(reader, flat, borders);
  const place = (path: string) => (episode: number) => ({ path, first: starts[episode] ?? 0 });
  const columns: Record<string, Column> = {
    actions: tableColumn(flat.actions, place(flat.actions.path)),
    terminated: column({ width: 1, kept: "uint8" }, place(flat.terminals.path)),
  };
  const add = (prefix: string, { name, table }: Leaf) => {
    columns[`${prefix}${name}`] = tableColumn(table, place(table.path));
  };
  for (const leaf of flat.groups) add("obs/", leaf);
  for (const leaf of flat.nextGroups) add("next/", leaf);
  for (const leaf of flat.notes) add("notes/", leaf);
  if (flat.rewards) columns.rewards = tableColumn(flat.rewards, place(flat.rewards.path));
  if (flat.timeouts) {
    columns.truncated = column({ width: 1, kept: "uint8" }, place(flat.timeouts.path));
  }
  return {
    layout: "d4rl",
    spec: {
      ...arraySpecs(flat),
      hasRewards: flat.rewards !== undefined,
      successors: flat.nextGroups.length > 0 ? "recorded" : "following",
    },
    episodes,
    remarks: remarksOn(flat, borders),
    columns,
  };
}

function tablesOf(reader: RowReader): Flat {
  const actions = reader.table("actions");
  const groups = groupsOf(reader, "observations");
  const hasNext = reader.file.kindOf("next_observations") !== "none";
  const infos = leavesOf(reader, "infos", "lenient");
  return {
    groups,
    nextGroups: hasNext ? groupsOf(reader, "next_observations") : [],
    actions,
    terminals: reader.table("terminals"),
    rewards: reader.file.table("rewards"),
    timeouts: reader.file.table("timeouts"),
    notes: infos.filter(({ table }) => table.rows === actions.rows),
  };
}

function checkLengths(reader: RowReader, flat: Flat): void {
  const { actions, terminals, rewards, timeouts, groups, nextGroups } = flat;
  const tables = [
    actions,
    terminals,
    rewards,
    timeouts,
    ...[...groups, ...nextGroups].map((g) => g.table),
  ];
  const there = tables.filter((table) => table !== undefined);
  if (there.some(({ rows }) => rows !== actions.rows)) {
    const lengths = there.map(({ path, rows }) => `${path} ${rows}`).join(", ");
    throw new DatasetError(
      "lengths-disagree",
      `${reader.file.path}: arrays have different numbers of rows: ${lengths}`,
      "Every array of the D4RL layout has one row for each step; write it again or cut it.",
    );
  }
  for (const table of [terminals, timeouts, rewards]) {
    if (table === undefined || table.width === 1) continue;
    throw new DatasetError(
      "wrong-width",
      `${reader.file.path}: ${table.path} has rows of ${table.width} numbers, expected 1`,
      "Rewards, terminals and timeouts are one number for each step.",
    );
  }
  for (const { name, table } of nextGroups) {
    const group = groups.find((other) => other.name === name);
    if (group && group.table.width === table.width) continue;
    throw new DatasetError(
      "wrong-width",
      `${reader.file.path}: ${table.path} has rows of ${table.width} numbers, expected ${group?.table.width ?? "no such group"} as in observations`,
      "An observation and its successor are of the same kind.",
    );
  }
}

/** Goes once through rewards and flags. Borders that no flag marks count as time-outs. */
function scan(reader: RowReader, flat: Flat, borders: ReadonlySet<number> | undefined) {
  const { actions, terminals, rewards, timeouts } = flat;
  const list = new EpisodeList();
  const starts: number[] = [];
  const terminal = new Uint8Array(PIECE);
  const timeout = new Uint8Array(PIECE);
  const reward = new Float64Array(PIECE);
  let start = 0;
  let total = 0;
  const close = (end: number, ending: Ending) => {
    starts.push(start);
    list.add(end - start, { observed: end - start, total, ending });
    start = end;
    total = 0;
    if (starts.length > reader.file.bytes) throw tooMany(reader);
  };
  for (let from = 0; from < actions.rows; from += PIECE) {
    const count = Math.min(PIECE, actions.rows - from);
    const rows = { from, count, width: 1 };
    reader.read(terminals.path, rows, terminal, 0);
    if (timeouts) reader.read(timeouts.path, rows, timeout, 0);
    if (rewards) reader.read(rewards.path, rows, reward, 0);
    for (let i = 0; i < count; i += 1) {
      total += reward[i]!;
      if (terminal[i]) close(from + i + 1, "terminated");
      else if (timeout[i] || borders?.has(from + i)) close(from + i + 1, "truncated");
    }
  }
  if (start < actions.rows) close(actions.rows, "unfinished");
  return { episodes: list.done(reader.file.path), starts: Float64Array.from(starts) };
}

/** Flags shrink a thousandfold, what is kept of an episode does not. */
function tooMany({ file: { path, bytes } }: RowReader): DatasetError {
  return new DatasetError(
    "implausible-size",
    `${path} claims more than ${bytes} episodes in ${bytes} bytes`,
    "Its flags are damaged, or made to mislead; copy or record it again.",
  );
}

/** Steps whose recorded successor is not the next row: there the clock, or somebody, cut the episode. */
function hiddenBorders(reader: RowReader, { groups, nextGroups, actions }: Flat): Set<number> {
  const borders = new Set<number>();
  for (const { name, table } of nextGroups) {
    const now = groups.find((group) => group.name === name)?.table.path ?? "";
    const { width } = table;
    const piece = Math.max(1, Math.min(4096, Math.floor((1 << 18) / width)));
    const next = new Float32Array(piece * width);
    const after = new Float32Array(piece * width);
    for (let from = 0; from + 1 < actions.rows; from += piece) {
      const count = Math.min(piece, actions.rows - 1 - from);
      reader.read(table.path, { from, count, width }, next, 0);
      reader.read(now, { from: from + 1, count, width }, after, 0);
      for (let i = 0; i < count; i += 1)
        if (differs(next, after, { i, width })) borders.add(from + i);
    }
  }
  return borders.size * 2 > actions.rows ? new Set() : borders;
}

function differs(a: Float32Array, b: Float32Array, at: { i: number; width: number }): boolean {
  const end = (at.i + 1) * at.width;
  for (let k = at.i * at.width; k < end; k += 1) if (a[k] !== b[k]) return true;
  return false;
}

function remarksOn(flat: Flat, borders: ReadonlySet<number> | undefined): string[] {
  if (flat.timeouts) return [];
  if (borders && borders.size > 0) {
    return [
      "no timeouts are recorded: an episode also ends where a step's next_observations are not the next row",
    ];
  }
  const danger = "steps across the end of an episode that timed out can't be told from others";
  return [`no timeouts are recorded: episodes end at terminals only, and ${danger}`];
}
