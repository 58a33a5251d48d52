import type { FlowRow } from "./flow-row.ts";
import { LearningError } from "./learning-error.ts";
import { isTrainable, type Motion, type ParameterGroup, type Update } from "./owners.ts";
import { textTable } from "./text-table.ts";

/** `none`: no path; `zero`: a path, and exactly 0; `tiny`: within the rounding of the largest one; `flows`. */
export type Flow = "none" | "zero" | "tiny" | "flows";
/** `leak`: where none may be; `orphan`: a gradient that nobody steps; `starved`: a step without one. */
export type FlowFault = "leak" | "orphan" | "starved";

/** All measurements of one group at one update, against the claim. */
export interface FlowEntry {
  readonly update: string;
  readonly group: string;
  readonly owner: string;
  readonly claim: Motion;
  readonly measured: number;
  readonly flow: Flow;
  /** Largest of the measurements; null: no path. */
  readonly gradient: number | null;
  readonly change: number;
  readonly verdict: "ok" | FlowFault;
  /** What is wrong, or worth a look. */
  readonly note?: string;
}

export interface FlowReport {
  readonly entries: readonly FlowEntry[];
  /** Updates of which nothing was measured. */
  readonly unmeasured: readonly string[];
}

/** Below this share of the largest gradient of a measurement a gradient is rounding: float32's is 6e-8. */
const rounding = 1e-7;

const order: readonly Flow[] = ["none", "zero", "tiny", "flows"];

/** What was measured against what was claimed; groups of `ema` and `frozen` claim `zero`. */
export function judgeFlow(
  rows: readonly FlowRow[],
  groups: readonly ParameterGroup[],
  updates: readonly Update[],
): FlowReport {
  const entries = updates.flatMap((update) =>
    groups.flatMap((group) => {
      const own = rows.filter((row) => row.update === update.name && row.group === group.name);
      return own.length === 0 ? [] : [entryOf(own, { update, group, updates })];
    }),
  );
  const measured = new Set(rows.map((row) => row.update));
  const unmeasured = updates.map(({ name }) => name).filter((name) => !measured.has(name));
  return { entries, unmeasured };
}

export function faultsOf(report: FlowReport): readonly FlowEntry[] {
  return report.entries.filter((entry) => entry.verdict !== "ok");
}

/** The error to stop with, by the first fault; undefined when every claim holds. */
export function flowError(report: FlowReport): LearningError | undefined {
  const faults = faultsOf(report);
  const [first] = faults;
  if (first === undefined || first.verdict === "ok") return undefined;
  const lines = faults.map(({ update, group, verdict, note }) => {
    return `${verdict}: ${note} (update '${update}', group '${group}')`;
  });
  return new LearningError(
    first.verdict,
    `The gradients don't flow as claimed. ${lines.join("; ")}.`,
    `Correct the loss or the claim, or go on all the same: --allow_${first.verdict === "starved" ? "starved" : `${first.verdict}s`}; gradient_flow.json in the run folder holds all figures.`,
  );
}

function flowOf({ gradient, scale }: FlowRow): Flow {
  if (gradient === null) return "none";
  if (gradient === 0) return "zero";
  return gradient <= rounding * scale ? "tiny" : "flows";
}

interface Place {
  readonly update: Update;
  readonly group: ParameterGroup;
  readonly updates: readonly Update[];
}

function entryOf(rows: readonly FlowRow[], place: Place): FlowEntry {
  const { update, group } = place;
  const flow = rows
    .map(flowOf)
    .reduce((most, one) => (order.indexOf(one) > order.indexOf(most) ? one : most));
  const gradients = rows.flatMap((row) => (row.gradient === null ? [] : [row.gradient]));
  const figures = {
    flow,
    gradient: gradients.length === 0 ? null : gradients.reduce(greater),
    change: rows.map((row) => row.change).reduce(greater),
  };
  const claim = update.claims[group.name] ?? "zero";
  const [verdict, note] = judge(claim, figures, place);
  return {
    ...{ update: update.name, group: group.name, owner: group.owner, claim },
    measured: rows.length,
    ...figures,
    verdict,
    ...(note !== undefined && { note }),
  };
}

/** NaN is greater than anything. */
function greater(a: number, b: number): number {
  return Number.isNaN(a) || a > b ? a : b;
}

type Figures = Pick<FlowEntry, "flow" | "gradient" | "change">;

function judge(
  claim: Motion,
  { flow, gradient, change }: Figures,
  { update, group, updates }: Place,
): readonly [FlowEntry["verdict"], string?] {
  const size = `of norm ${gradient?.toPrecision(3)}`;
  if (claim === "step") {
    if (flow === "none") return ["starved", `'${update.owner}' steps without a gradient: no path`];
    if (flow === "zero") return ["starved", `'${update.owner}' steps on a gradient of zeros`];
    if (change === 0) return ["orphan", `a gradient ${size} arrives and nothing moves`];
    return flow === "tiny" ? ["ok", "its gradient is within rounding"] : ["ok"];
  }
  if (claim === "zero" && flow === "flows") return ["leak", `a gradient ${size} arrives`];
  if (group.owner !== "ema" && change !== 0) {
    return ["leak", `its parameters move by ${change.toPrecision(3)}`];
  }
  const stepped = updates.some((other) => other.claims[group.name] === "step");
  if (flow === "flows" && isTrainable(group) && !stepped) {
    return ["orphan", `a gradient ${size} arrives and no update steps it`];
  }
  if (flow === "flows" && group.trainedBy?.includes(update.name)) {
    return [
      "orphan",
      `a gradient ${size} arrives and nobody steps: it belongs to '${group.owner}'`,
    ];
  }
  if (claim === "pass" && (flow === "none" || flow === "zero")) return ["ok", "nothing passes"];
  return flow === "tiny" ? ["ok", "a gradient within rounding"] : ["ok"];
}

/** For `gradient_flow.json`: what is not finite becomes text. */
export function flowJson(report: FlowReport): unknown {
  const finite = (value: number | null) =>
    value === null || Number.isFinite(value) ? value : `${value}`;
  const entries = report.entries.map((entry) => ({
    ...entry,
    gradient: finite(entry.gradient),
    change: finite(entry.change),
  }));
  return {
    version: 1,
    passed: faultsOf(report).length === 0,
    entries,
    unmeasured: report.unmeasured,
  };
}

/** A table for people, one line per update and group. */
export function flowTable(report: FlowReport): string {
  const head = ["update", "group", "owner", "claim", "gradient", "change", "verdict"];
  const lines = report.entries.map((entry) => [
    ...[entry.update, entry.group, entry.owner, entry.claim],
    entry.gradient === null ? "no path" : figure(entry.gradient),
    figure(entry.change),
    entry.note === undefined ? entry.verdict : `${entry.verdict}: ${entry.note}`,
  ]);
  const missing = report.unmeasured.map((name) => `not measured: ${name}`);
  return [textTable(head, lines), ...missing].join("\n");
}

function figure(value: number): string {
  return value === 0 ? "0" : value.toExponential(2);
}
