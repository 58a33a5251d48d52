import { elementsOf } from "../../policies/named-array.ts";
import type { Policy } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import type { StepResult } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { Cockpit } from "../algorithms/distillation/teacher-student-actor.ts";
import { noGates } from "../algorithms/distillation/two-stage-plan.ts";
import { studentVsTeacher } from "./compare.ts";
import { inside, rowCount, type Seats } from "./env-split.ts";
import { FlightError } from "./running-error.ts";

export interface EvaluateOptions {
  readonly env: VectorEnv;
  readonly student: Policy;
  readonly teacher: Policy;
  /** At least so many whole episodes each. */
  readonly episodes: number;
  readonly seed: number;
  readonly stop?: AbortSignal;
}

/** How well both fly, greedily, over whole episodes. Keys as `summary.json` has them. */
export interface Evaluation {
  /** Mean sum of rewards of an episode. */
  readonly student_return: number;
  readonly teacher_return: number;
  readonly student_vs_teacher: number;
  /** Episodes the student ended in a terminal state. */
  readonly deaths: number;
  /** Mean distance of the student to its goal at the end of an episode, m; null where the simulator doesn't show it. */
  readonly final_distance: number | null;
  /** Of the student; the teacher flew as many or more. */
  readonly episodes: number;
}

/**
 * Half of the fleet is flown by each pilot. Every environment gives the same number of whole
 * episodes, so that short ones (crashes) are not counted more often than they happen; the episode
 * that a reset started is not counted, as it may begin in the middle.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { env, student, teacher, episodes, seed } = options;
  const seats = halves(env.spec.numEnvs);
  const cockpit = new Cockpit({
    student,
    teacher,
    action: env.spec.action,
    seats,
    handOver: {
      ...noGates,
      use_two_stage_training: false,
      phase1_iterations: 0,
      max_iterations: 1,
    },
    noiseStd: 0,
    random: new Random(seed),
    draws: new Random(seed),
  });
  const tally = new Tally(env.spec, seats, episodes);
  let frame = await env.reset(seed);
  while (!tally.complete) {
    options.stop?.throwIfAborted();
    const { actions } = await cockpit.act(frame);
    const result = await env.step(actions);
    tally.record(result);
    frame = result.frame;
  }
  return tally.figures();
}

function halves(numEnvs: number): Seats {
  if (numEnvs < 2) {
    throw new FlightError(
      "too-few-environments",
      `An evaluation flies the student and the teacher side by side; the simulator has ${numEnvs} environment.`,
      "Use at least 2 environments (--num_envs).",
    );
  }
  const half = numEnvs >> 1;
  return {
    numEnvs,
    training: { from: 0, to: 0 },
    studentCheck: { from: 0, to: half },
    teacherCheck: { from: half, to: numEnvs },
  };
}

class Tally {
  readonly #seats: Seats;
  /** Whole episodes wanted from each row. */
  readonly #quota: number;
  readonly #goal: { group: string; columns: number[]; width: number } | undefined;
  /** Whole episodes seen per row; -1 while the first, possibly partial one runs. */
  readonly #counts: Int32Array;
  readonly #returns: Float64Array;
  readonly #sums = { student: 0, teacher: 0, deaths: 0, distance: 0, distances: 0 };
  #waiting: number;

  constructor(spec: EnvSpec, seats: Seats, episodes: number) {
    this.#seats = seats;
    this.#quota = Math.ceil(episodes / rowCount(seats.studentCheck));
    this.#goal = findGoal(spec);
    this.#counts = new Int32Array(seats.numEnvs).fill(-1);
    this.#returns = new Float64Array(seats.numEnvs);
    this.#waiting = seats.numEnvs;
  }

  get complete(): boolean {
    return this.#waiting === 0;
  }

  record(result: StepResult): void {
    for (let row = 0; row < this.#returns.length; row += 1) {
      this.#returns[row]! += result.rewards[row]!;
      if (result.terminated[row] || result.truncated[row]) this.#end(row, result);
    }
  }

  #end(row: number, result: StepResult): void {
    const count = this.#counts[row]!;
    if (count >= 0 && count < this.#quota) {
      if (inside(row, this.#seats.studentCheck)) this.#endOfStudent(row, result);
      else this.#sums.teacher += this.#returns[row]!;
      if (count + 1 === this.#quota) this.#waiting -= 1;
    }
    this.#counts[row] = count + 1;
    this.#returns[row] = 0;
  }

  #endOfStudent(row: number, { terminated, final }: StepResult): void {
    this.#sums.student += this.#returns[row]!;
    this.#sums.deaths += terminated[row]!;
    if (!this.#goal || !final) return;
    const { group, columns, width: columnsPerRow } = this.#goal;
    const at = final.rows.indexOf(row) * columnsPerRow;
    const values = columns.map((column) => final.observations[group]![at + column]!);
    this.#sums.distance += Math.hypot(...values);
    this.#sums.distances += 1;
  }

  figures(): Evaluation {
    const { student, teacher, deaths, distance, distances } = this.#sums;
    const episodes = this.#quota * rowCount(this.#seats.studentCheck);
    const studentReturn = student / episodes;
    const teacherReturn = teacher / (this.#quota * rowCount(this.#seats.teacherCheck));
    return {
      student_return: studentReturn,
      teacher_return: teacherReturn,
      student_vs_teacher: studentVsTeacher(studentReturn, teacherReturn),
      deaths,
      final_distance: distances === 0 ? null : distance / distances,
      episodes,
    };
  }
}

/** Where a group shows the vector to the goal; the last group that does is the least noisy one by convention. */
function findGoal(spec: EnvSpec) {
  const found = Object.entries(spec.observations).flatMap(([group, { names, shape }]) => {
    const columns = (names ?? []).flatMap((name, i) =>
      /^(goal|desired)_pos/.test(name) ? [i] : [],
    );
    return columns.length === 3 ? [{ group, columns, width: elementsOf(shape) }] : [];
  });
  return found.find(({ group }) => group === "teacher") ?? found[0];
}
