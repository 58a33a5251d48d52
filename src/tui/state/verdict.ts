import { mean } from "./numbers.ts";

/** How the student is doing, in a word. */
export type Verdict = "improving" | "plateau" | "settling" | "diverging" | "too early to say";

/** What the word is found from: one entry per iteration, the oldest first. */
export interface Progression {
  readonly iteration: number;
  /** Mean return of the student, or what else the run calls its result; more is better. */
  readonly result: number | undefined;
  /** What it is measured against, e.g. the teacher's; undefined until known, or where there is nothing. */
  readonly against: number | undefined;
  readonly loss: number | undefined;
}

export interface Trend {
  /** Iterations with a result, and with a loss. */
  readonly evaluated: readonly Progression[];
  readonly losses: readonly Progression[];
  /** Whether results are measured against something. */
  readonly compared: boolean;
  /** First iteration of the present stage, where it follows another. */
  readonly since?: number | undefined;
}

/** Iterations looked at: as many as the latest half is compared with the half before. */
export const verdictWindow = 50;
const fewest = 16;

/** Share of what it is measured against by which the halves must differ. A drop of 5 % is where a monitor would warn. */
const better = 0.01;
const worse = 0.05;

/**
 * The mean result (greedy, in flight) over the latest half of the window is compared with the half before,
 * in shares of the teacher's, or of its own size where there is none: up by more than 1 % is improving, down by
 * more than 5 % is diverging, else it is a plateau. While the window still holds results of the stage before, a
 * drop is settling: it comes with the change and heals, or is a drop in the next window too. Where nothing was
 * evaluated, the loss speaks: a tenth less is improving, half as much again is diverging. A loss that is no
 * number is diverging in any case.
 */
export function judge({ evaluated, losses, compared, since }: Trend): Verdict {
  const loss = losses.at(-1)?.loss;
  if (loss !== undefined && !Number.isFinite(loss)) return "diverging";
  const known = evaluated.filter(
    ({ result, against }) => isFigure(result) && (!compared || isFigure(against)),
  );
  if (known.length < fewest) {
    // A few evaluations will soon be enough: until then the loss must not say the opposite.
    return known.length > 0 ? "too early to say" : byLoss(losses);
  }
  const window = known.slice(-verdictWindow);
  const verdict = byResult(window);
  const straddles = since !== undefined && window[0]!.iteration < since;
  return verdict === "diverging" && straddles ? "settling" : verdict;
}

function isFigure(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

function byResult(window: readonly Progression[]): Verdict {
  const results = window.map(({ result }) => result as number);
  const [before, now] = halves(results);
  const sizes = window.map(({ result, against }) => against ?? Math.abs(result as number));
  const change = (now - before) / Math.max(Math.abs(mean(sizes)), 1e-9);
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
