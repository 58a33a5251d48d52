import { parseJson } from "../../protocol/parse-json.ts";
import type { Catalogue, Column, Leaf, Place } from "./catalogue.ts";
import {
  arraySpecs,
  column,
  EpisodeList,
  groupsOf,
  leavesOf,
  numbered,
  tableColumn,
} from "./catalogue.ts";
import { DatasetError } from "./dataset-error.ts";
import type { Ending } from "./recorded-flights.ts";
import { listed, type RowReader } from "./row-reader.ts";
import { checkSteps, expectEpisodes, lastFlag, rewardSum } from "./scan-episodes.ts";
import type { TableInfo } from "./table-info.ts";

export const DEMO = /^demo_(\d+)$/;
/** Names under which recorders say that the clock ended a demonstration. */
const TIMEOUTS = ["truncated", "truncations", "timeouts", "time_outs"];
const STEP_ARRAYS = new Set(["actions", "obs", "next_obs", "rewards", "dones", ...TIMEOUTS]);

/**
 * robomimic's layout, which Isaac Lab records too: `data/demo_<i>` with `actions`, `obs/…` (a group for
 * each array), perhaps `next_obs/…`, `rewards`, `dones`, `states`; everything else with a row per step
 * becomes a note.
 *
 * `dones` says that a demonstration is over, not why. It counts as a death, as it does to robomimic's
 * own learners, unless the file says otherwise: `truncated` (or a `timeouts`) is set at the last step,
 * the demonstration lasted exactly the `horizon` of `env_args` without an attribute `success`, or that
 * attribute is false. Taking a cut for a death would teach that the value ends there; taking a death
 * for a cut only leaves knowledge out. Without `dones` nothing is known about an end.
 */
export function readRobomimic(reader: RowReader): Catalogue {
  const { file } = reader;
  const names = numbered(file.names("data") ?? [], DEMO).map((name) => `data/${name}`);
  const first = names[0];
  if (first === undefined) {
    throw new DatasetError(
      "no-flights",
      `${file.path} has no data/demo_<i>; at the top: ${listed(file.names("") ?? [])}`,
      "Record some demonstrations, or name another layout with --dataset_format.",
    );
  }
  const model = names.find((name) => (file.table(`${name}/actions`)?.rows ?? 0) > 0) ?? first;
  const demo = arraysOf(reader, model);
  const columns = columnsOf(demo, names);
  return {
    layout: "robomimic",
    spec: {
      ...arraySpecs(demo),
      hasRewards: demo.rewards,
      successors: demo.nextGroups.length > 0 ? "recorded" : "following",
    },
    episodes: scan(reader, names, { ...demo, observed: columns[`obs/${demo.groups[0]?.name}`] }),
    remarks: remarksOn(demo),
    columns,
  };
}

/** What the demonstrations hold, by one of them. */
interface Demo extends Flags {
  readonly path: string;
  readonly actions: TableInfo;
  readonly groups: readonly Leaf[];
  readonly nextGroups: readonly Leaf[];
  readonly notes: readonly Leaf[];
}

function arraysOf(reader: RowReader, path: string): Demo {
  const { file } = reader;
  const isTable = (name: string) => file.kindOf(`${path}/${name}`) === "table";
  const actions = reader.table(`${path}/actions`);
  const hasNext = file.kindOf(`${path}/next_obs`) !== "none";
  return {
    path,
    actions,
    groups: groupsOf(reader, `${path}/obs`),
    nextGroups: hasNext ? groupsOf(reader, `${path}/next_obs`) : [],
    notes: notesOf(reader, path, actions.rows),
    dones: isTable("dones"),
    rewards: isTable("rewards"),
    timeouts: TIMEOUTS.find(isTable),
  };
}

function columnsOf(demo: Demo, names: readonly string[]): Record<string, Column> {
  const at =
    (path: string) =>
    (episode: number): Place => ({
      path: `${names[episode]}/${path.slice(demo.path.length + 1)}`,
      first: 0,
    });
  const one = (name: string, kept: "float32" | "uint8") =>
    column({ width: 1, kept }, at(`${demo.path}/${name}`));
  const all = (prefix: string, leaves: readonly Leaf[]) =>
    leaves.map(({ name, table }) => [prefix + name, tableColumn(table, at(table.path))] as const);
  return {
    actions: tableColumn(demo.actions, at(demo.actions.path)),
    ...Object.fromEntries(all("obs/", demo.groups)),
    ...Object.fromEntries(all("next/", demo.nextGroups)),
    ...Object.fromEntries(all("notes/", demo.notes)),
    ...(demo.rewards && { rewards: one("rewards", "float32") }),
    ...(demo.dones && { terminated: one("dones", "uint8") }),
    ...(demo.timeouts && { truncated: one(demo.timeouts, "uint8") }),
  };
}

