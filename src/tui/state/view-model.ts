/**
 * What the screen knows about a run: a pure reduction of metrics rows and events, so that a run replayed from its
 * files looks as it did in flight. Memory is bounded whatever the length of the run.
 */
import type { Metrics, RunEvent } from "../../metrics/metric-sink.ts";
import { mergeRun, noRun, type RunFacts } from "./run-facts.ts";
import { cutAt, emptySeries, extend, type Series } from "./series.ts";

/** `judging`: its students fly for the record; `quiet`: the files of a run that nobody seems to fly. */
export type Status =
  | "waiting"
  | "flying"
  | "paused"
  | "judging"
  | "lost"
  | "failed"
  | "landed"
  | "quiet";

/** One of the latest iterations; times in seconds. */
export interface Recent {
  readonly iteration: number;
  readonly collection: number;
  readonly learning: number;
  readonly inference: number;
  readonly simulation: number;
  readonly wire: number;
  readonly student: number | undefined;
  readonly teacher: number | undefined;
  readonly loss: number | undefined;
}

/** Where the controls changed hands, or somebody asked for something. */
export interface Mark {
  readonly iteration: number;
  readonly kind: "switch" | "request";
  /** One letter, as the key that asks for it; ▲ where the student got the controls, ▼ where it lost them. */
  readonly sign: string;
}

export interface HappenedLine {
  readonly type: string;
  readonly iteration: number;
  /** Unix seconds. */
  readonly time: number;
  readonly message: string;
  /** Of a checkpoint. */
  readonly kind: string;
}

export interface ScreenState {
  readonly run: RunFacts;
  readonly status: Status;
  /** The last whole iteration. */
  readonly iteration: number | undefined;
  readonly phase: 1 | 2;
  readonly latest: Metrics;
  readonly loss: Series;
  readonly student: Series;
  readonly teacher: Series;
  readonly recent: readonly Recent[];
  readonly marks: readonly Mark[];
  readonly events: readonly HappenedLine[];
  readonly best: { readonly ratio: number | undefined; readonly iteration: number } | undefined;
  readonly paths: { readonly best?: string; readonly last?: string };
  /** What the last flight of both pilots found, from the `landed` event. */
  readonly summary: Readonly<Record<string, unknown>> | undefined;
  /** Unix seconds of the last row. */
  readonly lastRow: number | undefined;
  /** Unix seconds. */
  readonly now: number;
}

export type Action =
  | {
      readonly kind: "row";
      readonly iteration: number;
      readonly metrics: Metrics;
      readonly time: number;
    }
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "tick"; readonly now: number }
  /** Only a watcher can't be sure that somebody flies. */
  | { readonly kind: "presence"; readonly flying: boolean };

export const mostRecent = 200;
export const mostMarks = 64;
export const mostEvents = 50;
const longestMessage = 400;

export const initialState: ScreenState = {
  run: noRun,
  status: "waiting",
  iteration: undefined,
  phase: 1,
  latest: {},
  loss: emptySeries,
  student: emptySeries,
  teacher: emptySeries,
  recent: [],
  marks: [],
  events: [],
  best: undefined,
  paths: {},
  summary: undefined,
  lastRow: undefined,
  now: 0,
};

/** Never throws, whatever the rows and events hold: files may be old, cut, or somebody else's. */
export function reduce(state: ScreenState, action: Action): ScreenState {
  switch (action.kind) {
    case "row":
      return addRow(state, action);
    case "event":
      return addEvent(state, action.event);
    case "tick":
      return { ...state, now: Math.max(state.now, finite(action.now) ?? 0) };
    case "presence":
      return { ...state, status: statusByPresence(state.status, action.flying) };
  }
}

function addRow(state: ScreenState, row: Action & { kind: "row" }): ScreenState {
  const { iteration, metrics } = row;
  if (!Number.isSafeInteger(iteration) || iteration < 0) return state;
  // An iteration that is flown again: the run was resumed from before it.
  const base = iteration <= (state.iteration ?? -1) ? rewind(state, iteration) : state;
  const time = finite(row.time) ?? state.now;
  const phase = metrics["Distillation/training_phase"];
  return {
    ...base,
    status: base.status === "paused" || base.status === "landed" ? base.status : "flying",
    iteration,
    phase: phase === 1 || phase === 2 ? phase : base.phase,
    latest: metrics,
    loss: extendBy(base.loss, iteration, metrics["Loss/behavior"]),
    student: extendBy(base.student, iteration, metrics["Eval/student_return"]),
    teacher: extendBy(base.teacher, iteration, metrics["Eval/teacher_return"]),
    recent: [...base.recent.slice(1 - mostRecent), recentOf(iteration, metrics)],
    lastRow: time,
    now: Math.max(state.now, time),
  };
}

function extendBy(series: Series, iteration: number, value: number | undefined): Series {
  return value === undefined ? series : extend(series, iteration, value);
}

