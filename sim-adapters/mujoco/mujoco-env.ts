import type { Frame, Observations, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../vector-env.ts";
import { Airframes, actionWidth } from "./airframes.ts";
import type { Bodies } from "./bodies.ts";
import { Film } from "./camera/film.ts";
import { cameraSettings } from "./camera/views.ts";
import { Episodes } from "./episodes.ts";
import { Observer } from "./observer.ts";
import { quantities, readingsWidth, sense } from "./readings.ts";
import type { ResolvedSettings } from "./settings.ts";
import { SimError } from "./sim-error.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import { rangesOf, specOf, type Task } from "./tasks.ts";

/**
 * Crazyflies in MuJoCo, with the semantics of Isaac-Quadcopter-Direct-v0. One control step: actions
 * are clamped, the physics passes `decimation` steps, ages grow by one, ends and rewards come from
 * the state before any reset, environments that ended start anew, and the observations are those
 * after. Physics in float64, what leaves in float32.
 *
 * As in Isaac Lab both `terminated` and `truncated` are 1 when a fall and the clock end an episode
 * at the same step.
 */
export class MujocoEnv implements VectorEnv {
  readonly spec: EnvSpec;
  /** The settings in effect, defaults included. */
  readonly settings: Settings;
  /** Lines for the person who flies here. */
  readonly notices: string[];
  readonly #task: Task;
  readonly #bodies: Bodies;
  readonly #airframes: Airframes;
  readonly #episodes: Episodes;
  readonly #observer: Observer;
  /** Of a task with a camera. */
  readonly #film: Film | undefined;
  readonly #readings: Float64Array;
  /** `[numEnvs]` in N and `[numEnvs, 3]` in N·m, in the body frame. */
  readonly #wrench: { readonly thrust: Float64Array; readonly moment: Float64Array };
  readonly #decimation: number;
  /** Where the last frame begins an episode. */
  readonly #started: Uint8Array;
  #state: "idle" | "flying" | "closed" = "idle";

  /** Takes the bodies over and closes them. */
  constructor(task: Task, numEnvs: number, settings: ResolvedSettings, bodies: Bodies) {
    const { quadcopter, all, notices } = settings;
    this.spec = specOf(task, numEnvs, settings);
    this.settings = all;
    this.#task = task;
    this.notices = [...notices];
    this.#bodies = bodies;
    this.#airframes = new Airframes(quadcopter, bodies, rangesOf(task, all));
    this.#episodes = new Episodes(numEnvs, quadcopter);
    this.#observer = new Observer(task, numEnvs, all);
    this.#film = filmOf(task, numEnvs, { all, goals: this.#episodes.goals });
    this.#readings = new Float64Array(readingsWidth * numEnvs);
    this.#wrench = {
      thrust: new Float64Array(numEnvs),
      moment: new Float64Array(3 * numEnvs),
    };
    this.#started = new Uint8Array(numEnvs);
    this.#decimation = quadcopter.decimation;
  }

  /** @throws SimError `bad-seed` unless it is a whole number below 2³². */
  async reset(seed: number): Promise<Frame> {
    this.#refuseClosed();
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
      const hint = "Give a whole number from 0 to 4294967295.";
      throw new SimError("bad-seed", `got the seed ${seed}`, { field: "seed", hint });
    }
    this.#episodes.restartAll(seed, this.#bodies);
    this.#observer.streams.seed(seed);
    this.#airframes.streams.seed(seed);
    this.#begin(Int32Array.from({ length: this.spec.numEnvs }, (_, i) => i));
    this.#state = "flying";
    return this.#frame();
  }

  /**
   * @throws SimError; nothing has changed then, but after `diverged` only `reset` and `restore` are
   * left.
   */
  async step(actions: Float32Array): Promise<StepResult> {
    this.#refuseIdle();
    const start = performance.now();
    checkActions(actions, this.spec);
    this.#airframes.steer(actions, this.#readings, this.#wrench);
    this.#bodies.step(this.#wrench.thrust, this.#wrench.moment, this.#decimation);
    const simulated = performance.now();
    const result = this.#conclude();
    const timing = {
      simulate: (simulated - start) / 1000,
      observe: (performance.now() - simulated) / 1000,
    };
    return { ...result, timing };
  }

  /** Everything that decides what comes next, and the frame that is current. */
  async snapshot(): Promise<Uint8Array> {
    this.#refuseIdle();
    return writeSnapshot(this.#owner(), this.#everything());
  }

  /** @throws SimError `bad-snapshot` or `other-snapshot`; nothing has changed then. */
  async restore(state: Uint8Array): Promise<Frame> {
    this.#refuseClosed();
    readSnapshot(state, this.#owner(), this.#everything());
    this.#state = "flying";
    return this.#frame();
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#bodies.close();
  }

  /** Everything of a control step behind the physics. */
  #conclude(): StepResult {
    const { numEnvs } = this.spec;
    const rewards = new Float32Array(numEnvs);
    const terminated = new Uint8Array(numEnvs);
    const truncated = new Uint8Array(numEnvs);
    let ends = 0;
    for (let i = 0; i < numEnvs; i++) {
      this.#episodes.ages[i]!++;
      this.#sense(i);
      const reward = this.#episodes.reward(i, this.#readings);
      if (!(Math.abs(reward) < Number.MAX_VALUE)) this.#diverged(i);
      rewards[i] = reward;
      if (this.#episodes.died(i, this.#bodies)) terminated[i] = 1;
      if (this.#episodes.timedOut(i)) truncated[i] = 1;
      ends += terminated[i]! | truncated[i]!;
    }
    this.#observer.observeAll(this.#readings);
    this.#film?.shoot(this.#bodies);
    this.#started.fill(0);
    const ended = ends === 0 ? {} : this.#restart(terminated, truncated, ends);
    return { frame: this.#frame(), rewards, terminated, truncated, ...ended };
  }

  /** Notes how episodes ended and begins the next ones. */
  #restart(terminated: Uint8Array, truncated: Uint8Array, count: number) {
    const rows = new Int32Array(count);
    for (let i = 0, k = 0; k < count; i++) if (terminated[i]! | truncated[i]!) rows[k++] = i;
    const log = this.#episodes.log(rows, this.#readings, { terminated, truncated });
    const final = { rows, observations: this.#observations(rows) };
    for (const i of rows) this.#episodes.restart(i, this.#bodies);
    this.#begin(rows);
    return { final, log };
  }

  /** Everything of new episodes but the goal and the body's start. */
  #begin(envs: Int32Array): void {
    for (const i of envs) {
      this.#airframes.draw(i);
      const action = readingsWidth * i + quantities.last_action.offset;
      this.#readings.fill(0, action, action + actionWidth);
      this.#sense(i);
      this.#started[i] = 1;
    }
    this.#observer.begin(envs, this.#readings);
    this.#film?.begin(envs, this.#bodies);
  }

  #sense(i: number): void {
    sense(this.#bodies, this.#episodes.goals, this.#readings, i);
    this.#airframes.sense(i, this.#readings);
  }

  #frame(): Frame {
    return { observations: this.#observations(), started: this.#started.slice() };
  }

  /** Fresh copies, of all environments or of these. */
  #observations(envs?: Int32Array): Observations {
    const seen = this.#observer.copy(envs);
    const { camera } = this.#task;
    return this.#film && camera ? { ...seen, [camera]: this.#film.copy(envs) } : seen;
  }

  #everything() {
    const { goals, ages, sums, streams } = this.#episodes;
    const { positions, velocities } = this.#bodies;
    const random = [streams.state, this.#observer.streams.state];
    const current = [...this.#observer.state, this.#started];
    const drawn = this.#airframes.state;
    const shots = this.#film?.state ?? [];
    return [positions, velocities, goals, sums, ages, ...random, ...current, ...drawn, ...shots];
  }

  #owner() {
    return { task: this.spec.task, numEnvs: this.spec.numEnvs, settings: this.settings };
  }

  #diverged(i: number): never {
    this.#state = "idle";
    throw new SimError("diverged", `the simulation of environment ${i} is no longer finite`, {
      hint: "Use a smaller env.sim.dt or the default settings, then start again with reset.",
    });
  }

  #refuseIdle(): void {
    this.#refuseClosed();
    if (this.#state === "flying") return;
    const hint = "Call reset or restore first.";
    throw new SimError("not-reset", "there is no frame to go on from", { hint });
  }

  #refuseClosed(): void {
    if (this.#state !== "closed") return;
    throw new SimError("closed", "the simulator was closed", { hint: "Open a new one." });
  }
}