interface Flags {
  readonly dones: boolean;
  readonly rewards: boolean;
  readonly timeouts: string | undefined;
}

function notesOf(reader: RowReader, demo: string, steps: number): Leaf[] {
  const leaves = leavesOf(reader, demo, "lenient");
  const own = leaves.filter(({ name }) => !STEP_ARRAYS.has(name.split("/")[0] ?? ""));
  return own.filter(({ table }) => table.rows === steps);
}

function scan(
  reader: RowReader,
  names: readonly string[],
  has: Flags & { readonly observed: Column | undefined },
) {
  const list = new EpisodeList();
  const horizon = horizonOf(reader);
  const observations = has.observed?.parts[0]?.place(0).path.slice(names[0]!.length + 1);
  const seen = ["actions", ...(observations === undefined ? [] : [observations])];
  const ends = [has.timeouts, has.dones ? "dones" : undefined].filter((name) => name !== undefined);
  const read = [...(has.rewards ? ["rewards"] : []), ...ends];
  let steps = 0;
  for (const [episode, name] of names.entries()) {
    expectEpisodes(reader, names, { episode, read, seen });
    const { rows } = reader.table(`${name}/actions`);
    const path = has.observed?.parts[0]?.place(episode).path ?? "";
    const observed = reader.table(path).rows;
    const said = reader.file.attribute(name, "num_samples");
    if (observed < rows || observed > rows + 1 || (said !== undefined && said !== rows)) {
      const claim = said === undefined ? "" : ` and num_samples ${said}`;
      throw new DatasetError(
        "lengths-disagree",
        `${reader.file.path}: ${name} has ${rows} actions, ${observed} observations in ${path}${claim}`,
        "A demonstration has one observation for each action; record it again or cut it out.",
      );
    }
    steps += rows;
    checkSteps(reader, steps);
    const total = has.rewards ? rewardSum(reader, `${name}/rewards`, { rows, name }) : 0;
    list.add(rows, { observed, total, ending: endingOf(reader, name, { rows, horizon, has }) });
  }
  return list.done(reader.file.path);
}

function endingOf(
  reader: RowReader,
  demo: string,
  { rows, horizon, has }: { rows: number; horizon: number | undefined; has: Flags },
): Ending {
  if (rows === 0) return "unfinished";
  if (has.timeouts && lastFlag(reader, `${demo}/${has.timeouts}`, rows)) return "truncated";
  if (!has.dones || !lastFlag(reader, `${demo}/dones`, rows)) return "unfinished";
  const success = reader.file.attribute(demo, "success");
  const succeeded = success === undefined ? undefined : Boolean(success);
  if (succeeded === false) return "truncated";
  return rows === horizon && succeeded === undefined ? "truncated" : "terminated";
}

/** Steps after which the simulator cuts an episode, where `env_args` says it. */
function horizonOf(reader: RowReader): number | undefined {
  const text = reader.file.attribute("data", "env_args");
  if (typeof text !== "string") return undefined;
  try {
    const args = parseJson(text) as Record<string, unknown>;
    const inner = (args.env_kwargs ?? {}) as Record<string, unknown>;
    const said = [args.horizon, inner.horizon, inner.max_episode_steps, args.max_episode_length];
    return said.find((value): value is number => typeof value === "number");
  } catch {
    return undefined;
  }
}

function remarksOn({ dones, timeouts, rewards }: Flags): string[] {
  const remarks: string[] = [];
  if (!rewards) remarks.push("no rewards are recorded: only imitation can learn from it");
  if (!dones) remarks.push("no dones are recorded: how demonstrations ended is unknown");
  else if (!timeouts) {
    remarks.push(
      "dones count as deaths, unless the demonstration failed or lasted exactly the horizon: the layout keeps no time-outs",
    );
  }
  return remarks;
}
