/** The lines above the charts, each from the state alone. */
import { clock } from "../../metrics/console/plain-text.ts";
import {
  atLastStage,
  gateOf,
  mixtureOf,
  progressOf,
  stageLabel,
  studentOf,
  switchAt,
  waitingOf,
} from "../state/readings.ts";
import { rolesOf, type ScreenState, type Status } from "../state/screen-state.ts";
import type { Verdict } from "../state/verdict.ts";
import { age, comparison, duration, figure, percent } from "./figures.ts";
import type { Layout } from "./layout.ts";
import { curveNames, worded } from "./names.ts";
import { joined, type Line, type Span, span, spread, type Tone, titled, widthOf } from "./span.ts";

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
  settling: span("… settling after the change", "quiet"),
  diverging: span("▼ diverging", "bad"),
  "too early to say": span("… too early to say", "quiet"),
};

export function headerLine(state: ScreenState, { columns }: Layout): Line {
  const { task, numEnvs, seed, path, simulator, engine, dataset, description } = state.run;
  const about = [
    task,
    state.run.handsOver ? undefined : description.algorithm,
    numEnvs === undefined ? undefined : `${numEnvs} envs`,
    seed === undefined ? undefined : `seed ${seed}`,
    path?.replace(/\/+$/, "").split("/").at(-1),
    engine,
    simulator,
    dataset,
  ].filter((piece) => piece !== undefined);
  const seconds = state.latest[`${description.room}/seconds`];
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
  const { done, total, share, changes, remaining } = progressOf(state);
  const head = [...stageSpans(state, layout), span(" ")];
  const of = total === undefined ? "" : `/${total}`;
  const eta = ["judging", "landed"].includes(state.status)
    ? ""
    : ` ETA ${clock(remaining ?? Number.NaN)}`;
  const part = share === undefined || layout.columns < 80 ? "" : ` ${percent(share)}`;
  const tail = span(` ${done}${of}${part}${eta}`);
  const room = layout.columns - widthOf(head) - tail.text.length;
  const before = state.run.handsOver ? "teacher" : "student";
  return [...head, ...bar({ share: share ?? 0, changes, before }, Math.max(0, room)), tail];
}

/** A run of a single stage that hands nothing over has only its iterations to count. */
function stageSpans(state: ScreenState, layout: Layout): Line {
  const { course, handsOver, description } = state.run;
  const title = (text: string) => span(text.padEnd(layout.headWidth), "quiet");
  if (course === "single" && !handsOver) return [title("Progress"), span(description.algorithm)];
  const of = Math.max(state.stage.index + 1, description.stages.length);
  const number = course === "stages" ? `${state.stage.index + 1}/${of} ` : "";
  const share = mixtureOf(state);
  if (share !== undefined) {
    return [title("Phase"), span(number), span(`teacher flies ${percent(share)}`)];
  }
  const tone = atLastStage(state) ? "student" : "teacher";
  const label = stageLabel(state);
  return [title("Phase"), span(number), handsOver ? span(label, tone) : span(label)];
}

interface Bar {
  readonly share: number;
  readonly changes: readonly number[];
  /** Tone of what is before the first change. */
  readonly before: Tone;
}

/** The part flown, the part to come, and the places where a stage follows another. */
function bar({ share, changes, before }: Bar, width: number): Line {
  const filled = Math.round(share * width);
  const cells = Array.from({ length: width }, (_, i) => (i < filled ? "█" : "░"));
  const places = changes
    .filter((change) => change < 1)
    .map((change) => Math.round(change * width))
    .filter((at, i, all) => at >= 0 && at < width && all.indexOf(at) === i);
  const spans: Span[] = [];
  let from = 0;
  for (const at of places) {
    const tone = from === 0 ? before : "student";
    spans.push(span(cells.slice(from, at).join(""), tone), span("┃", "strong"));
    from = at + 1;
  }
  return [...spans, span(cells.slice(from).join(""), "student")];
}

