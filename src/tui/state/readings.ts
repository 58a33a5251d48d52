/** What can be read off the state of a run: the figures the views show. Times in seconds. */
import { type Awaited, rolesOf, type ScreenState } from "./screen-state.ts";
import { secondsPerIteration, stepSeconds } from "./times.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface Progress {
  /** Whole iterations. */
  readonly done: number;
  readonly total: number | undefined;
  /** Of all iterations, 0 to 1. */
  readonly share: number | undefined;
  /** Where on the bar a stage follows another. */
  readonly changes: readonly number[];
  /** With the judging at the end, where it is known how long that takes. */
  readonly remaining: number | undefined;
}

export function progressOf(state: ScreenState): Progress {
  const { maxIterations: total, finalEpisodes } = state.run;
  const done = iterationsDone(state);
  const pace = secondsPerIteration(state);
  const left = total === undefined ? undefined : Math.max(0, total - done);
  const judging = finalEpisodes ? (judgingSeconds(state, finalEpisodes) ?? 0) : 0;
  return {
    done,
    total,
    share: total === undefined ? undefined : Math.min(1, done / total),
    changes: total === undefined ? [] : changesOf(state).map((at) => Math.min(1, at / total)),
    remaining: left !== undefined && pace !== undefined ? left * pace + judging : undefined,
  };
}

function iterationsDone({ iteration }: ScreenState): number {
  return iteration === undefined ? 0 : iteration + 1;
}

/** Where stages began, and where the next one will. Of two stages, the change between them is all there is to say. */
function changesOf(state: ScreenState): readonly number[] {
  const next = switchAt(state);
  const here = next === undefined ? [] : [next];
  if (state.run.description.stages.length <= 2) return here;
  const passed = state.marks.flatMap(({ sign, iteration }) => (sign === "▲" ? [iteration] : []));
  return [...new Set([...passed, ...here])].sort((a, b) => a - b);
}

/** Whether no stage follows the present one. */
export function atLastStage({ run, stage }: ScreenState): boolean {
  return run.course !== "stages" || stage.index >= run.description.stages.length - 1;
}

/** What people call a stage of the run; its number where nobody says. */
export function stageLabel({ run, stage }: ScreenState, index = stage.index): string {
  const name = index === stage.index ? stage.name : undefined;
  const labels = run.description.stages;
  const found = labels.find((one) => one.name === name) ?? labels[index];
  return found?.label ?? name ?? `phase ${index + 1}`;
}

/**
 * The first iteration of the next stage, or of the last one once it is reached: as it happened, else as the
 * flight or its settings plan it.
 */
export function switchAt(state: ScreenState): number | undefined {
  const { run, marks, stage, stageAt, iteration } = state;
  if (atLastStage(state)) {
    return marks.findLast(({ sign }) => sign === "▲")?.iteration ?? plannedSwitch(run);
  }
  const known = iteration !== undefined || stage.name !== undefined;
  if (!known || !((stage.length ?? 0) > 0)) return plannedSwitch(run);
  // A guard that took the controls back gives phase 1 another length.
  return stageAt - (stage.iteration ?? 0) + (stage.length ?? 0);
}

function plannedSwitch({ course, phase1Iterations }: ScreenState["run"]): number | undefined {
  return course === "stages" && phase1Iterations ? phase1Iterations : undefined;
}

/** Share of the episodes that the teacher flies, where a schedule says so; undefined in a run of stages. */
export function mixtureOf({ latest, run }: ScreenState): number | undefined {
  const share = latest[`${run.description.room}/teacher_share`];
  if (share === undefined) return undefined;
  return run.course === "mixture" || (share > 0 && share < 1) ? share : undefined;
}

export interface Gate {
  /** Iterations until the plan goes on; undefined where it has no date. */
  readonly iterations: number | undefined;
  readonly seconds: number | undefined;
  /** Share of the teacher's return asked for, and reached. */
  readonly wanted: number | undefined;
  readonly reached: number | undefined;
}

/** What stands between here and the next stage; undefined in the last. */
export function gateOf(state: ScreenState): Gate | undefined {
  if (atLastStage(state)) return undefined;
  const at = switchAt(state);
  const left = at === undefined ? undefined : Math.max(0, at - iterationsDone(state));
  const pace = secondsPerIteration(state);
  return {
    iterations: left,
    seconds: left !== undefined && pace !== undefined ? left * pace : undefined,
    wanted: state.run.gate,
    reached: studentOf(state).ratio,
  };
}

export interface StudentReading {
  /** The figure that says how well it flies, and what it is measured against. */
  readonly result: number | undefined;
  readonly against: number | undefined;
  /** Of what it is measured against; undefined where a figure below zero makes a share say nothing. */
  readonly ratio: number | undefined;
  /** The headline beside it, e.g. the loss. */
  readonly other: number | undefined;
  readonly verdict: Verdict;
}

export function studentOf(state: ScreenState): StudentReading {
  const { run, figures, evaluated, losses } = state;
  const roles = rolesOf(run.description);
  const figure = (name: string | undefined) => (name === undefined ? undefined : figures[name]);
  const [result, against] = [figure(roles.result?.metric), figure(roles.result?.against)];
  const change = state.marks.findLast(({ kind }) => kind === "switch");
  const verdict = judge({
    evaluated,
    losses,
    compared: roles.result?.against !== undefined,
    since: change?.sign === "▲" ? change.iteration : undefined,
  });
  const other = figure(roles.other?.metric);
  return { result, against, ratio: ratioOf(result, against), other, verdict };
}

/** Undefined where a share says nothing. */
export function ratioOf(
  result: number | undefined,
  against: number | undefined,
): number | undefined {
  const known = result !== undefined && against !== undefined;
  return known && against > 0 && result >= 0 ? result / against : undefined;
}

export interface Waiting extends Pick<Awaited, "what"> {
  /** Seconds so far, and how many it takes in all, where that is known. */
  readonly elapsed: number;
  readonly about: number | undefined;
}

/** What nothing is seen of until it is over. */
export function waitingOf(state: ScreenState): Waiting | undefined {
  const { awaited, now, status } = state;
  if (awaited === undefined || (status !== "waiting" && status !== "judging")) return undefined;
  const { what, since, episodes } = awaited;
  const about = episodes === undefined ? undefined : judgingSeconds(state, episodes);
  return { what, elapsed: Math.max(0, now - since), about };
}

/**
 * Two pilots share the fleet and give so many whole episodes each, after the ones that a reset began; their steps
 * take as long as those of an iteration.
 */
function judgingSeconds(state: ScreenState, episodes: number): number | undefined {
  const { run, latest } = state;
  const [length, step] = [latest["Train/mean_episode_length"], stepSeconds(state)];
  const half = Math.floor((run.numEnvs ?? 0) / 2);
  if (half < 1 || step === undefined || length === undefined || !(length > 0)) return undefined;
  return (Math.ceil(episodes / half) + 1) * length * step;
}
