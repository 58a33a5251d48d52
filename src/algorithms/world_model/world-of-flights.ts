import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { backwards, flightStatistics } from "../../datasets/statistics.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { type Bounds, evenLevels, quantileLevels } from "./levels.ts";
import type { WorldModelSettings } from "./settings.ts";
import type { HeadFacts, Scale, WorldFacts } from "./world-facts.ts";

/** Head of each of the patient's figures: arterial pressure is called `rp` in what is logged. */
const headNames: Readonly<Record<string, string>> = { bis: "bis", map: "rp" };

export interface WorldOptions {
  readonly reads: readonly string[];
  readonly bounds: Bounds;
  readonly settings: WorldModelSettings;
  /** Episodes that are learned from. */
  readonly episodes: Int32Array;
}

export interface WorldOfFlights {
  readonly facts: WorldFacts;
  /** Observation groups that windows hold, those of `reads` first. */
  readonly groups: readonly string[];
  /** By head: mean |reading − truth| in some episodes, where a component `NAME_true` is there. */
  floorsIn(episodes: Int32Array): Readonly<Record<string, number>>;
}

/** What recorded flights say of a task. @throws LearningError `unknown-component` */
export function worldOf(flights: RecordedFlights, options: WorldOptions): WorldOfFlights {
  const { reads, bounds, settings, episodes } = options;
  const { discount, action_levels: count, level_spacing: spacing } = settings;
  if (!flights.spec.hasRewards) throw worthless(flights.path);
  const statistics = flightStatistics(flights, { episodes, discount });
  const found = componentsOf(flights, reads);
  const { heads, more } = headsOf(found, settings.predict, { path: flights.path, reads });
  const groups = [...reads, ...more];
  const firsts = firstColumns(flights, groups);
  const scales = new Map(
    Object.entries(statistics.groups).map(([group, { mean, std }]) => {
      return [group, { mean: [...mean], std: [...std] }] as const;
    }),
  );
  const parts = reads.map((group) => {
    return settings.normalize_states ? scales.get(group)! : ones(flights.spec.groups[group]!.width);
  });
  const { mean, std } = statistics.rewards!;
  const facts: WorldFacts = {
    ...{ reads, bounds },
    levels:
      spacing === "even"
        ? evenLevels(bounds, count)
        : quantileLevels(bounds, actionsIn(flights, episodes), count),
    observations: joined(parts),
    heads: heads.map((head) => headFacts(head, firsts, scales)),
    reward: { mean: [mean[0]!], std: [std[0]!] },
    value: returnsScale(flights, episodes, discount),
  };
  const floorsIn = (held: Int32Array) => {
    const floors = heads.flatMap(({ name, components: [one] }) => {
      const truth = found.find((other) => other.name === `${one!.name}_true`);
      return truth ? [[name, meanDistance(flights, held, [one!, truth])] as const] : [];
    });
    return Object.fromEntries(floors);
  };
  return { facts, groups, floorsIn };
}

function headFacts(
  { name, components }: Heads["heads"][number],
  firsts: ReadonlyMap<string, number>,
  scales: ReadonlyMap<string, Scale>,
): HeadFacts {
  const own = components.map(({ group, column }) => {
    const { mean, std } = scales.get(group)!;
    return { mean: [mean[column]!], std: [std[column]!] };
  });
  return {
    ...{ name, components: components.map((one) => one.name), scale: joined(own) },
    columns: components.map(({ group, column }) => firsts.get(group)! + column),
  };
}

function ones(width: number): Scale {
  return { mean: new Array(width).fill(0), std: new Array(width).fill(1) };
}

/** Of two components, over all observations that steps start from. */
function meanDistance(
  flights: RecordedFlights,
  episodes: Int32Array,
  [one, other]: readonly [Component, Component],
): number {
  let [sum, count] = [0, 0];
  for (const episode of episodes) {
    const steps = flights.episodes.lengths[episode]!;
    const columnOf = ({ group, column }: Component) => {
      const { width } = flights.spec.groups[group]!;
      const all = new Float32Array(steps * width);
      flights.read(`obs/${group}`, { episode, from: 0, count: steps }, all, 0);
      return Float32Array.from({ length: steps }, (_, i) => all[i * width + column]!);
    };
    const truth = columnOf(other);
    sum += columnOf(one).reduce((total, value, i) => total + Math.abs(value - truth[i]!), 0);
    count += steps;
  }
  return sum / count;
}

