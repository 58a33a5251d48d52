import { measure } from "../session/measure.ts";
import { version } from "../version.ts";

export interface EvaluateOptions {
  /** Whole episodes of each pilot, at least. Default: 200. */
  readonly episodes?: number;
  /** The last student instead of the best one. */
  readonly last?: boolean;
  /** Default: the run's. */
  readonly numEnvs?: number;
  /** Of the episodes. Default: the run's, so that the figures of its summary come out again. */
  readonly seed?: number;
  /** Endpoint of a simulator that is running. Default: the run's choice. */
  readonly sim?: string;
  /** Flies any policy alone in this task: a checkpoint, an ONNX file, `hover`; `return`, `deaths` … are then its figures. */
  readonly task?: string;
  /** Who flies beside the student in its teacher's place: a file, a run, `hover`, `pid`, `simulator`. */
  readonly against?: string;
  /** `auto`, `cpu`, `cuda` … Default: the run's choice. */
  readonly device?: string;
  /** `env.KEY=VALUE`, `sim.KEY=VALUE`: the simulator and the way to it. */
  readonly overrides?: readonly string[];
  /** Ends it: what was flown is lost. */
  readonly signal?: AbortSignal;
  /** Lines for people. Default: none. */
  readonly say?: (line: string) => void;
}

/**
 * By the names of `firstsolo eval --json`: `student_return`, `student_return_ci95`, `student_vs_teacher`, `deaths` …
 * Returns are means of undiscounted sums over whole episodes; `…_ci95` is half the width of a mean's interval, 1.96 s/√n.
 */
export type Figures = Readonly<Record<string, number | string | null>>;

/**
 * Flies a run's student and its teacher, greedily, over whole episodes.
 *
 *     const { student_return, student_vs_teacher } = await evaluate("logs/rsl_rl/…/DATE", { episodes: 100 });
 *
 * @param run a run folder (its best student, else the last), or a checkpoint in it
 * @throws ConfigError, RunError, CheckpointError, RemoteError …, each with `code` and `hint`
 */
export async function evaluate(run: string, options: EvaluateOptions = {}): Promise<Figures> {
  const { episodes = 200, numEnvs, signal, say = () => {}, overrides = [], ...more } = options;
  const figures = await measure(run, overrides, {
    ...more,
    episodes,
    ...(numEnvs === undefined ? {} : { num_envs: numEnvs }),
    version: version(),
    stop: signal,
    warn: say,
  });
  return figures as Figures;
}
