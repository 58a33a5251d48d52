/** The lines above and below the charts, each from the state alone. */
import { clock } from "../../metrics/console/plain-text.ts";
import {
  gateOf,
  healthOf,
  mixtureOf,
  progressOf,
  studentOf,
  switchAt,
  timeSplit,
} from "../state/readings.ts";
import type { Verdict } from "../state/verdict.ts";
import type { ScreenState, Status } from "../state/view-model.ts";
import { age, count, duration, figure, percent } from "./figures.ts";
import type { Layout } from "./layout.ts";
import { joined, type Line, type Span, span, spread, type Tone, widthOf } from "./span.ts";

const statusSigns: Readonly<Record<Status, Span>> = {
  waiting: span("○ waiting", "teacher"),
  flying: span("● flying", "good"),
  paused: span("‖ paused", "teacher"),
  judging: span("● judging", "good"),
  lost: span("✗ simulator lost", "bad"),
  failed: span("✗ failed", "bad"),
  landed: span("✓ landed", "good"),
  quiet: span("○ not in progress", "quiet"),
};

const verdictSigns: Readonly<Record<Verdict, Span>> = {
  improving: span("▲ improving", "good"),
  plateau: span("● plateau"),
  diverging: span("▼ diverging", "bad"),
  "too early to say": span("… too early to say", "quiet"),
};

function headWidth({ roomy }: Layout): number {
  return roomy ? 11 : 10;
}

function titled(
  title: string,
  pieces: readonly Line[],
  layout: Layout,
  separator = layout.roomy ? "  ·  " : " · ",
): Line {
  const head = span(title.padEnd(headWidth(layout)), "quiet");
  const room = layout.columns - head.text.length;
  return [head, ...joined(pieces, separator, room)];
}

export function headerLine(state: ScreenState, { columns }: Layout): Line {
  const { task, numEnvs, seed, path, simulator, engine } = state.run;
  const about = [
    task,
    numEnvs === undefined ? undefined : `${numEnvs} envs`,
    seed === undefined ? undefined : `seed ${seed}`,
    path?.replace(/\/+$/, "").split("/").at(-1),
    engine,
    simulator,
  ].filter((piece) => piece !== undefined);
  const seconds = state.latest["Distillation/seconds"];
  const right = [
    statusSigns[state.status],
    span(` ${seconds === undefined ? "" : clock(seconds)}`),
  ];
  const room = columns - widthOf(right) - 1;
  const left = joined(
    [[span("firstsolo", "strong")], ...about.map((text) => [span(text)])],
    " · ",
    room,
  );
  return spread(left, right, columns);
}

export function progressLine(state: ScreenState, layout: Layout): Line {
  const { done, total, share, handOver, remaining } = progressOf(state);
  const pilot = pilotOf(state);
  const phase = state.run.twoStages ? `${state.phase}/2 ` : "";
  const head = [span("Phase".padEnd(headWidth(layout)), "quiet"), span(phase), pilot, span(" ")];
  const of = total === undefined ? "" : `/${total}`;
  const eta = ["judging", "landed"].includes(state.status)
    ? ""
    : ` ETA ${clock(remaining ?? Number.NaN)}`;
  const part = share === undefined || layout.columns < 80 ? "" : ` ${percent(share)}`;
  const tail = span(` ${done}${of}${part}${eta}`);
  const room = layout.columns - widthOf(head) - tail.text.length;
  return [...head, ...bar(share ?? 0, handOver, Math.max(0, room)), tail];
}

function pilotOf(state: ScreenState): Span {
  const share = mixtureOf(state);
  if (share !== undefined) return span(`teacher flies ${percent(share)}`);
  return state.phase === 1 ? span("teacher flies", "teacher") : span("student flies", "student");
}

/** The part flown, the part to come, and between them the place where the controls change hands. */
function bar(share: number, handOver: number | undefined, width: number): Line {
  const filled = Math.round(share * width);
  const cells = Array.from({ length: width }, (_, i) => (i < filled ? "█" : "░"));
  const at = handOver === undefined || handOver >= 1 ? -1 : Math.round(handOver * width);
  const stretch = (from: number, to: number, tone: Tone) =>
    span(cells.slice(from, to).join(""), tone);
  if (at < 0 || at >= width) return [stretch(0, width, "student")];
  return [stretch(0, at, "teacher"), span("┃", "strong"), stretch(at + 1, width, "student")];
}

