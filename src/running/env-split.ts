import { FlightError } from "./running-error.ts";

/** Rows of environments: `from` inclusive, `to` exclusive. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/**
 * Who sits where, fixed for a run: the training rows come first and are learned from; the check
 * rows are flown greedily by one pilot, in every phase, and never reach the learner.
 */
export interface Seats {
  readonly numEnvs: number;
  readonly training: Rows;
  readonly studentCheck: Rows;
  readonly teacherCheck: Rows;
}

/**
 * @param share of the environments that is measured, half by the student and half by the teacher,
 *   at least one each; 0 measures nothing.
 */
export function assignSeats(numEnvs: number, share: number): Seats {
  const each = share === 0 ? 0 : Math.max(1, Math.round((share * numEnvs) / 2));
  const training = numEnvs - 2 * each;
  if (training < 1) {
    throw new FlightError(
      "no-training-rows",
      `With ${numEnvs} environments and evaluation.env_share ${share}, ${2 * each} are kept for evaluation and none is left to learn from.`,
      "Use more environments (--num_envs) or set evaluation.env_share=0.",
    );
  }
  return {
    numEnvs,
    training: { from: 0, to: training },
    studentCheck: { from: training, to: training + each },
    teacherCheck: { from: training + each, to: numEnvs },
  };
}

export function rowCount(rows: Rows): number {
  return rows.to - rows.from;
}

export function inside(row: number, rows: Rows): boolean {
  return row >= rows.from && row < rows.to;
}
