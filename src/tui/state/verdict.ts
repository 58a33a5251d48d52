/** How the student is doing, in a word. */
export type Verdict = "improving" | "plateau" | "diverging" | "too early to say";

/** What the word is found from: one entry per iteration, the oldest first. */
export interface Progression {
  /** Mean return of the student and the teacher; undefined until an episode has ended. */
  readonly student: number | undefined;
  readonly teacher: number | undefined;
  readonly loss: number | undefined;
}

/** Iterations looked at: as many as the latest half is compared with the half before. */
export const verdictWindow = 50;
const fewest = 16;

/** Share of the teacher's return by which the halves must differ. A drop of 5 % is where a monitor would warn. */
const better = 0.01;
const worse = 0.05;

/**
 * The mean return of the student (greedy, in flight) over the latest half of the window is compared with
 * the half before, in shares of the teacher's return: up by more than 1 % is improving, down by more than
 * 5 % is diverging, else it is a plateau. Where nothing was evaluated, the loss speaks: a tenth less is
 * improving, half as much again is diverging. A loss that is no number is diverging in any case.
 */
export function judge(history: readonly Progression[]): Verdict {
  const loss = history.at(-1)?.loss;
  if (loss !== undefined && !Number.isFinite(loss)) return "diverging";
  const evaluated = history.flatMap(({ student, teacher }) =>
    isFigure(student) && isFigure(teacher) ? [{ student, teacher }] : [],
  );
  if (evaluated.length >= fewest) return byReturn(evaluated.slice(-verdictWindow));
  // A few evaluations will soon be enough: until then the loss must not say the opposite.
  return evaluated.length > 0 ? "too early to say" : byLoss(history);
}

function isFigure(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

function byReturn(evaluated: readonly { student: number; teacher: number }[]): Verdict {
  const [before, now] = halves(evaluated.map(({ student }) => student));
  const scale = Math.abs(mean(evaluated.map(({ teacher }) => teacher)));
  const change = (now - before) / Math.max(scale, 1e-9);
  if (change > better) return "improving";
  return change < -worse ? "diverging" : "plateau";
}

function byLoss(history: readonly Progression[]): Verdict {
  const losses = history.flatMap(({ loss }) => (isFigure(loss) && loss > 0 ? [loss] : []));
  if (losses.length < fewest) return "too early to say";
  const [before, now] = halves(losses.slice(-verdictWindow));
  if (now < before * 0.9) return "improving";
  return now > before * 1.5 ? "diverging" : "plateau";
}

function halves(values: readonly number[]): readonly [number, number] {
  const middle = values.length >> 1;
  return [mean(values.slice(0, middle)), mean(values.slice(middle))];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