interface Component {
  readonly group: string;
  readonly column: number;
  readonly name: string;
}

/** Those of the groups that are read first. */
function componentsOf({ spec }: RecordedFlights, reads: readonly string[]): readonly Component[] {
  const others = Object.keys(spec.groups).filter((group) => !reads.includes(group));
  return [...reads, ...others].flatMap((group) => {
    const { width, names } = spec.groups[group]!;
    const told = names ?? spec.env?.observations[group]?.names;
    return Array.from({ length: width }, (_, column) => {
      return { group, column, name: told?.[column] ?? `${group}[${column}]` };
    });
  });
}

interface Heads {
  readonly heads: readonly { readonly name: string; readonly components: readonly Component[] }[];
  /** Groups besides those that are read. */
  readonly more: readonly string[];
}

/** A head for each component that was asked for; else for `bis` and `map`; else one for all that is read. */
function headsOf(
  found: readonly Component[],
  asked: readonly string[] | null,
  { path, reads }: { readonly path: string; readonly reads: readonly string[] },
): Heads {
  const known = (name: string) => found.find((one) => one.name === name);
  const standard = Object.keys(headNames).filter((name) => known(name) !== undefined);
  const names = asked ?? standard;
  if (names.length === 0) {
    const components = found.filter(({ group }) => reads.includes(group));
    return { heads: [{ name: "obs", components }], more: [] };
  }
  const chosen = names.map((name) => known(name) ?? refuse(name, found, path));
  const groups = chosen.map(({ group }) => group).filter((group) => !reads.includes(group));
  const heads = chosen.map((one) => {
    return { name: headNames[one.name] ?? one.name.replace(/[^\w.]+/g, "_"), components: [one] };
  });
  return { heads, more: [...new Set(groups)] };
}

function refuse(name: string, found: readonly Component[], path: string): never {
  const some = found.map((one) => one.name).slice(0, 40);
  throw new LearningError(
    "unknown-component",
    `${path} has no observation component '${name}', but ${some.join(", ")}${found.length > some.length ? " …" : ""}.`,
    "Name components that are there: algorithm.predict=[NAME], or null for bis and map, or all.",
  );
}

function worthless(path: string): LearningError {
  return new LearningError(
    "missing-rewards",
    `${path} has no rewards recorded, and a model of the world learns what a step is worth.`,
    "Record flights with rewards; without any only imitation (bc) can learn.",
  );
}

function firstColumns(
  { spec }: RecordedFlights,
  groups: readonly string[],
): ReadonlyMap<string, number> {
  const firsts = new Map<string, number>();
  let column = 0;
  for (const group of groups) {
    firsts.set(group, column);
    column += spec.groups[group]!.width;
  }
  return firsts;
}

function joined(parts: readonly Scale[]): Scale {
  return { mean: parts.flatMap(({ mean }) => mean), std: parts.flatMap(({ std }) => std) };
}

function actionsIn(flights: RecordedFlights, episodes: Int32Array): Float32Array {
  const { width } = flights.spec.action;
  const lengths = Array.from(episodes, (episode) => flights.episodes.lengths[episode]!);
  const actions = new Float32Array(lengths.reduce((sum, count) => sum + count, 0) * width);
  let at = 0;
  for (const [i, count] of lengths.entries()) {
    flights.read("actions", { episode: episodes[i]!, from: 0, count }, actions, at);
    at += count * width;
  }
  return actions;
}

/** Mean and deviation of the discounted returns, by the episodes' extremes and mean: a rough scale is enough. */
function returnsScale(flights: RecordedFlights, episodes: Int32Array, discount: number): Scale {
  const seen = Array.from(episodes, (episode) => backwards(flights, episode, discount));
  const ends = seen.flatMap(({ largest, smallest }) => [largest, smallest]).filter(Number.isFinite);
  const mean = ends.reduce((sum, one) => sum + one, 0) / Math.max(1, ends.length);
  const spread = ends.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, ends.length);
  return { mean: [mean], std: [Math.sqrt(spread)] };
}
