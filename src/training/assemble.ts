import { checkOwnExample } from "../../policies/checkpoint/load-teacher.ts";
import type { RslRlDistillation } from "../../policies/checkpoint/rsl-rl.ts";
import { deriveSeed, Random } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { Distillation } from "../algorithms/distillation/distillation.ts";
import type { RunCheckpoint } from "../algorithms/distillation/run-checkpoint.ts";
import { Cockpit } from "../algorithms/distillation/teacher-student-actor.ts";
import type { Config } from "../config/schema.ts";
import { assignSeats, rowCount, type Seats } from "../running/env-split.ts";
import { Episodes } from "../running/episodes.ts";
import { evaluate } from "../running/evaluate.ts";
import type { Steering } from "../running/requests.ts";
import { FlightError } from "../running/running-error.ts";
import type { Progress } from "../running/train-loop.ts";
import type { OpenedRun } from "../runs/open-run.ts";
import {
  checkLayout,
  createStudent,
  type HiredTeacher,
  hireTeacher,
  rehireTeacher,
} from "./create-student.ts";

/** A run to go on with: its folder, and what its checkpoint holds. */
export interface Resumed extends OpenedRun {
  readonly file: RslRlDistillation;
  readonly state: RunCheckpoint;
}

export interface DeckOptions {
  readonly config: Config;
  readonly env: VectorEnv;
  readonly steering: Steering;
  readonly resumed: Resumed | undefined;
}

/** Everything on its place, and the simulator showing its first frame. */
export interface FlightDeck {
  readonly env: VectorEnv;
  readonly spec: EnvSpec;
  readonly seats: Seats;
  readonly cockpit: Cockpit;
  readonly episodes: Episodes;
  readonly learner: Distillation;
  readonly teacher: HiredTeacher;
  readonly steering: Steering;
  readonly start: Progress;
  readonly frame: Frame;
  /** How the resumed run goes on; absent for a new one. */
  readonly resumedFrom?: string;
}

const groundZero: Progress = { iteration: 0, environmentSteps: 0, seconds: 0, best: null };

/** @throws FlightError, PolicyError, LearningError when configuration, policies and simulator don't fit. */
export async function prepareFlight(options: DeckOptions): Promise<FlightDeck> {
  const { config, env, steering, resumed } = options;
  const { spec } = env;
  const seats = assignSeats(spec.numEnvs, config.evaluation.env_share);
  const student = createStudent(config, spec);
  const teacher = resumed
    ? await rehireTeacher(resumed.file, resumed.state.teacher, { spec, path: resumed.checkpoint })
    : await hireTeacher(config, spec);
  checkLayout(config, student, teacher);
  const learner = new Distillation(student, {
    settings: config.algorithm,
    deviations: { teacher: teacher.actor?.std, student: config.policy.init_noise_std },
    random: new Random(deriveSeed(config.seed, "buffer")),
  });
  const cockpit = new Cockpit({
    student,
    teacher: teacher.policy,
    action: spec.action,
    seats,
    handOver: { ...config.algorithm, max_iterations: config.max_iterations },
    noiseStd: config.policy.init_noise_std,
    random: new Random(deriveSeed(config.seed, "noise")),
    draws: new Random(deriveSeed(config.seed, "draws")),
  });
  const episodes = new Episodes(seats, checkWindow(config, seats));
  const parts = { env, spec, seats, cockpit, episodes, learner, teacher, steering };
  if (resumed) return { ...parts, ...(await restore(parts, resumed, config.seed)) };
  await checkTeacher(config, env, teacher);
  return { ...parts, start: groundZero, frame: await env.reset(config.seed) };
}

/** One whole episode in every environment, flown by the teacher alone. @throws FlightError */
async function checkTeacher(
  { evaluation, seed }: Config,
  env: VectorEnv,
  { policy, description }: HiredTeacher,
): Promise<void> {
  const least = evaluation.min_teacher_return;
  if (least === null) return;
  const episodes = env.spec.numEnvs >> 1;
  const pilots = { student: policy, teacher: policy };
  const flown = await evaluate({ env, ...pilots, episodes, seed: deriveSeed(seed, "reference") });
  const found = (flown.student_return + flown.teacher_return) / 2;
  if (found >= least) return;
  throw new FlightError(
    "poor-teacher",
    `The teacher returns ${found.toFixed(2)} in its own reference flight on '${env.spec.task}' (${description}); evaluation.min_teacher_return asks for ${least}.`,
    "Check its activation (--activation) and observation groups (agent.obs_groups.teacher), or ask for less.",
  );
}

/** At least two whole episodes of each row, so that no single lucky one makes a best student. */
export function checkWindow(config: Config, seats: Seats): number {
  return Math.max(config.evaluation.window, 2 * rowCount(seats.studentCheck));
}

type Parts = Pick<FlightDeck, "env" | "cockpit" | "episodes" | "learner">;

async function restore(parts: Parts, { state, file, checkpoint }: Resumed, seed: number) {
  const { env, cockpit, episodes, learner } = parts;
  const { flight, simulator } = state;
  learner.load(state.learner);
  await checkOwnExample(learner.policy, file, "student", checkpoint);
  cockpit.load(flight.cockpit);
  episodes.load(flight.episodes);
  const start = flight.progress;
  if (simulator && env.restore) {
    const frame = await env.restore(simulator);
    return { start, frame, resumedFrom: `${checkpoint}, the fleet where it was` };
  }
  // Nobody can put this fleet back: new episodes, other ones than at the start of the run.
  const frame = await env.reset(deriveSeed(seed, `resume ${start.iteration}`));
  cockpit.forget();
  episodes.restart();
  return { start, frame, resumedFrom: `${checkpoint}, the fleet in new episodes` };
}
