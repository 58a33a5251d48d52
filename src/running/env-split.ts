import { RunningError } from "./running-error.ts";

/** Rows of environments: `from` inclusive, `to` exclusive. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/**
 * Who has which environments, fixed for a run: the training rows come first and are learned from; the
 * evaluation rows are flown greedily by one policy each, in every stage, and never reach the learner.
 */
export interface EnvSplit {
  readonly numEnvs: number;
  readonly training: Rows;
  /** By the policy that flies them, e.g. `student`, `teacher`. */
  readonly evaluation: Readonly<Record<string, Rows>>;
}

/**
 * @param share of the environments that is measured, the same for each of `names`, at least one each; 0
 *   measures nothing
 */
export function splitEnvs(numEnvs: number, share: number, names: readonly string[]): EnvSplit {
  const each = share === 0 ? 0 : Math.max(1, Math.round((share * numEnvs) / names.length));
  const training = numEnvs - names.length * each;
  if (training < 1) {
    throw new RunningError(
      "no-training-rows",
      `With ${numEnvs} environments and evaluation.env_share ${share}, ${names.length * each} are kept for evaluation and none is left to learn from.`,
      "Use more environments (--num_envs) or set evaluation.env_share=0.",
    );
  }
  return {
    numEnvs,
    training: { from: 0, to: training },
    evaluation: rowsOf(names, training, each),
  };
}

/** Nobody learns: all rows are flown by one of `names` each, the last taking what is left over. */
export function evaluationSplit(numEnvs: number, names: readonly string[]): EnvSplit {
  if (numEnvs < names.length) {
    throw new RunningError(
      "too-few-environments",
      `An evaluation flies ${names.join(" and ")} side by side; the simulator has ${numEnvs} environment.`,
      `Use at least ${names.length} environments (--num_envs).`,
    );
  }
  const evaluation = rowsOf(names, 0, Math.floor(numEnvs / names.length));
  const last = names.at(-1)!;
  const { from } = evaluation[last]!;
  return {
    numEnvs,
    training: { from: 0, to: 0 },
    evaluation: { ...evaluation, [last]: { from, to: numEnvs } },
  };
}

function rowsOf(names: readonly string[], start: number, each: number): Record<string, Rows> {
  const rows = names.map((name, i) => {
    const from = start + i * each;
    return [name, { from, to: from + each }] as const;
  });
  return Object.fromEntries(rows);
}

export function rowCount({ from, to }: Rows): number {
  return to - from;
}

export function inside(row: number, { from, to }: Rows): boolean {
  return row >= from && row < to;
}
