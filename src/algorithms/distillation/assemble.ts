import { checkOwnExample } from "../../../policies/checkpoint/load-teacher.ts";
import { checkWritable } from "../../../policies/checkpoint/rsl-rl-write.ts";
import { recordExample } from "../../../policies/flight-example.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { VectorEnv } from "../../../sim-adapters/vector-env.ts";
import { CompiledPolicies, compiledPolicy } from "../../learning/compiled-policies.ts";
import type { LearnerState } from "../../learning/learner.ts";
import type { Monitor } from "../../learning/monitors/monitor.ts";
import { Collector } from "../../running/collector.ts";
import { type EnvSplit, splitEnvs } from "../../running/env-split.ts";
import { EpisodeBook } from "../../running/episode-book.ts";
import { evaluate } from "../../running/evaluate.ts";
import type { RunState } from "../../running/run-state.ts";
import { RunningError } from "../../running/running-error.ts";
import type { Assembled, Site } from "../algorithm.ts";
import { createLearner } from "./create-learner.ts";
import { createStudent, visionOf } from "./create-student.ts";
import { evaluationWindow } from "./evaluation-window.ts";
import { watchLastingDrop } from "./lasting-drop.ts";
import { chooseTeacher, savedTeacher, type Teacher } from "./load-teacher.ts";
import { firstPhase } from "./phases.ts";
import { ReturnJudge } from "./return-judge.ts";
import { type DistilledPolicies, writeRunCheckpoint } from "./run-checkpoint.ts";
import type { DistillationConfig } from "./settings.ts";
import { studentActing } from "./student-acting.ts";
import { TeacherStudentActor, type TeacherStudentOptions } from "./teacher-student-actor.ts";
import { TwoStagePlan } from "./two-stage-plan.ts";

/** @throws RunningError, PolicyError, LearningError when configuration, policies and simulator don't fit. */
export async function assemble(site: Site<DistillationConfig>): Promise<Assembled> {
  const { config } = site;
  const env = site.env!;
  const { student, teacher } = await pairOf(site, env);
  const split = splitEnvs(env.spec.numEnvs, config.evaluation.env_share, ["student", "teacher"]);
  const window = evaluationWindow(config, split);
  const book = new EpisodeBook(split, window);
  const learnerFacts = { std: teacher.actor?.std };
  const learner = createLearner({ ...site, spec: env.spec, facts: learnerFacts }, student);
  const crew = createCrew(site, { student, teacher });
  const actor = createActor(site, { crew, split, env });
  const { needs } = learner;
  const { num_steps_per_env: steps, seed, max_iterations } = config;
  return {
    plan: new TwoStagePlan({ ...config.algorithm, max_iterations }),
    source: new Collector({ env, actor, book, split, needs, steps, seed, record: site.record }),
    learner,
    learnerFacts,
    judge: new ReturnJudge(book, window),
    monitors: monitorsOf(config, env.spec),
    write: (state) =>
      asLearned(site, state.learner, (learned) =>
        bytesOf(state, config, { student: learned, teacher, spec: env.spec }),
      ),
    check: (run) =>
      asLearned(site, run.state.learner, (learned) =>
        checkOwnExample(learned, (run.own as DistilledPolicies).file, "student", run.path),
      ),
    dispose: () => {
      crew.release();
      learner.dispose();
      for (const policy of [student, teacher.policy]) policy.dispose();
    },
    facts: factsOf(config, teacher),
  };
}

/** Both, found fit to fly. What is refused is freed: a program that tries one teacher after another goes on. */
async function pairOf(site: Site<DistillationConfig>, env: VectorEnv): Promise<Pair> {
  const { config, saved, dry } = site;
  const student = createStudent(config, env.spec);
  let teacher: Teacher | undefined;
  try {
    teacher = await teacherOf(site, env);
    checkLayout(config, { student, teacher });
    if (!saved && !dry) await checkTeacher(config, env, teacher);
    return { student, teacher };
  } catch (error) {
    for (const policy of [student, teacher?.policy]) policy?.dispose();
    throw error;
  }
}

async function teacherOf({ config, saved, say }: Site<DistillationConfig>, env: VectorEnv) {
  if (!saved) {
    const teacher = await chooseTeacher(config, env.spec);
    const { endpoint } = config.sim;
    if (config.checkpoint === null && endpoint !== null) {
      say(`nobody is named to teach (--checkpoint): it is ${teacher.description}`);
    }
    return teacher;
  }
  return savedTeacher(saved.own as DistilledPolicies, { spec: env.spec, path: saved.path });
}

interface Pair {
  readonly student: NetworkPolicy;
  readonly teacher: Teacher;
}

/** Both as they act. */
interface Crew extends Pick<TeacherStudentOptions, "student" | "teacher" | "together"> {
  /** Frees what was compiled of them. */
  readonly release: () => void;
}

