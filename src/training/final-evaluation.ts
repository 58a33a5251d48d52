import { readFile } from "node:fs/promises";
import { studentVsTeacher } from "../running/compare.ts";
import type { Evaluation } from "../running/evaluate.ts";
import type { Progress } from "../running/train-loop.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { FlightDeck } from "./assemble.ts";
import { compareStudents, evaluateRun } from "./evaluate-run.ts";
import { type Conducted, report } from "./run-context.ts";

/** Episodes in which the best student in flight and the last one are compared. */
const selectionEpisodes = 100;

/** A whole flight is judged by its best student; one that was stopped tells how far it came. */
export async function land(flight: Conducted, progress: Progress): Promise<void> {
  const { deck, run } = flight;
  const judged = await judge(flight, progress);
  const whole = judged !== undefined;
  const counters = {
    iterations: progress.iteration,
    environment_steps: progress.environmentSteps,
    seconds: progress.seconds,
    best_student_vs_teacher_in_flight: progress.best,
    phase: deck.cockpit.trainingPhaseInfo(progress.iteration).phase,
    finished: whole,
  };
  const evaluation: Verdict = judged ?? inFlight(deck);
  await run.saveSummary({ ...evaluation, ...counters });
  report(flight, "landed", landingText(run, evaluation, whole), { ...evaluation, ...counters });
}

/** Absent where the flight was stopped before its end, the evaluation being part of it. */
async function judge(flight: Conducted, progress: Progress): Promise<Verdict | undefined> {
  const { config, deck, run, signals } = flight;
  if (progress.iteration < config.max_iterations || signals.interrupted) return undefined;
  const { final_episodes: episodes } = config.evaluation;
  const [best, last] = [await run.bestCheckpoint(), await run.latestCheckpoint()];
  const checkpoint = best ?? last;
  if (episodes === 0 || checkpoint === undefined) return inFlight(deck);
  const options = { env: deck.env, episodes, seed: config.seed, stop: signals.stop };
  try {
    if (best !== undefined && last !== undefined) await chooseBest(flight, { best, last });
    const who = `the ${checkpoint === best ? "best" : "last"} student and its teacher`;
    announce(flight, who, episodes);
    return await evaluateRun(checkpoint, options);
  } catch (error) {
    if (signals.interrupted) return undefined;
    throw error;
  }
}

/** Paths of their checkpoints. */
interface Students {
  readonly best: string;
  readonly last: string;
}

/**
 * Which student is the best is decided in flight by a few check rows, whose mean is late and, being the
 * highest of many, flattering. At the end the last one may challenge it, over episodes of their own.
 */
async function chooseBest(flight: Conducted, { best, last }: Students): Promise<void> {
  const { config, deck, run, signals } = flight;
  const challenger = await readFile(last);
  if (challenger.equals(await readFile(best))) return;
  const episodes = Math.min(selectionEpisodes, config.evaluation.final_episodes);
  announce(flight, "the best student so far and the last one", episodes);
  const options = { env: deck.env, episodes, seed: config.seed, stop: signals.stop };
  const [held, challenged] = await compareStudents([best, last], options);
  if (!(challenged > held)) return;
  const path = await run.saveCheckpoint("best_model.pt", challenger);
  const returns = `${challenged.toFixed(2)} against ${held.toFixed(2)} over ${episodes} episodes`;
  const message = `best: ${path}, the last student now: ${returns}`;
  report(flight, "checkpoint", message, { path, kind: "best" });
  flight.sinks.file(path);
}

/** Nothing else is heard of a flight while it is judged, for as long as its episodes take. */
function announce(flight: Conducted, who: string, episodes: number): void {
  report(flight, "judging", `${who}, over ${episodes} episodes`, { episodes });
}

/** What a summary says of both pilots; null for what is not known. */
type Verdict = { readonly [K in keyof Evaluation]: number | null };

/** The figures of the check rows: all there is of a flight that was stopped. */
function inFlight({ episodes }: FlightDeck): Verdict {
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  const student = known(episodes.student.meanReturn);
  const teacher = known(episodes.teacher.meanReturn);
  return {
    student_return: student,
    teacher_return: teacher,
    student_vs_teacher:
      student === null || teacher === null ? null : known(studentVsTeacher(student, teacher)),
    deaths: null,
    final_distance: null,
    episodes: episodes.student.episodes,
  };
}

function landingText(
  run: RunFolder,
  { student_return, teacher_return, student_vs_teacher, episodes }: Verdict,
  whole: boolean,
): string {
  const figure = (value: number | null) => (value === null ? "unknown" : value.toFixed(2));
  // Of a teacher that is not above zero a share says nothing to people.
  const comparable = student_vs_teacher !== null && (teacher_return ?? 0) > 0;
  const percent = comparable ? `: ${(100 * student_vs_teacher).toFixed(2)} %` : "";
  const returns = `student ${figure(student_return)}, teacher ${figure(teacher_return)}${percent} over ${episodes} episodes`;
  return whole
    ? `${returns}; ${run.path}`
    : `stopped before the end; ${returns}; go on with: firstsolo train --resume ${run.path}`;
}
