import type { Catalogue, Leaf, Place } from "./catalogue.ts";
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
import type { FlightsSpec } from "./flights-spec.ts";
import { minariFacts } from "./minari-metadata.ts";
import { listed, type RowReader } from "./row-reader.ts";
import { checkSteps, endsOf, expectEpisodes, rewardSum } from "./scan-episodes.ts";

export const EPISODE = /^episode_(\d+)$/;

/**
 * Minari's layout (Gymnasium's): `episode_<i>` with `observations` (one row more than steps; a tree
 * gives a group for each array), `actions`, `rewards`, `terminations`, `truncations`, `infos`. Names,
 * units and bounds come from `metadata.json` beside the file or from attributes at its root.
 */
export function readMinari(reader: RowReader): Catalogue {
  const { file } = reader;
  const names = numbered(file.names("") ?? [], EPISODE);
  const first = names[0];
  if (first === undefined) throw noEpisodes(reader);
  const model = names.find((name) => (file.table(`${name}/actions`)?.rows ?? 0) > 0) ?? first;
  const groups = groupsOf(reader, `${model}/observations`);
  const actions = actionsOf(reader, model);
  const infos = infosOf(reader, model, actions.rows);
  const at =
    (inner: string) =>
    (episode: number): Place => ({ path: `${names[episode]}/${inner}`, first: 0 });
  const all = (prefix: string, leaves: readonly Leaf[]) =>
    leaves.map(({ name, table }) => {
      const place = at(table.path.slice(model.length + 1));
      return [prefix + name, tableColumn(table, place)] as const;
    });
  const spec: FlightsSpec = {
    ...arraySpecs({ groups, actions, notes: infos }),
    hasRewards: true,
    successors: "following",
  };
  return {
    layout: "minari",
    spec: minariFacts(reader, spec),
    episodes: scan(reader, names, groups[0]!.table.path.slice(model.length + 1)),
    remarks: [],
    columns: {
      ...Object.fromEntries([...all("obs/", groups), ...all("notes/", infos)]),
      actions: tableColumn(actions, at("actions")),
      rewards: column({ width: 1, kept: "float32" }, at("rewards")),
      terminated: column({ width: 1, kept: "uint8" }, at("terminations")),
      truncated: column({ width: 1, kept: "uint8" }, at("truncations")),
    },
  };
}

function noEpisodes({ file }: RowReader): DatasetError {
  return new DatasetError(
    "no-flights",
    `${file.path} has no episode_<i>; at the top: ${listed(file.names("") ?? [])}`,
    "Record some flights, or name another layout with --dataset_format.",
  );
}

function actionsOf(reader: RowReader, episode: string) {
  const path = `${episode}/actions`;
  if (reader.file.kindOf(path) !== "group") return reader.table(path);
  throw new DatasetError(
    "unsupported-actions",
    `${reader.file.path}: ${path} is a tree of arrays (${listed(reader.file.names(path) ?? [])})`,
    "Actions must be one array with a row for each step.",
  );
}

/** Infos with a row for each step, or one more as Gymnasium has one for the reset too. */
function infosOf(reader: RowReader, episode: string, steps: number): Leaf[] {
  const leaves = leavesOf(reader, `${episode}/infos`, "lenient");
  return leaves.filter(({ table }) => table.rows === steps || table.rows === steps + 1);
}

function scan(reader: RowReader, names: readonly string[], observations: string) {
  const list = new EpisodeList();
  const read = ["rewards", "terminations", "truncations"];
  let steps = 0;
  for (const [episode, name] of names.entries()) {
    expectEpisodes(reader, names, { episode, read, seen: [observations, "actions"] });
    const { rows } = reader.table(`${name}/rewards`);
    const observed = reader.table(`${name}/${observations}`).rows;
    const actions = reader.table(`${name}/actions`).rows;
    if (actions !== rows || observed < rows || observed > rows + 1) {
      throw new DatasetError(
        "lengths-disagree",
        `${reader.file.path}: ${name} has ${rows} rewards, ${actions} actions and ${observed} observations`,
        "An episode has as many actions as rewards, and one observation more; record it again.",
      );
    }
    steps += rows;
    checkSteps(reader, steps);
    const total = rewardSum(reader, `${name}/rewards`, { rows, name });
    const ending = endsOf(reader, rows, [`${name}/terminations`, `${name}/truncations`]);
    list.add(rows, { observed, total, ending });
  }
  return list.done(reader.file.path);
}
