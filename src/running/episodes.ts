import type { StepResult } from "../../protocol/frame.ts";
import { inside, type Seats } from "./env-split.ts";

/** Figures of a group of rows, over the last episodes that ended in them. */
export interface EpisodeFigures {
  readonly episodes: number;
  /** Sum of rewards, and control steps, of an episode; NaN before the first has ended. */
  readonly meanReturn: number;
  readonly meanLength: number;
}

/** Of one ended episode: sum of rewards, control steps. */
type Ended = readonly [reward: number, steps: number];

export interface EpisodeState {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly whole: readonly number[];
  readonly training: readonly Ended[];
  readonly student: readonly Ended[];
  readonly teacher: readonly Ended[];
}

/** rsl_rl's window for `Train/mean_reward`. */
const trainingWindow = 100;

/** Keeps the book of episodes: running sums per environment, the last ended ones per group. */
export class Episodes {
  readonly #seats: Seats;
  readonly #checkWindow: number;
  #returns: Float64Array;
  #lengths: Int32Array;
  /** 0 for an episode that was under way when we came: its return is no figure of merit. */
  #whole: Uint8Array;
  #training: Ended[] = [];
  #student: Ended[] = [];
  #teacher: Ended[] = [];

  constructor(seats: Seats, checkWindow: number) {
    this.#seats = seats;
    this.#checkWindow = checkWindow;
    this.#returns = new Float64Array(seats.numEnvs);
    this.#lengths = new Int32Array(seats.numEnvs);
    this.#whole = new Uint8Array(seats.numEnvs);
  }

  record(result: StepResult): void {
    const { rewards, terminated, truncated } = result;
    for (let row = 0; row < rewards.length; row += 1) {
      this.#returns[row]! += rewards[row]!;
      this.#lengths[row]! += 1;
      if (terminated[row] || truncated[row]) this.#end(row);
    }
  }

  /** The fleet was reset: running sums start again, and what runs next may be a partial episode. */
  restart(): void {
    this.#returns.fill(0);
    this.#lengths.fill(0);
    this.#whole.fill(0);
  }

  #end(row: number): void {
    const ended: Ended = [this.#returns[row]!, this.#lengths[row]!];
    const { training, studentCheck, teacherCheck } = this.#seats;
    if (inside(row, training)) keepLast(this.#training, ended, trainingWindow);
    else if (this.#whole[row] && inside(row, studentCheck)) {
      keepLast(this.#student, ended, this.#checkWindow);
    } else if (this.#whole[row] && inside(row, teacherCheck)) {
      keepLast(this.#teacher, ended, this.#checkWindow);
    }
    this.#returns[row] = 0;
    this.#lengths[row] = 0;
    this.#whole[row] = 1;
  }

  get training(): EpisodeFigures {
    return figures(this.#training);
  }

  get student(): EpisodeFigures {
    return figures(this.#student);
  }

  get teacher(): EpisodeFigures {
    return figures(this.#teacher);
  }

  save(): EpisodeState {
    return {
      returns: [...this.#returns],
      lengths: [...this.#lengths],
      whole: [...this.#whole],
      training: [...this.#training],
      student: [...this.#student],
      teacher: [...this.#teacher],
    };
  }

  load(state: EpisodeState): void {
    this.#returns = Float64Array.from(state.returns);
    this.#lengths = Int32Array.from(state.lengths);
    this.#whole = Uint8Array.from(state.whole);
    this.#training = [...state.training];
    this.#student = [...state.student];
    this.#teacher = [...state.teacher];
  }
}

function keepLast(list: Ended[], ended: Ended, most: number): void {
  list.push(ended);
  if (list.length > most) list.shift();
}

function figures(ended: readonly Ended[]): EpisodeFigures {
  const mean = (pick: (e: Ended) => number) =>
    ended.reduce((sum, e) => sum + pick(e), 0) / ended.length;
  return { episodes: ended.length, meanReturn: mean((e) => e[0]), meanLength: mean((e) => e[1]) };
}
