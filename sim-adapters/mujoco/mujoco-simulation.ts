import type { Frame, Observations, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ActionWords } from "../inside/env-inputs.ts";
import { SimError } from "../inside/sim-error.ts";
import type { Simulation } from "../inside/simulation.ts";
import type { Rows } from "./bodies.ts";
import { Film } from "./camera/film.ts";
import { cameraSettings } from "./camera/views.ts";
import type { Crew } from "./crew.ts";
import type { Fleet } from "./fleet.ts";
import type { ResolvedSettings } from "./settings.ts";
import { specOf, type Task } from "./tasks.ts";

interface MujocoParts {
  readonly settings: ResolvedSettings;
  readonly fleet: Fleet;
  readonly crew: Crew | undefined;
  readonly own: Rows;
}

const actionWords: ActionWords = {
  row: "Send one row of [thrust, moment x, y, z] per environment.",
  expected: "a finite number",
  component: (index, name) => `component ${index} (${name})`,
};

/**
 * Crazyflies in MuJoCo, with the semantics of Isaac-Quadcopter-Direct-v0. One control step: actions
 * are clamped, the physics passes `decimation` steps, ages grow by one, ends and rewards come from
 * the state before any reset, environments that ended start anew, and the observations are those
 * after. Physics in float64, what leaves in float32.
 *
 * As in Isaac Lab both `terminated` and `truncated` are 1 when a fall and the clock end an episode
 * at the same step.
 */
export class MujocoSimulation implements Simulation {
  readonly spec: EnvSpec;
  readonly settings: Settings;
  readonly notices: readonly string[];
  readonly actionWords = actionWords;
  readonly #task: Task;
  readonly #fleet: Fleet;
  /** Other threads, for the environments that are not ours. */
  readonly #crew: Crew | undefined;
  readonly #own: Rows;
  /** Of a task with a camera. */
  readonly #film: Film | undefined;

  /** Takes fleet and crew over and closes them. `own`: the environments that this thread moves. */
  constructor(task: Task, numEnvs: number, { settings, fleet, crew, own }: MujocoParts) {
    const { all, notices } = settings;
    this.spec = specOf(task, numEnvs, settings);
    this.settings = all;
    this.#task = task;
    this.notices = notices;
    this.#fleet = fleet;
    this.#crew = crew;
    this.#own = own;
    this.#film = filmOf(task, numEnvs, { all, goals: fleet.episodes.goals });
  }

  reset(seed: number): void {
    const { episodes, observer, airframes, bodies } = this.#fleet;
    episodes.restartAll(seed, bodies);
    observer.streams.seed(seed);
    airframes.streams.seed(seed);
    this.#begin(Int32Array.from({ length: this.spec.numEnvs }, (_, i) => i));
  }

  move(actions: Float32Array): void {
    this.#fleet.actions.set(actions);
    this.#crew?.begin();
    this.#fleet.move(this.#own);
  }

  /** @throws SimError `diverged`, `thread-lost` */
  async conclude(): Promise<StepResult> {
    let bad = this.#fleet.judge(this.#own);
    if (this.#crew !== undefined) {
      const others = await this.#crew.end();
      if (bad < 0) bad = others;
    }
    if (bad >= 0) throw diverged(bad);
    return this.#concluded();
  }

  async close(): Promise<void> {
    this.#fleet.bodies.close();
    await this.#crew?.close();
  }

  #concluded(): StepResult {
    this.#fleet.observer.advance();
    const rewards = this.#fleet.rewards.slice();
    const terminated = this.#fleet.terminated.slice();
    const truncated = this.#fleet.truncated.slice();
    let ends = 0;
    this.#film?.shoot(this.#fleet.bodies);
    for (let i = 0; i < rewards.length; i++) ends += terminated[i]! | truncated[i]!;
    const ended = ends === 0 ? {} : this.#restart(terminated, truncated, ends);
    return { frame: this.frame(), rewards, terminated, truncated, ...ended };
  }

  /** Notes how episodes ended and begins the next ones. */
  #restart(terminated: Uint8Array, truncated: Uint8Array, count: number) {
    const { episodes, bodies, readings } = this.#fleet;
    const rows = new Int32Array(count);
    for (let i = 0, k = 0; k < count; i++) if (terminated[i]! | truncated[i]!) rows[k++] = i;
    const log = episodes.log(rows, readings, { terminated, truncated });
    const final = { rows, observations: this.#observations(rows) };
    for (const i of rows) episodes.restart(i, bodies);
    this.#begin(rows);
    return { final, log };
  }

  #begin(envs: Int32Array): void {
    this.#fleet.begin(envs);
    this.#film?.begin(envs, this.#fleet.bodies);
  }

  frame(): Frame {
    return { observations: this.#observations(), started: this.#fleet.started.slice() };
  }

  /** Fresh copies, of all environments or of these. */
  #observations(envs?: Int32Array): Observations {
    const seen = this.#fleet.observer.copy(envs);
    const { camera } = this.#task;
    return this.#film && camera ? { ...seen, [camera]: this.#film.copy(envs) } : seen;
  }

  everything() {
    return [...this.#fleet.everything(), ...(this.#film?.state ?? [])];
  }
}

function diverged(i: number): SimError {
  return new SimError("diverged", `the simulation of environment ${i} is no longer finite`, {
    hint: "Use a smaller env.sim.dt or the default settings, then start again with reset.",
  });
}

function filmOf(
  { camera }: Task,
  numEnvs: number,
  { all, goals }: { readonly all: Settings; readonly goals: Float64Array },
): Film | undefined {
  return camera === undefined ? undefined : new Film(numEnvs, cameraSettings(all), goals);
}