/** In one call where both are networks, else the student in one of its own. */
function createCrew(
  { compile }: Pick<Site, "compile">,
  { student, teacher: { policy: teacher } }: Pair,
): Crew {
  if (compile && teacher instanceof NetworkPolicy) {
    const together = new CompiledPolicies(compile, [student, teacher]);
    return { student, teacher, together, release: () => together.dispose() };
  }
  const compiled = compiledPolicy(student, compile);
  return { student: compiled, teacher, release: () => compiled.dispose() };
}

interface Flying {
  readonly crew: Crew;
  readonly split: EnvSplit;
  readonly env: VectorEnv;
}

function createActor(
  { config: { policy, seed } }: Site<DistillationConfig>,
  { crew, split, env }: Flying,
): TeacherStudentActor {
  return new TeacherStudentActor({
    ...crew,
    action: env.spec.action,
    split,
    noiseStd: policy.init_noise_std,
    random: new Random(deriveSeed(seed, "noise")),
    draws: new Random(deriveSeed(seed, "draws")),
  });
}

/** Before the first step: can both be kept in the layout that is asked for? @throws CheckpointError */
function checkLayout({ checkpoint_version }: DistillationConfig, { student, teacher }: Pair): void {
  const shapes = student.network.parameters.map(({ name, value }) => [name, value] as const);
  const { layers = {}, doubled } = teacher.actor ?? {};
  const { head } = teacher.facts;
  const own = { layers: Object.fromEntries(shapes) };
  checkWritable(checkpoint_version, own, { layers, doubled, head });
}

/** One whole episode in every environment, flown by the teacher alone. @throws RunningError */
async function checkTeacher(
  { evaluation, seed }: DistillationConfig,
  env: VectorEnv,
  { policy, description }: Teacher,
): Promise<void> {
  const least = evaluation.min_teacher_return;
  if (least === null) return;
  const episodes = env.spec.numEnvs;
  const policies = { teacher: policy };
  const flown = await evaluate({ env, policies, episodes, seed: deriveSeed(seed, "reference") });
  const found = flown.teacher!.meanReturn;
  if (found >= least) return;
  throw new RunningError(
    "poor-teacher",
    `The teacher returns ${found.toFixed(2)} in its own reference flight on '${env.spec.task}' (${description}); evaluation.min_teacher_return asks for ${least}.`,
    "Check its activation (--activation) and observation groups (agent.obs_groups.teacher), or ask for less.",
  );
}

/** A student is measured by whole episodes: its return is that late. */
function monitorsOf(config: DistillationConfig, spec: EnvSpec): readonly Monitor[] {
  const { algorithm, max_iterations: all, num_steps_per_env } = config;
  const phase = firstPhase({ ...algorithm, max_iterations: all });
  if (phase.phase === 2) return [];
  const episode = Math.ceil(spec.maxEpisodeSteps / num_steps_per_env);
  const patience = Math.max(3 * episode, Math.ceil((all - phase.to) / 4));
  return [watchLastingDrop({ patience, phaseOne: phase.to, all })];
}

/** With the student of a state: the one that acts may be older than what has been learned. */
async function asLearned<T>(
  { config, env }: Site<DistillationConfig>,
  { arrays }: LearnerState,
  use: (student: NetworkPolicy) => Promise<T>,
): Promise<T> {
  const student = createStudent(config, env!.spec);
  try {
    studentActing(student).take(arrays);
    return await use(student);
  } finally {
    student.dispose();
  }
}

async function bytesOf(
  state: RunState,
  config: DistillationConfig,
  { student, teacher, spec }: Pair & { readonly spec: EnvSpec },
): Promise<Uint8Array> {
  const { init_noise_std, activation, history_length } = config.policy;
  const { reads } = student;
  const parts = {
    noiseStd: init_noise_std,
    student: {
      kind: "network",
      activation,
      reads,
      history: history_length,
      vision: visionOf(config, spec),
    },
    teacher: teacher.facts,
    teacherActor: teacher.actor,
    teacherModel: teacher.model,
  } as const;
  const examples = { student: await recordExample(student), teacher: teacher.example };
  return writeRunCheckpoint(state, parts, { version: config.checkpoint_version, examples });
}

/** For the `start` event. */
function factsOf({ algorithm, policy }: DistillationConfig, teacher: Teacher) {
  const { phase1_iterations, use_two_stage_training, teacher_share_schedule } = algorithm;
  return {
    phase1_iterations,
    use_two_stage_training,
    teacher_share_schedule,
    student: studentText(policy),
    teacher: teacher.description,
    ...(algorithm.gate_threshold === null ? {} : { gate: algorithm.gate_threshold }),
  };
}

/** E.g. `gru 128, mlp 128×128`. */
function studentText(policy: DistillationConfig["policy"]): string {
  const { rnn_type, rnn_hidden_dim, rnn_num_layers, history_length, student_hidden_dims } = policy;
  const layers = rnn_num_layers === 1 ? "" : `×${rnn_num_layers}`;
  const memory = rnn_type === null ? "" : `${rnn_type} ${rnn_hidden_dim}${layers}, `;
  const history = history_length === 1 ? "" : `${history_length} observations, `;
  return `${memory}${history}mlp ${student_hidden_dims.join("×")}`;
}
