import { elementsOf } from "../../../policies/named-array.ts";
import { isPicture } from "../../../protocol/env-spec.ts";
import type { EnvSpec, TensorSpec } from "../../../protocol/spec.ts";
import { type ArraySpec, isPictureArray } from "../../datasets/flights-spec.ts";
import type { Moments } from "../../datasets/moments.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { RunningError } from "../../running/running-error.ts";
import { usualGroups } from "../usual-groups.ts";

/**
 * Observation groups to learn from: those that were asked for, else the usual ones, else all of the data's.
 *
 * @throws RunningError when data or simulator lack one, or differ in a width or in pictures
 */
export function readsOf(
  { spec: data, path }: RecordedFlights,
  asked: readonly string[] | null,
  spec: EnvSpec | undefined,
): readonly string[] {
  const recorded = Object.keys(data.groups);
  const usual = usualGroups.find((groups) => groups.every((name) => recorded.includes(name)));
  const reads = asked ?? usual ?? recorded;
  for (const group of reads) {
    const array = data.groups[group];
    const shared = recorded.filter((name) => !spec || Object.hasOwn(spec.observations, name));
    const where = { group, shared, path, ...(spec && { task: spec.task }) };
    if (array === undefined) throw missing(`${path} holds`, recorded, where);
    if (!spec) continue;
    const flown = spec.observations[group];
    if (!flown) throw missing(`The task '${spec.task}' has`, Object.keys(spec.observations), where);
    if (isSame(array, flown)) continue;
    throw new RunningError(
      "does-not-fit",
      `The group '${group}' is ${arrayText(array)} in ${path}, and ${tensorText(flown)} in the task '${spec.task}'.`,
      "Evaluate in the task that the flights were recorded in (--task), or name other groups (obs_groups.student).",
    );
  }
  return reads;
}

/** As many numbers, and where one of both has pictures, bytes of the same axes. */
function isSame(array: ArraySpec, flown: TensorSpec): boolean {
  if (elementsOf(flown.shape) !== array.width) return false;
  if (!isPicture(flown)) return !isPictureArray(array);
  const axes = array.shape ?? flown.shape;
  return array.kept === "uint8" && axes.join() === flown.shape.join();
}

function arrayText(array: ArraySpec): string {
  const { width, kept, shape = [width] } = array;
  if (isPictureArray(array)) return `pictures of [${shape}]`;
  return `${width} numbers wide${kept === "uint8" ? " (bytes)" : ""}`;
}

function tensorText(flown: TensorSpec): string {
  return isPicture(flown) ? `pictures of [${flown.shape}]` : `${elementsOf(flown.shape)}`;
}

interface Lacking {
  readonly group: string;
  /** Groups that data and task both have. */
  readonly shared: readonly string[];
  readonly path: string;
  readonly task?: string;
}

function missing(
  who: string,
  there: readonly string[],
  { group, shared, path, task }: Lacking,
): RunningError {
  const both = task === undefined ? "" : " in the data and in the task";
  return new RunningError(
    "unknown-group",
    `${who} no observation group '${group}', but ${there.join(", ") || "none"}.`,
    shared.length > 0
      ? `Name groups that are there${both}: obs_groups.student=[${shared.join(",")}].`
      : `${path} and the task have no group in common: record flights in it (firstsolo record --task ${task ?? "TASK"}), or fly in the one that they were recorded in.`,
  );
}

/**
 * For people: an algorithm without an encoder reads the bytes of pictures as so many numbers.
 *
 * @param name of the algorithm
 */
export function pictureRemark(
  { spec: { groups } }: Pick<RecordedFlights, "spec">,
  { reads }: { readonly reads: readonly string[] },
  name: string,
): string | undefined {
  const pictures = reads.filter((group) => isPictureArray(groups[group]!));
  if (pictures.length === 0) return undefined;
  const others = reads.filter((group) => !pictures.includes(group)).join(",");
  const told = pictures.map((group) => `${group} [${groups[group]!.shape}]`).join(", ");
  const without = others === "" ? "" : `, obs_groups.student=[${others}] leaves them out`;
  return `${name} has no encoder of pictures: it reads those of ${told} as numbers side by side; --algorithm lapo sees them through a CNN${without}`;
}

/**
 * For people: what may be meant as pictures, and isn't of bytes or lacks an axis, goes by the encoder of pictures.
 */