export function gateLine(state: ScreenState, layout: Layout): Line {
  const gate = gateOf(state);
  const share = mixtureOf(state);
  if (share !== undefined && !gate) {
    return titled(
      "Gate",
      [[span(`the student flies ${percent(1 - share)} of the episodes`)]],
      layout,
    );
  }
  if (!gate) {
    const at = state.run.twoStages ? switchAt(state) : undefined;
    const since = at === undefined ? "from the start" : `since iteration ${at}`;
    return titled("Gate", [[span(`✓ the student has the controls ${since}`)]], layout);
  }
  const { iterations, seconds, wanted, reached } = gate;
  const pieces: Line[] = [];
  if (iterations !== undefined) {
    const about = seconds === undefined ? "" : `, about ${duration(seconds)}`;
    pieces.push([
      span(`phase 2 in ${iterations} ${iterations === 1 ? "iteration" : "iterations"}${about}`),
    ]);
  }
  if (wanted !== undefined) {
    const sign = reached !== undefined && reached >= wanted ? "✓" : "✗";
    pieces.push([span(`${sign} student ${percent(reached)} of ${percent(wanted)} asked for`)]);
  }
  return titled("Gate", pieces.length > 0 ? pieces : [[span("phase 2 when asked for")]], layout);
}

export function studentLine(state: ScreenState, layout: Layout): Line {
  const { student, teacher, ratio, loss, verdict } = studentOf(state);
  const share: Line =
    ratio !== undefined
      ? [span(percent(ratio, 1), "strong"), span(" of teacher")]
      : [span(student === undefined ? "not evaluated yet" : "beside its teacher")];
  const returns: Line = [
    span(figure(student), "student"),
    span(" against "),
    span(figure(teacher), "teacher"),
  ];
  const rest: Line[] = student === undefined && teacher === undefined ? [] : [returns];
  const reward = state.latest["Train/mean_reward"];
  const extra: Line[] = reward === undefined ? [] : [[span(`reward ${figure(reward)}`)]];
  const losses: Line[] = [[span(`loss ${figure(loss)}`)]];
  return titled("Student", [share, [verdictSigns[verdict]], ...losses, ...rest, ...extra], layout);
}

const timeSigns = {
  simulator: ["█", "sim"],
  wire: ["▓", "wire"],
  inference: ["▒", "infer"],
  learning: ["░", "learn"],
  other: ["─", "other"],
} as const;

/** @param screen share of the wall time that drawing took */
export function timeLines(state: ScreenState, screen: number, layout: Layout): readonly Line[] {
  const split = timeSplit(state);
  const tight = layout.columns < 80;
  const shown = (text: string) => [span(tight ? text.replace(" %", "%") : text)];
  const own: Line = shown(`screen ${percent(screen, 1)}`);
  const parts = split.map(({ name, share }): Line => {
    const [sign, short] = timeSigns[name];
    return shown(
      `${layout.timeBar ? `${sign} ` : ""}${layout.roomy ? name : short} ${percent(share)}`,
    );
  });
  const total = split.reduce((sum, { seconds }) => sum + seconds, 0);
  const pieces = [...parts.slice(0, 4), own, ...parts.slice(4)];
  const words = titled("Time", pieces, layout, tight ? " " : undefined);
  if (!layout.timeBar) return [words];
  const tail = split.length > 0 ? ` ${duration(total)} an iteration` : " no iteration yet";
  const head = headWidth(layout);
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
    const text = timeSigns[name][0].repeat(Math.max(0, upTo - used));
    used = Math.max(used, upTo);
    return span(text, name === "learning" ? "student" : name === "simulator" ? "teacher" : "quiet");
  });
  return [...spans, span(" ".repeat(Math.max(0, width - used)))];
}

export function healthLine(state: ScreenState, layout: Layout): Line {
  const { realTimeFactor, stepsPerSecond, p50, p99, silence } = healthOf(state);
  const pieces: Line[] = [
    [span(`${layout.roomy ? "real time " : ""}×${count(realTimeFactor)}`)],
    [span(`step p50 ${duration(p50)} p99 ${duration(p99)}`)],
    [span(`${layout.roomy ? "last reply " : ""}${age(silence)} ago`)],
    [span(`${count(stepsPerSecond)} steps/s`)],
    [span(`${count(state.latest["Distillation/environment_steps"])} steps so far`)],
  ];
  const over = ["judging", "landed", "quiet", "failed"].includes(state.status);
  if (silence === undefined || over) pieces.splice(2, 1);
  return titled("Simulator", pieces, layout);
}

/** Paths in the run folder without it: the header names it. */
function shortened(message: string, { run }: ScreenState): string {
  return run.path === undefined ? message : message.replaceAll(`${run.path}/`, "");
}

export function eventLines(state: ScreenState, layout: Layout): readonly Line[] {
  const latest = state.events.slice(-layout.events);
  const lines = latest.map(({ type, iteration, time, message }): Line => {
    const tone: Tone | undefined = /lost|failed|error/.test(type) ? "bad" : undefined;
    const left: Line = [
      span(`${String(iteration).padStart(7)}  `, "quiet"),
      span(type, "strong"),
      span(message === "" ? "" : `  ${shortened(message, state)}`, tone),
    ];
    return spread(left, [span(` ${age(state.now - time)} ago`, "quiet")], layout.columns);
  });
  const missing = layout.events - lines.length;
  return [...lines, ...Array.from({ length: missing }, (): Line => [])];
}