function recentOf(iteration: number, metrics: Metrics): Recent {
  const seconds = (name: string) => Math.max(0, finite(metrics[`Perf/${name}`]) ?? 0);
  return {
    iteration,
    collection: seconds("collection_time"),
    learning: seconds("learning_time"),
    inference: seconds("inference_time"),
    simulation: seconds("simulation_time"),
    wire: seconds("wire_time"),
    student: metrics["Eval/student_return"],
    teacher: metrics["Eval/teacher_return"],
    loss: metrics["Loss/behavior"],
  };
}

function rewind(state: ScreenState, iteration: number): ScreenState {
  const before = (item: { readonly iteration: number }) => item.iteration < iteration;
  return {
    ...state,
    iteration: undefined,
    loss: cutAt(state.loss, iteration),
    student: cutAt(state.student, iteration),
    teacher: cutAt(state.teacher, iteration),
    recent: state.recent.filter(before),
    marks: state.marks.filter(({ iteration: at }) => at <= iteration),
  };
}

function addEvent(state: ScreenState, event: RunEvent): ScreenState {
  const line = lineOf(event, state);
  const noted = {
    ...state,
    events: [...olderEvents(state, line), line],
    now: Math.max(state.now, line.time),
  };
  switch (event.type) {
    case "start":
      return started(noted, event);
    case "phase-switch":
      return { ...mark(noted, line.iteration, "switch", "▲"), phase: 2 };
    case "phase-resumed":
      return { ...mark(noted, line.iteration, "switch", "▼"), phase: 1 };
    case "checkpoint":
      return checkpointed(noted, event);
    case "request":
      return requested(noted, line.iteration, event);
    case "paused":
      return { ...noted, status: "paused" };
    case "resumed":
      return { ...noted, status: "flying" };
    case "waiting":
      return { ...noted, status: "waiting" };
    case "judging":
      return { ...noted, status: "judging" };
    case "simulator-lost":
      return { ...noted, status: "lost" };
    case "failed":
      return { ...noted, status: "failed" };
    case "landed":
      return { ...noted, status: "landed", summary: objectOf(event.summary) ?? event };
    default:
      return noted;
  }
}

/** A student that gets better all the time would push out everything else. */
function olderEvents({ events }: ScreenState, next: HappenedLine): readonly HappenedLine[] {
  const last = events.at(-1);
  const again =
    next.type === "checkpoint" && last?.type === "checkpoint" && last.kind === next.kind;
  return again && next.kind === "best" ? events.slice(0, -1) : events.slice(1 - mostEvents);
}

function lineOf(event: RunEvent, state: ScreenState): HappenedLine {
  return {
    type: printable(event.type),
    iteration: Number.isSafeInteger(event.iteration) ? event.iteration : (state.iteration ?? 0),
    time: finite(event.time) ?? state.now,
    message: printable(event.message),
    kind: printable(event.kind),
  };
}

function started(state: ScreenState, event: RunEvent): ScreenState {
  const resumed = finite(event.resumed);
  const base = resumed === undefined ? state : rewind(state, Math.max(0, Math.floor(resumed)));
  const run = mergeRun(base.run, event);
  const phase = run.twoStages ? base.phase : 2;
  return { ...base, run, phase, status: "waiting", summary: undefined };
}

function checkpointed(state: ScreenState, { path, kind, iteration }: RunEvent): ScreenState {
  const where = typeof path === "string" ? printable(path) : undefined;
  if (kind !== "best") {
    return where === undefined ? state : { ...state, paths: { ...state.paths, last: where } };
  }
  const ratio = finite(state.latest["Eval/student_vs_teacher"]);
  return {
    ...state,
    best: { ratio, iteration: finite(iteration) ?? state.iteration ?? 0 },
    paths: where === undefined ? state.paths : { ...state.paths, best: where },
  };
}

function requested(state: ScreenState, iteration: number, event: RunEvent): ScreenState {
  if (event.outcome !== "done" || typeof event.request !== "string") return state;
  const marked = mark(state, iteration, "request", event.request.slice(0, 1) || "?");
  if (event.request === "pause") return { ...marked, status: "paused" };
  if (event.request === "resume") return { ...marked, status: "flying" };
  return marked;
}

function mark(
  state: ScreenState,
  iteration: number,
  kind: Mark["kind"],
  sign: string,
): ScreenState {
  const added: Mark = { iteration, kind, sign: printable(sign) || "?" };
  const marks = [...state.marks, added];
  // The switch outlives any number of requests.
  const drop = marks.length > mostMarks ? marks.findIndex((one) => one.kind !== "switch") : -1;
  const kept = drop >= 0 ? marks.toSpliced(drop, 1) : marks.slice(-mostMarks);
  return { ...state, marks: kept };
}

function statusByPresence(status: Status, flying: boolean): Status {
  if (flying) return status === "quiet" ? "flying" : status;
  return status === "landed" || status === "lost" || status === "failed" ? status : "quiet";
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** One line without control codes: messages may come from a simulator. */
export function printable(value: unknown): string {
  const text = typeof value === "string" ? value : "";
  return text.slice(0, longestMessage).replace(/\p{Cc}+/gu, " ");
}
