/** The lines below the charts: where the time goes, what the simulator does, what happened. */
import type { Level } from "../state/marks.ts";
import type { HappenedLine, ScreenState } from "../state/screen-state.ts";
import { hasSimulator, healthOf, type TimePart, timeSplit } from "../state/times.ts";
import { age, count, duration, percent } from "./figures.ts";
import type { Layout } from "./layout.ts";
import { type Line, span, spread, type Tone, titled } from "./span.ts";

const timeSigns: Readonly<Record<TimePart, readonly [sign: string, short: string, tone: Tone]>> = {
  read: ["▓", "read", "teacher"],
  simulator: ["█", "sim", "teacher"],
  wire: ["▓", "wire", "quiet"],
  inference: ["▒", "infer", "quiet"],
  learning: ["░", "learn", "student"],
  other: ["─", "other", "quiet"],
};

/** @param screen share of the wall time that drawing took */
export function timeLines(state: ScreenState, screen: number, layout: Layout): readonly Line[] {
  const split = timeSplit(state);
  const tight = layout.columns < 80;
  const shown = (text: string) => [span(tight ? text.replace(" %", "%") : text)];
  const own: Line = shown(`screen ${percent(screen, 1)}`);
  const part = ({ name, share }: (typeof split)[number]): Line => {
    const [sign, short] = timeSigns[name];
    return shown(
      `${layout.timeBar ? `${sign} ` : ""}${layout.roomy ? name : short} ${percent(share)}`,
    );
  };
  const named = split.filter(({ name }) => name !== "other").map(part);
  const rest = split.filter(({ name }) => name === "other").map(part);
  const total = split.reduce((sum, { seconds }) => sum + seconds, 0);
  const words = titled("Time", [...named, own, ...rest], layout, tight ? " " : undefined);
  if (!layout.timeBar) return [words];
  const tail = split.length > 0 ? ` ${duration(total)} an iteration` : " no iteration yet";
  const head = layout.headWidth;
  return [
    words,
    [span(" ".repeat(head)), ...timeBar(split, layout.columns - head - tail.length), span(tail)],
  ];
}

function timeBar(split: ReturnType<typeof timeSplit>, width: number): Line {
  let [used, sum] = [0, 0];
  const spans = split.map(({ name, share }) => {
    sum += share;
    const upTo = Math.min(width, Math.round(sum * width));
    const [sign, , tone] = timeSigns[name];
    const text = sign.repeat(Math.max(0, upTo - used));
    used = Math.max(used, upTo);
    return span(text, tone);
  });
  return [...spans, span(" ".repeat(Math.max(0, width - used)))];
}

/** How the simulator does, or where there is none, how fast it learns from what was recorded. */
export function healthLine(state: ScreenState, layout: Layout): Line {
  return hasSimulator(state) ? simulatorLine(state, layout) : learnerLine(state, layout);
}

function simulatorLine(state: ScreenState, layout: Layout): Line {
  const { realTimeFactor, stepsPerSecond, p50, p99, silence } = healthOf(state);
  const steps = state.latest[`${state.run.description.room}/environment_steps`];
  const pieces: Line[] = [
    [span(`${layout.roomy ? "real time " : ""}×${count(realTimeFactor)}`)],
    [span(`step p50 ${duration(p50)} p99 ${duration(p99)}`)],
    [span(`${layout.roomy ? "last reply " : ""}${age(silence)} ago`)],
    [span(`${count(stepsPerSecond)} steps/s`)],
    [span(`${count(steps)} steps so far`)],
  ];
  if (silence === undefined || isOver(state)) pieces.splice(2, 1);
  return titled("Simulator", pieces, layout);
}

function learnerLine(state: ScreenState, layout: Layout): Line {
  const { updatesPerSecond, silence } = healthOf(state);
  const { dataset, updatesPerIteration } = state.run;
  const done = state.iteration === undefined ? undefined : state.iteration + 1;
  const counted = state.latest[`${state.run.description.room}/updates`];
  const updates = counted ?? (updatesPerIteration && done ? done * updatesPerIteration : undefined);
  const pieces: Line[] = [
    [span(`${count(updatesPerSecond)} updates/s`)],
    ...(updates === undefined ? [] : [[span(`${count(updates)} updates so far`)]]),
    ...(silence === undefined || isOver(state)
      ? []
      : [[span(`${layout.roomy ? "last iteration " : ""}${age(silence)} ago`)]]),
    ...(dataset === undefined ? [] : [[span(dataset)]]),
  ];
  return titled("Learner", pieces, layout);
}

function isOver({ status }: ScreenState): boolean {
  return ["judging", "landed", "quiet", "failed"].includes(status);
}

/** Paths in the run folder without it: the header names it. */
function shortened(message: string, { run }: ScreenState): string {
  return run.path === undefined ? message : message.replaceAll(`${run.path}/`, "");
}

export const levelTones: Readonly<Record<Level, Tone>> = {
  info: "quiet",
  warn: "teacher",
  alarm: "bad",
};

/** Never by its colour alone. */
const levelWords: Readonly<Record<Level, string>> = { info: "", warn: " !", alarm: " ‼" };

export function eventLines(state: ScreenState, layout: Layout): readonly Line[] {
  const latest = state.events.slice(-layout.events);
  const lines = latest.map((event) => eventLine(event, state, layout));
  const missing = layout.events - lines.length;
  return [...lines, ...Array.from({ length: missing }, (): Line => [])];
}

function eventLine(event: HappenedLine, state: ScreenState, { columns }: Layout): Line {
  const { type, iteration, time, level } = event;
  const bad = /lost|failed|error/.test(type) ? "bad" : undefined;
  const tone = level ? levelTones[level] : bad;
  const when = span(` ${age(state.now - time)} ago`, "quiet");
  const head = [
    span(`${String(iteration).padStart(7)}  `, "quiet"),
    span(`${type}${level ? levelWords[level] : ""}`, level ? tone : "strong"),
  ];
  const room = columns - head.reduce((sum, { text }) => sum + text.length, 2) - when.text.length;
  const message = wholePaths(shortened(event.message, state), room - 1);
  return spread([...head, span(message === "" ? "" : `  ${message}`, tone)], [when], columns);
}

/** Half a path is no path: one that doesn't fit is left out with all behind it. */
function wholePaths(message: string, columns: number): string {
  if (message.length <= columns) return message;
  const from = message.lastIndexOf(" ", columns - 1) + 1;
  const word = message.slice(from).split(" ", 1)[0]!;
  return word.includes("/") ? `${message.slice(0, from)}…` : message;
}
