import type { Arena } from "../inside/arena.ts";
import { Airframes, actionWidth, type Wrench } from "./airframes.ts";
import type { Bodies, Rows } from "./bodies.ts";
import { Episodes } from "./episodes.ts";
import { Observer } from "./observer.ts";
import { quantities, readingsWidth, sense } from "./readings.ts";
import type { ResolvedSettings } from "./settings.ts";
import { rangesOf, type Task } from "./tasks.ts";

/**
 * The state of all environments, and a control step of some of them. No environment's step depends on another's, so threads
 * that share the arrays may each take some, and every number is the same.
 */
export class Fleet {
  readonly bodies: Bodies;
  readonly airframes: Airframes;
  readonly episodes: Episodes;
  readonly observer: Observer;
  /** `[numEnvs, 19]` */
  readonly readings: Float64Array;
  /** Of the step under way, `[numEnvs, 4]`. */
  readonly actions: Float32Array;
  /** Of the last step, `[numEnvs]`. */
  readonly rewards: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** Where the last frame begins an episode. */
  readonly started: Uint8Array;
  readonly #wrench: Wrench;
  readonly #decimation: number;

  constructor(
    task: Task,
    numEnvs: number,
    { settings, bodies, arena }: { settings: ResolvedSettings; bodies: Bodies; arena: Arena },
  ) {
    const { quadcopter, all } = settings;
    this.bodies = bodies;
    this.airframes = new Airframes(quadcopter, bodies, { ranges: rangesOf(task, all), arena });
    this.episodes = new Episodes(numEnvs, quadcopter, { arena });
    this.observer = new Observer(task, numEnvs, { settings: all, arena });
    this.readings = arena.float64(readingsWidth * numEnvs);
    this.actions = arena.float32(actionWidth * numEnvs);
    this.rewards = arena.float32(numEnvs);
    this.terminated = arena.uint8(numEnvs);
    this.truncated = arena.uint8(numEnvs);
    this.started = arena.uint8(numEnvs);
    this.#wrench = {
      thrust: new Float64Array(numEnvs),
      moment: new Float64Array(3 * numEnvs),
    };
    this.#decimation = quadcopter.decimation;
  }

  /** The physics under the actions. */
  move(rows: Rows): void {
    this.airframes.steer(this.actions, this.readings, { ...this.#wrench, ...rows });
    this.bodies.step(this.#wrench.thrust, this.#wrench.moment, this.#decimation);
  }

  /**
   * Everything of a control step between the physics and what begins anew.
   *
   * @returns the first environment whose state is no longer finite, or -1
   */
  judge(rows: Rows): number {
    const { episodes, readings, bodies } = this;
    for (let i = rows.first; i < rows.end; i++) {
      episodes.ages[i]!++;
      this.sense(i);
      const reward = episodes.reward(i, readings);
      if (!(Math.abs(reward) < Number.MAX_VALUE)) return i;
      this.rewards[i] = reward;
      this.terminated[i] = episodes.died(i, bodies) ? 1 : 0;
      this.truncated[i] = episodes.timedOut(i) ? 1 : 0;
      this.started[i] = 0;
    }
    this.observer.observe(readings, rows);
    return -1;
  }

  /** Everything of new episodes but the goal and the body's start. */
  begin(envs: Int32Array): void {
    for (const i of envs) {
      this.airframes.draw(i);
      const action = readingsWidth * i + quantities.last_action.offset;
      this.readings.fill(0, action, action + actionWidth);
      this.sense(i);
      this.started[i] = 1;
    }
    this.observer.begin(envs, this.readings);
  }

  sense(i: number): void {
    sense(this.bodies, this.episodes.goals, this.readings, i);
    this.airframes.sense(i, this.readings);
  }

  /** Everything that decides what comes next, and the frame that is current. */
  everything() {
    const { goals, ages, sums, streams } = this.episodes;
    const { positions, velocities } = this.bodies;
    const random = [streams.state, this.observer.streams.state];
    const current = [...this.observer.state, this.started];
    return [
      positions,
      velocities,
      goals,
      sums,
      ages,
      ...random,
      ...current,
      ...this.airframes.state,
    ];
  }
}
