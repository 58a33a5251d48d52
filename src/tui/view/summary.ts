import { clock } from "../../metrics/console/plain-text.ts";
import { ratioOf, studentOf } from "../state/readings.ts";
import { rolesOf, type ScreenState } from "../state/screen-state.ts";
import { comparison, count, figure, percent } from "./figures.ts";
import { curveNames, worded } from "./names.ts";

export interface SummaryOptions {
  /** The run folder, and whether it holds a W&B run; unknown to the screen itself. */
  readonly wandbFolder?: string | undefined;
  /** Paths in it are given from there. */
  readonly cwd?: string;
  /** The run may well go on after this. */
  readonly watching?: boolean;
  /** What a person types to run this program. Default: firstsolo */
  readonly command?: string;
}

/** What stays on the terminal when the screen is gone: how it went, where it is, how to go on. */
export function summaryText(state: ScreenState, options: SummaryOptions = {}): string {
  const { run, iteration, paths } = state;
  const { wandbFolder, watching = false } = options;
  const done = iteration === undefined ? 0 : iteration + 1;
  const of = run.maxIterations === undefined ? "" : ` of ${run.maxIterations}`;
  const near = (path: string | undefined) => fromHere(path, options.cwd);
  const path = near(run.path);
  const over = !watching || !["waiting", "flying", "paused", "judging"].includes(state.status);
  const lines = [
    `${endWord(state, over)} after ${[`${done}${of} iterations`, ...counters(state)].join(", ")}`,
    `Student  ${studentWords(state)}`,
    ...bestWords(state),
    ...(paths.best === undefined ? [] : [`         ${near(paths.best)}`]),
    ...(paths.last === undefined ? [] : [`Last     ${near(paths.last)}`]),
    ...(path === undefined ? [] : [`Run      ${path}`]),
    ...(path === undefined || !over ? [] : nextCommands(state, quoted(path), options)),
    ...(wandbFolder === undefined
      ? []
      : [`W&B      wandb sync ${quoted(near(wandbFolder) ?? "")}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function counters({ latest, run }: ScreenState): readonly string[] {
  const { room } = run.description;
  const seconds = latest[`${room}/seconds`] ?? Number.NaN;
  const steps = latest[`${room}/environment_steps`];
  const offline = steps === undefined && run.dataset !== undefined;
  return [clock(seconds), ...(offline ? [] : [`${count(steps)} environment steps`])];
}

/** A run that is over can be gone on with, or used. */
function nextCommands(
  { run, iteration, paths }: ScreenState,
  path: string,
  { command = "firstsolo" }: SummaryOptions,
): readonly string[] {
  const done = iteration === undefined ? 0 : iteration + 1;
  const unfinished = run.maxIterations === undefined || done < run.maxIterations;
  const saved = paths.best !== undefined || paths.last !== undefined;
  return [
    ...(unfinished ? [`Go on    ${command} train --resume ${path}`] : []),
    ...(saved ? [`Judge    ${command} eval ${path}`] : []),
    ...(saved && run.description.exports !== false ? [`Export   ${command} export ${path}`] : []),
  ];
}

function endWord({ status, summary }: ScreenState, over: boolean): string {
  if (!over) return status === "paused" ? "‖ paused" : "● in progress";
  if (status === "lost") return "✗ simulator lost";
  if (status === "failed") return "✗ failed";
  return status === "landed" && summary?.finished !== false ? "✓ landed" : "● stopped";
}

interface Figures {
  readonly result: number | undefined;
  readonly against: number | undefined;
}

/** Of the final evaluation; undefined where there was none. A flight that was stopped has figures in flight alone. */
function judged({ summary }: ScreenState): (Figures & { readonly episodes: string }) | undefined {
  if (summary === undefined || summary.finished === false) return undefined;
  const known = (value: unknown) =>
    typeof value === "number" && Number.isFinite(value) ? value : undefined;
  const result = known(summary.student_return);
  if (result === undefined) return undefined;
  const episodes = typeof summary.episodes === "number" ? ` over ${summary.episodes} episodes` : "";
  return { result, against: known(summary.teacher_return), episodes };
}

/** The one truth about the student: the final evaluation where there was one, else the figures in flight. */
function studentWords(state: ScreenState): string {
  const final = judged(state);
  if (final) return `${measured(state, final)}${final.episodes}`;
  const reading = studentOf(state);
  if (reading.result === undefined) return "was not evaluated";
  return `${measured(state, reading)}, in flight`;
}

function measured(state: ScreenState, { result, against }: Figures): string {
  const headline = rolesOf(state.run.description).result;
  const label = worded(headline?.label ?? "return");
  if (against === undefined || headline === undefined) return `${label} ${figure(result)}`;
  return `${label} ${figure(result)} against ${figure(against)}, ${shareOf(state, { result, against })}`;
}

/** `98.8 % of its teacher`, or how far from it where a share says nothing. */
function shareOf({ run }: ScreenState, { result, against }: Figures): string {
  const headline = rolesOf(run.description).result;
  if (result === undefined || against === undefined || headline === undefined) {
    return figure(result);
  }
  const [, whose] = curveNames(headline);
  const ratio = ratioOf(result, against);
  return ratio === undefined
    ? comparison(result, against, whose)
    : `${percent(ratio, 1)} of its ${whose}`;
}

/** Which student that is, with its figure in flight beside the one that counts. */
function bestWords(state: ScreenState): readonly string[] {
  const { best } = state;
  if (!best) return [];
  const figures = (of: Figures) => shareOf(state, of).replace(/ of its .*/, "");
  const final = judged(state);
  const inFlight = best.result === undefined ? [] : [`${figures(best)} in flight`];
  const words = final ? [`${figures(final)} when judged`, ...inFlight] : inFlight;
  return [`Best     ${[`iteration ${best.iteration}`, ...words].join(", ")}`];
}

function fromHere(path: string | undefined, cwd: string | undefined): string | undefined {
  return cwd !== undefined && path?.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
