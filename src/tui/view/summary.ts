import { clock } from "../../metrics/console/plain-text.ts";
import { studentOf } from "../state/readings.ts";
import type { ScreenState } from "../state/view-model.ts";
import { count, figure, percent } from "./figures.ts";

export interface SummaryOptions {
  /** The run folder, and whether it holds a W&B run; unknown to the screen itself. */
  readonly wandbFolder?: string | undefined;
  /** Paths in it are given from there. */
  readonly cwd?: string;
  /** The run may well go on after this. */
  readonly watching?: boolean;
}

/** What stays on the terminal when the screen is gone: how it went, where it is, how to go on. */
export function summaryText(state: ScreenState, options: SummaryOptions = {}): string {
  const { run, iteration, latest, best, paths } = state;
  const { wandbFolder, watching = false } = options;
  const done = iteration === undefined ? 0 : iteration + 1;
  const of = run.maxIterations === undefined ? "" : ` of ${run.maxIterations}`;
  const seconds = latest["Distillation/seconds"] ?? Number.NaN;
  const steps = count(latest["Distillation/environment_steps"]);
  const near = (path: string | undefined) => fromHere(path, options.cwd);
  const path = near(run.path);
  const over = !watching || !["waiting", "flying", "paused", "judging"].includes(state.status);
  const unfinished = over && (run.maxIterations === undefined || done < run.maxIterations);
  const lines = [
    `${endWord(state, over)} after ${done}${of} iterations, ${clock(seconds)}, ${steps} environment steps`,
    `Student  ${studentWords(state)}`,
    ...(best ? [`Best     ${percent(best.ratio, 1)} at iteration ${best.iteration}`] : []),
    ...(paths.best === undefined ? [] : [`         ${near(paths.best)}`]),
    ...(paths.last === undefined ? [] : [`Last     ${near(paths.last)}`]),
    ...(path === undefined ? [] : [`Run      ${path}`]),
    ...(path === undefined || !unfinished
      ? []
      : [`Go on    firstsolo train --resume ${quoted(path)}`]),
    ...(wandbFolder === undefined
      ? []
      : [`W&B      wandb sync ${quoted(near(wandbFolder) ?? "")}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function endWord({ status, summary }: ScreenState, over: boolean): string {
  if (!over) return status === "paused" ? "‖ paused" : "● in progress";
  if (status === "lost") return "✗ simulator lost";
  if (status === "failed") return "✗ failed";
  return status === "landed" && summary?.finished !== false ? "✓ landed" : "● stopped";
}

/** The final evaluation where there was one, else the figures in flight. */
function studentWords(state: ScreenState): string {
  const final = state.summary ?? {};
  const [student, teacher] = [final.student_return, final.teacher_return];
  if (typeof student === "number" && typeof teacher === "number") {
    const share = teacher > 0 ? `, ${percent(student / teacher, 1)} of its teacher` : "";
    const episodes = typeof final.episodes === "number" ? ` over ${final.episodes} episodes` : "";
    return `return ${figure(student)} against ${figure(teacher)}${share}${episodes}`;
  }
  const reading = studentOf(state);
  if (reading.student === undefined) return "was not evaluated";
  const share = reading.ratio === undefined ? "" : `, ${percent(reading.ratio, 1)} of its teacher`;
  return `return ${figure(reading.student)} against ${figure(reading.teacher)}${share}, in flight`;
}

function fromHere(path: string | undefined, cwd: string | undefined): string | undefined {
  return cwd !== undefined && path?.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
