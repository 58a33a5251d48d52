import type { Metrics } from "../metrics/metric-sink.ts";
import { relativeReturn } from "../running/compare.ts";
import type { Evaluation } from "../running/evaluate.ts";
import { halfWidth } from "../running/tally.ts";

/** What a summary says of a run's policies, as `summary.json` has it; null for what is not known. */
export interface Verdict {
  readonly student_return: number | null;
  /** From episode to episode. */
  readonly student_return_std: number | null;
  /** Half the width of the interval in which the mean lies with 95 %. */
  readonly student_return_ci95: number | null;
  readonly teacher_return: number | null;
  readonly student_vs_teacher: number | null;
  /** Episodes the student ended in a terminal state. */
  readonly deaths: number | null;
  readonly teacher_deaths: number | null;
  /** Mean distance of the student to its goal at the end of an episode, m. */
  readonly final_distance: number | null;
  /** Of the student; the teacher flew as many or more. */
  readonly episodes: number | null;
}

export function verdictOf({ student, teacher }: Evaluation): Verdict {
  const { meanReturn, stdReturn, episodes } = student!;
  return {
    student_return: meanReturn,
    student_return_std: stdReturn,
    student_return_ci95: halfWidth(stdReturn, episodes),
    teacher_return: teacher?.meanReturn ?? null,
    student_vs_teacher: teacher ? known(relativeReturn(meanReturn, teacher.meanReturn)) : null,
    deaths: student!.deaths,
    teacher_deaths: teacher?.deaths ?? null,
    final_distance: student!.finalDistance,
    episodes,
  };
}

/** `student_NAME` and `teacher_NAME`, each with the half width of its interval as `…_ci95`. */
export function taskFiguresOf(flown: Evaluation): Record<string, number> {
  const all = Object.entries(flown).flatMap(([who, { task }]) =>
    Object.entries(task).flatMap(([name, { mean, ci95 }]): [string, number][] => [
      [`${who}_${name}`, mean],
      [`${who}_${name}_ci95`, ci95],
    ]),
  );
  return Object.fromEntries(all);
}

/** The figures in flight: all there is of a run that was stopped. */
export function verdictInFlight(latest: Metrics): Verdict {
  return {
    student_return: known(latest["Eval/student_return"]),
    student_return_std: null,
    student_return_ci95: null,
    teacher_return: known(latest["Eval/teacher_return"]),
    student_vs_teacher: known(latest["Eval/student_vs_teacher"]),
    deaths: null,
    teacher_deaths: null,
    final_distance: null,
    episodes: null,
  };
}

/** As a summary has a figure: null where there is none, or nothing to compare. */
export function known(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** One line for people. */
export function verdictText(verdict: Verdict): string {
  const { student_return, teacher_return, student_vs_teacher, episodes } = verdict;
  if (student_return === null && teacher_return === null && episodes === null) {
    return "the student was not flown";
  }
  const figure = (value: number | null) => (value === null ? "unknown" : value.toFixed(2));
  // Of a teacher that is not above zero a share says nothing to people.
  const comparable = student_vs_teacher !== null && (teacher_return ?? 0) > 0;
  const percent = comparable ? `: ${(100 * student_vs_teacher).toFixed(2)} %` : "";
  const teacher = teacher_return === null ? "" : `, teacher ${figure(teacher_return)}`;
  const over = episodes === null ? ", in flight" : ` over ${episodes} episodes`;
  return `student ${figure(student_return)}${teacher}${percent}${over}`;
}
