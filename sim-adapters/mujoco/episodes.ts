import type { Arena } from "../inside/arena.ts";
import { Streams } from "../inside/streams.ts";
import type { Bodies } from "./bodies.ts";
import { quantities, readingsWidth } from "./readings.ts";
import type { QuadcopterSettings } from "./settings.ts";
import { maxEpisodeSteps } from "./tasks.ts";

/** m; where every episode starts, level and at rest. */
const startHeight = 0.5;

/** m; the distance at which a quarter (1 − tanh 1) of the reward for being near is left. */
const rewardDistance = 0.8;

const terms = ["lin_vel", "ang_vel", "distance_to_goal"] as const;

/**
 * Goals, ages, rewards and ends of episodes: Isaac Lab's QuadcopterEnv (quadcopter_env.py,
 * direct_rl_env.py), with a random stream per environment instead of one for all.
 */
export class Episodes {
  /** `[numEnvs, 3]`, world frame, m. */
  readonly goals: Float64Array;
  /** Control steps since the episode began, `[numEnvs]`. */
  readonly ages: Int32Array;
  /** Sums of the terms of the reward over the episode, `[numEnvs, 3]`. */
  readonly sums: Float64Array;
  readonly streams: Streams;
  readonly #settings: QuadcopterSettings;
  readonly #maxSteps: number;
  readonly #period: number;

  constructor(numEnvs: number, settings: QuadcopterSettings, { arena }: { readonly arena: Arena }) {
    this.goals = arena.float64(3 * numEnvs);
    this.ages = arena.int32(numEnvs);
    this.sums = arena.float64(3 * numEnvs);
    this.streams = new Streams(numEnvs, 1, { arena });
    this.#settings = settings;
    this.#maxSteps = maxEpisodeSteps(settings);
    this.#period = settings["sim.dt"] * settings.decimation;
  }

  /**
   * All environments at once. Ages are drawn so that the fleet is out of step; Isaac Lab does it
   * also when all episodes happen to end at the same step, which with few environments would cut
   * most episodes short, so here it doesn't.
   */
  restartAll(seed: number, bodies: Bodies): void {
    this.streams.seed(seed);
    for (let i = 0; i < this.ages.length; i++) {
      this.restart(i, bodies);
      // Drawn in any case: later goals do not depend on the setting.
      const age = Math.floor(this.streams.uniform(i) * this.#maxSteps);
      if (this.#settings.random_ages) this.ages[i] = age;
    }
  }

  restart(i: number, bodies: Bodies): void {
    const { goals, streams, sums } = this;
    const [west, east] = this.#settings["goal.xy"];
    const [low, high] = this.#settings["goal.z"];
    goals[3 * i] = west + (east - west) * streams.uniform(i);
    goals[3 * i + 1] = west + (east - west) * streams.uniform(i);
    goals[3 * i + 2] = low + (high - low) * streams.uniform(i);
    sums.fill(0, 3 * i, 3 * i + 3);
    this.ages[i] = 0;
    bodies.place(i, startHeight);
  }

  /**
   * The reward of the control step that has just passed, of row `i` of `readings`; also adds to the
   * sums.
   */
  reward(i: number, readings: Float64Array): number {
    const { sums } = this;
    const s = this.#settings;
    const r = readingsWidth * i;
    const distance = Math.sqrt(squareAt(readings, r + quantities.desired_pos_b.offset));
    const lin = s.lin_vel_reward_scale * squareAt(readings, r) * this.#period;
    const ang =
      s.ang_vel_reward_scale * squareAt(readings, r + quantities.ang_vel_b.offset) * this.#period;
    const near =
      s.distance_to_goal_reward_scale * (1 - Math.tanh(distance / rewardDistance)) * this.#period;
    sums[3 * i]! += lin;
    sums[3 * i + 1]! += ang;
    sums[3 * i + 2]! += near;
    return lin + ang + near;
  }

  died(i: number, { positions }: Bodies): boolean {
    const height = positions[7 * i + 2]!;
    return height < this.#settings.min_height || height > this.#settings.max_height;
  }

  timedOut(i: number): boolean {
    return this.ages[i]! >= this.#maxSteps - 1;
  }

  /**
   * Isaac Lab's figures of the episodes that ended at this step: means of the sums over an
   * episode's nominal length in seconds, counts of both kinds of end, mean distance to the goal in
   * m.
   */
  log(
    ended: Int32Array,
    readings: Float64Array,
    { terminated, truncated }: { terminated: Uint8Array; truncated: Uint8Array },
  ): Record<string, number> {
    const log: Record<string, number> = {};
    const mean = (figure: (i: number) => number) =>
      ended.reduce((sum, i) => sum + figure(i), 0) / ended.length;
    for (const [k, term] of terms.entries()) {
      log[`Episode_Reward/${term}`] =
        mean((i) => this.sums[3 * i + k]!) / this.#settings.episode_length_s;
    }
    log["Episode_Termination/died"] = mean((i) => terminated[i]!) * ended.length;
    log["Episode_Termination/time_out"] = mean((i) => truncated[i]!) * ended.length;
    const goalAt = (i: number) => readingsWidth * i + quantities.desired_pos_b.offset;
    log["Metrics/final_distance_to_goal"] = mean((i) => Math.sqrt(squareAt(readings, goalAt(i))));
    return log;
  }
}

function squareAt(row: Float64Array, at: number): number {
  const x = row[at]!;
  const y = row[at + 1]!;
  const z = row[at + 2]!;
  return x * x + y * y + z * z;
}