/** What the run waits for, else what stands between here and the next stage; none where there is neither. */
export function gateLines(state: ScreenState, layout: Layout): readonly Line[] {
  const waiting = waitingOf(state);
  if (waiting) {
    const title = state.status === "judging" ? "Judging" : "Waiting";
    const about = waiting.about === undefined ? "" : ` of about ${duration(waiting.about)}`;
    const what = state.status === "judging" ? waiting.what : `for ${waiting.what}`;
    return [titled(title, [[span(what)], [span(`${age(waiting.elapsed)}${about}`)]], layout)];
  }
  const { course, handsOver } = state.run;
  if (course === "single" && !handsOver) return [];
  return [titled(handsOver ? "Gate" : "Next", gatePieces(state), layout)];
}

function gatePieces(state: ScreenState): readonly Line[] {
  const gate = gateOf(state);
  const share = mixtureOf(state);
  if (!gate) {
    if (share !== undefined) {
      return [[span(`the student flies ${percent(1 - share)} of the episodes`)]];
    }
    const at = state.run.course === "stages" ? switchAt(state) : undefined;
    const since = at === undefined ? "from the start" : `since iteration ${at}`;
    const what = state.run.handsOver ? "the student has the controls" : "the last phase";
    return [[span(`✓ ${what} ${since}`)]];
  }
  const { iterations, seconds, wanted, reached } = gate;
  const next = state.run.handsOver
    ? `phase ${state.stage.index + 2}`
    : stageLabel(state, state.stage.index + 1);
  const pieces: Line[] = [];
  if (iterations !== undefined) {
    const about = seconds === undefined ? "" : `, about ${duration(seconds)}`;
    pieces.push([
      span(`${next} in ${iterations} ${iterations === 1 ? "iteration" : "iterations"}${about}`),
    ]);
  }
  if (wanted !== undefined) {
    const sign = reached !== undefined && reached >= wanted ? "✓" : "✗";
    const asked = `${percent(wanted)} asked for`;
    // Below zero there is no share to set beside the one asked for; the line of the student says how far it is.
    const known = reached !== undefined || studentOf(state).result === undefined;
    pieces.push([span(known ? `${sign} student ${percent(reached)} of ${asked}` : `✗ ${asked}`)]);
  }
  return pieces.length > 0 ? pieces : [[span(`${next} when asked for`)]];
}

export function studentLine(state: ScreenState, layout: Layout): Line {
  const { result, against, other, verdict } = studentOf(state);
  const roles = rolesOf(state.run.description);
  const compared = roles.result?.against !== undefined;
  const returns: Line = [
    span(figure(result), "student"),
    span(" against "),
    span(figure(against), "teacher"),
  ];
  const reward = state.latest["Train/mean_reward"];
  const pieces: readonly (Line | undefined)[] = [
    roles.result && resultPiece(state),
    [verdictSigns[verdict]],
    roles.other && [span(`${worded(roles.other.label)} ${figure(other)}`)],
    compared && (result ?? against) !== undefined ? returns : undefined,
    reward === undefined ? undefined : [span(`reward ${figure(reward)}`)],
  ];
  return titled(
    "Student",
    pieces.filter((piece) => piece !== undefined),
    layout,
  );
}

/** As a share of its teacher's, as the distance from it, or as it is where there is no teacher. */
function resultPiece(state: ScreenState): Line {
  const { result, against, ratio } = studentOf(state);
  const headline = rolesOf(state.run.description).result;
  if (result === undefined) return [span("not evaluated yet")];
  if (headline?.against === undefined) {
    return [span(`${worded(headline?.label ?? "result")} `), span(figure(result), "strong")];
  }
  const [, measure] = curveNames(headline);
  if (ratio !== undefined) return [span(percent(ratio, 1), "strong"), span(` of ${measure}`)];
  if (against === undefined) return [span(`beside its ${measure}`)];
  return [span(comparison(result, against, measure), "strong")];
}