function filmOf(
  { camera }: Task,
  numEnvs: number,
  { all, goals }: { readonly all: Settings; readonly goals: Float64Array },
): Film | undefined {
  return camera === undefined ? undefined : new Film(numEnvs, cameraSettings(all), goals);
}

function checkActions(actions: Float32Array, { numEnvs, action }: EnvSpec): void {
  const expected = numEnvs * actionWidth;
  if (actions.length !== expected) {
    const message =
      `got ${actions.length} numbers, ` +
      `expected ${numEnvs} environments × ${actionWidth} = ${expected}`;
    const hint = "Send one row of [thrust, moment x, y, z] per environment.";
    throw new SimError("bad-tensor", `actions: ${message}`, { field: "actions", hint });
  }
  let poison = 0;
  for (let k = 0; k < expected; k++) poison += actions[k]! * 0;
  if (poison === 0) return;
  const at = actions.findIndex((value) => !Number.isFinite(value));
  const component = at % actionWidth;
  const env = Math.floor(at / actionWidth);
  const where = `environment ${env}, component ${component} (${action.names?.[component]})`;
  const message = `actions: ${where} is ${actions[at]}, expected a finite number`;
  const hint = "The policy diverged: lower the learning rate.";
  throw new SimError("bad-value", message, { field: "actions", hint });
}
