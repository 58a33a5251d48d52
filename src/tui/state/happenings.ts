/** What an event changes in the state of the screen. */
import type { RunEvent } from "../../metrics/metric-sink.ts";
import { printable } from "../../metrics/printable.ts";
import { type StagePlace, stageIn } from "../../metrics/read-description.ts";
import { type Level, monitorMark, requestMark, withMark } from "./marks.ts";
import { finite } from "./numbers.ts";
import { mergeRun } from "./run-facts.ts";
import { type HappenedLine, noCurves, rewind, rolesOf, type ScreenState } from "./screen-state.ts";

export const mostEvents = 50;

export function addEvent(state: ScreenState, event: RunEvent): ScreenState {
  const line = lineOf(event, state);
  const noted = {
    ...state,
    events: [...olderEvents(state, line), line],
    now: Math.max(state.now, line.time),
  };
  if (event.type === "start") return started(noted, event);
  const stage = stageIn(event);
  return happened(stage ? entered(noted, line.iteration, stage) : noted, event, line);
}

function happened(state: ScreenState, event: RunEvent, line: HappenedLine): ScreenState {
  switch (event.type) {
    case "checkpoint":
      return checkpointed(state, event);
    case "request":
      return requested(state, line.iteration, event);
    case "monitor": {
      const mark = monitorMark(line.iteration, line.level ?? "warn", event.metric);
      return { ...state, marks: withMark(state.marks, mark) };
    }
    case "judging":
      return { ...state, status: "judging", awaited: judging(event, line) };
    case "simulator-lost":
      return { ...state, status: "lost", awaited: undefined };
    case "failed":
      return { ...state, status: "failed", awaited: undefined };
    case "landed":
      return { ...state, status: "landed", awaited: undefined, summary: event };
    default:
      return state;
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
  const monitor = event.type === "monitor" ? printable(event.monitor, 40) : "";
  const message = printable(event.message);
  const advice = printable(event.advice);
  const known = advice === "" || message.includes(advice);
  return {
    type: monitor || printable(event.type),
    iteration: Number.isSafeInteger(event.iteration) ? event.iteration : (state.iteration ?? 0),
    time: finite(event.time) ?? state.now,
    message: known ? message : `${message} → ${advice}`,
    kind: printable(event.kind),
    level: levelOf(event),
  };
}

/** Of the events that have one: all others are neither good nor bad. */
function levelOf({ type, level, faults }: RunEvent): Level | undefined {
  if (type === "gradient-flow") return typeof faults === "number" && faults > 0 ? "alarm" : "info";
  if (type !== "monitor") return undefined;
  if (level === "alarm") return "alarm";
  return ["info", "note", "hint"].includes(level as string) ? "info" : "warn";
}

function started(state: ScreenState, event: RunEvent): ScreenState {
  const resumed = finite(event.resumed);
  const base = resumed === undefined ? state : resumedAt(state, Math.max(0, Math.floor(resumed)));
  const run = mergeRun(base.run, event);
  const { description } = run;
  const last = Math.max(0, description.stages.length - 1);
  const since = finite(event.time) ?? state.now;
  return {
    ...base,
    run,
    curves: description === state.run.description ? base.curves : redescribed(base, run),
    stage: run.course === "stages" ? base.stage : { ...base.stage, index: last },
    status: "waiting",
    awaited: { what: "the first iteration", since, episodes: undefined },
    summary: undefined,
  };
}

/** Checkpoints of iterations that are flown again are no longer where they were. */
function resumedAt(state: ScreenState, iteration: number): ScreenState {
  const { best, paths, ...cut } = rewind(state, iteration);
  const rest = { ...cut, iteration: iteration > 0 ? iteration - 1 : undefined };
  if (best === undefined || best.iteration > iteration)
    return { ...rest, best: undefined, paths: {} };
  return { ...rest, best, paths: paths.best === undefined ? {} : { best: paths.best } };
}

/** A run says what it is each time it is resumed; its curves stay where it says the same. */
function redescribed(base: ScreenState, { description }: ScreenState["run"]) {
  const names = ({ headline }: typeof description) =>
    JSON.stringify(headline.map(({ metric, against }) => [metric, against]));
  const same = names(base.run.description) === names(description);
  return same ? base.curves : noCurves(description);
}

function entered(state: ScreenState, iteration: number, stage: StagePlace): ScreenState {
  const before = state.stage.index;
  const here = { ...state, stage, stageAt: iteration };
  // Where a run begins there is nothing to mark.
  if (stage.index === before && state.iteration === undefined) return here;
  const sign = stage.index < before ? "▼" : "▲";
  return { ...here, marks: withMark(state.marks, { iteration, kind: "switch", sign }) };
}

function judging(event: RunEvent, { message, time }: HappenedLine) {
  return { what: message || "the students", since: time, episodes: finite(event.episodes) };
}

function checkpointed(state: ScreenState, { path, kind, iteration }: RunEvent): ScreenState {
  const where = printable(path, 4096) || undefined;
  if (kind !== "best") {
    return where === undefined ? state : { ...state, paths: { ...state.paths, last: where } };
  }
  const { result } = rolesOf(state.run.description);
  const figure = (name: string | undefined) =>
    name === undefined ? undefined : state.figures[name];
  return {
    ...state,
    best: {
      iteration: finite(iteration) ?? state.iteration ?? 0,
      result: figure(result?.metric),
      against: figure(result?.against),
    },
    paths: where === undefined ? state.paths : { ...state.paths, best: where },
  };
}

function requested(state: ScreenState, iteration: number, event: RunEvent): ScreenState {
  if (event.outcome !== "done" || typeof event.request !== "string") return state;
  const marked = { ...state, marks: withMark(state.marks, requestMark(iteration, event.request)) };
  if (event.request === "pause") return { ...marked, status: "paused" };
  if (event.request === "resume") return { ...marked, status: "flying" };
  return marked;
}
