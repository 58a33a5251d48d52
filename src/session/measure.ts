import type { EnvSpec } from "../../protocol/spec.ts";
import type { Algorithm, Wish } from "../algorithms/algorithm.ts";
import { chooseTeacher } from "../algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../algorithms/distillation/settings.ts";
import { ConfigError } from "../config/config-error.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import { relativeReturn } from "../running/compare.ts";
import type { Evaluation } from "../running/evaluate.ts";
import { openRun } from "../runs/open-run.ts";
import { evaluateRun } from "../training/evaluate-run.ts";
import { openSimulator, type Simulator } from "../training/open-simulator.ts";
import { known, taskFiguresOf, verdictOf } from "../training/verdict.ts";
import { measureAlone } from "./measure-alone.ts";
import { nobodyLearns } from "./nobody-learns.ts";
import { onlySimulatorOverrides } from "./only-simulator-overrides.ts";
import { threadsOf } from "./threads.ts";

export interface Measuring {
  /** Whole episodes of each pilot, at least. */
  readonly episodes: number;
  /** The last student instead of the best one. */
  readonly last?: boolean;
  /** As they were typed: the configuration judges them. */
  readonly num_envs?: string | number;
  readonly seed?: string | number;
  readonly sim?: string;
  readonly device?: string;
  readonly planner?: string;
  /** This group's rows are also shuffled between environments. */
  readonly shuffle_group?: string;
  /** Who flies beside the student in place of its teacher. */
  readonly against?: string;
  /** Flies any policy alone in this task. */
  readonly task?: string;
  readonly version: string;
  readonly stop?: AbortSignal | undefined;
  readonly warn: (line: string) => void;
}

/** What `summary.json` says, by the same names, and what the task and the options ask for besides. */
export async function measure(
  path: string,
  overrides: readonly string[],
  options: Measuring,
): Promise<Readonly<Record<string, unknown>>> {
  const { episodes, warn, stop = new AbortController().signal } = options;
  // The students are as their checkpoints hold them.
  onlySimulatorOverrides(overrides, "an evaluation", "Drop it; to change a student, train one.");
  const { task } = options;
  if (task !== undefined) {
    refuseBeside(task, options);
    const more = [...flagsOf(options), ...overrides];
    return measureAlone(path, more, { task, episodes, version: options.version, stop, warn });
  }
  const { run, checkpoint } = await openRun(path, { prefer: options.last ? "latest" : "best" });
  const { num_envs, ...flags } = options;
  const { config: trained, algorithm } = resolveConfig({
    base: run.agentYamlPath,
    overrides: [...flagsOf(flags), ...overrides],
  });
  const config = { ...trained, num_envs: fleetOf(num_envs) ?? trained.num_envs };
  if (!algorithm.flies(config)) throw flownNowhere(run.path);
  checkPlanner(algorithm, options.planner);
  // As the run had: the figures of its summary come out again to the last bit.
  await startEngine(parseDevice(config.device).device, { threads: threadsOf(config), warn });
  const simulator = await openSimulator(config, {
    ...{ wishes: wishesOf(algorithm.wishes(config), options.against), signal: stop },
    ...{ version: options.version, onNotice: warn, onWaiting: warn },
  });
  try {
    const student = { checkpoint, config, algorithm, env: simulator.env };
    return await flown(student, { ...options, stop });
  } finally {
    await simulator.close();
  }
}

/** What asks for more than one pilot, or for a run. @throws ConfigError */
function refuseBeside(task: string, { against, planner, shuffle_group, last }: Measuring): void {
  const given = Object.entries({ against, planner, shuffle_group, last });
  const idle = given.flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [name],
  );
  if (idle.length === 0) return;
  throw new ConfigError(
    "bad-value",
    `--${idle.join(", --")} with --task ${task}: a policy that is named with a task flies alone, once`,
    "Drop one of both; a run is flown in its own task without --task.",
  );
}

interface Student {
  readonly checkpoint: string;
  readonly config: Config;
  readonly algorithm: Algorithm;
  readonly env: Simulator["env"];
}

async function flown(
  { checkpoint, config, algorithm, env }: Student,
  options: Measuring & { readonly stop: AbortSignal },
) {
  const { episodes, stop, planner, shuffle_group: shuffle } = options;
  let planning: Metrics = {};
  const tell = (figures: Metrics) => {
    planning = figures;
  };
  const compile = compileWith(config.compile);
  const acting = { compile, ...(planner && { planner, tell }) };
  const against = await rivalOf(options.against, config, env.spec);
  const { seed } = config;
  const flight = { algorithm, env, episodes, seed, stop, shuffle, against, acting };
  const evaluation = await evaluateRun(checkpoint, flight);
  return {
    ...{ ...verdictOf(evaluation), ...taskFiguresOf(evaluation) },
    ...ablationOf(evaluation, shuffle),
    ...(planner && { planner, ...planning }),
    checkpoint,
  };
}

/** Checked as a number, and not for what a run needs to learn with so many. @throws ConfigError */
function fleetOf(wanted: Measuring["num_envs"]): number | undefined {
  if (wanted === undefined) return undefined;
  return resolveConfig({ overrides: [...nobodyLearns, `num_envs=${wanted}`] }).config.num_envs;
}

function flagsOf({
  num_envs,
  seed,
  device,
  sim,
}: Pick<Measuring, "num_envs" | "seed" | "device" | "sim">) {
  const given = { num_envs, seed, device, "sim.endpoint": sim };
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}

/** Who flies beside the student may look at what no student sees. */
function wishesOf(wishes: readonly Wish[], against: string | undefined): readonly Wish[] {
  return against === undefined ? wishes : wishes.map(({ groups: _, ...others }) => others);
}

function checkPlanner({ name, planners = [] }: Algorithm, planner: string | undefined): void {
  if (planner === undefined || planners.includes(planner)) return;
  throw new ConfigError(
    "bad-value",
    planners.length === 0
      ? `--planner ${planner}: a student of ${name} has no model to plan in`
      : `--planner is ${planner}; expected one of ${planners.join(", ")}`,
    planners.length === 0 ? "Leave it out." : `For example --planner ${planners[0]}.`,
  );
}

async function rivalOf(who: string | undefined, config: Config, spec: EnvSpec) {
  if (who === undefined) return undefined;
  const { config: usual } = resolveConfig({ overrides: [`log_root=${config.log_root}`] });
  return (await chooseTeacher({ ...(usual as DistillationConfig), checkpoint: who }, spec)).policy;
}

/** What is left of the student's return where it sees others' rows of a group. */
function ablationOf({ student, shuffled }: Evaluation, group: string | undefined) {
  if (!student || !shuffled) return {};
  const { meanReturn, episodes } = shuffled;
  return {
    shuffled_group: group,
    shuffled_return: meanReturn,
    shuffled_episodes: episodes,
    shuffled_share: known(relativeReturn(meanReturn, student.meanReturn)),
  };
}

function flownNowhere(run: string): ConfigError {
  return new ConfigError(
    "no-simulator",
    `${run} was trained without a simulator: nothing says where its student could fly`,
    "Name one that is running: --sim ENDPOINT.",
  );
}