export function unseenRemark(
  { spec: { groups } }: Pick<RecordedFlights, "spec">,
  { reads }: { readonly reads: readonly string[] },
): string | undefined {
  const unseen = reads.filter((group) => !isPictureArray(groups[group]!) && isGrid(groups[group]!));
  if (unseen.length === 0) return undefined;
  const kinds = { float32: "numbers", uint8: "bytes" } as const;
  const told = unseen.map((name) => {
    const { shape, kept } = groups[name]!;
    return `${name} (${kinds[kept]} of [${shape}])`;
  });
  return `read as numbers side by side, through no CNN: ${told.join(", ")}; pictures are bytes (uint8), 0 to 255, of [height, width, channels]`;
}

/** Three axes, or two that are longer than those of a matrix. */
function isGrid({ shape = [] }: ArraySpec): boolean {
  return shape.length === 3 || (shape.length === 2 && shape.every((size) => size >= 8));
}

/** For people: whoever chooses among so many actions is not learned here. */
export function choiceRemark({
  spec: { action },
  path,
}: Pick<RecordedFlights, "spec" | "path">): string | undefined {
  if (!action.whole) return undefined;
  return `the actions of ${path} are stored as whole numbers: they are learned as continuous ones, between their bounds; no algorithm here chooses among discrete actions`;
}

/** For people: who learned to decide every so many seconds is judged deciding at another pace. */
export function paceRemark(
  { spec: { env }, path }: Pick<RecordedFlights, "spec" | "path">,
  spec: EnvSpec | undefined,
): string | undefined {
  const [recorded, flown] = [env?.controlPeriod, spec?.controlPeriod];
  if (recorded === undefined || flown === undefined || recorded === flown) return undefined;
  return `${path} was recorded with a control period of ${recorded} s, and the task '${spec!.task}' has ${flown} s: give it the settings of the recording (env.…)`;
}

export interface ActionRange {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** For people, where nobody says the bounds. */
  readonly remark?: string;
}

/**
 * Bounds of the actions: the simulator's, else those that the data set says; else what was measured in the
 * data, which is ±1 where no action lies beyond. @throws RunningError where the widths differ
 */
export function actionOf(
  { spec: { action }, path }: RecordedFlights,
  spec: EnvSpec | undefined,
  measured: Pick<Moments, "min" | "max">,
): ActionRange {
  const width = spec ? elementsOf(spec.action.shape) : action.width;
  if (spec && width !== action.width) {
    throw new RunningError(
      "does-not-fit",
      `Actions have ${action.width} components in ${path}, and ${width} in the task '${spec.task}'.`,
      "Evaluate in the task that the flights were recorded in (--task).",
    );
  }
  const stated = [spec?.action, action];
  const found = Array.from({ length: width }, (_, i) => statedFor(i, stated));
  const known = found.filter((range) => range !== undefined);
  if (known.length === width) return columnsOf(known);
  const inside = measured.min.every((least, i) => least >= -1 && measured.max[i]! <= 1);
  const ranges = found.map((range, i) => range ?? measuredFor(i, measured, inside));
  const taken = inside ? "-1 to 1, where all lie" : "from the least to the largest of them";
  const remark = `${path} does not say between which bounds actions lie: taken as ${taken}; a simulator says its own (--task, --sim)`;
  return { ...columnsOf(ranges), remark };
}

type Range = readonly [low: number, high: number];
type Stated = { readonly low?: readonly number[]; readonly high?: readonly number[] } | undefined;

/** By the first that says something finite. */
function statedFor(component: number, stated: readonly Stated[]): Range | undefined {
  const ranges = stated.map(
    (one): Range => [one?.low?.[component] ?? Number.NaN, one?.high?.[component] ?? Number.NaN],
  );
  return ranges.find(([low, high]) => Number.isFinite(low) && Number.isFinite(high) && high > low);
}

function measuredFor(
  component: number,
  { min, max }: Pick<Moments, "min" | "max">,
  inside: boolean,
): Range {
  if (inside) return [-1, 1];
  const [low, high] = [min[component]!, max[component]!];
  return high > low ? [low, high] : [low - 1, high + 1];
}

function columnsOf(ranges: readonly Range[]): ActionRange {
  return { low: ranges.map(([low]) => low), high: ranges.map(([, high]) => high) };
}
