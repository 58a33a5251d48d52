import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { EnvSpec } from "../../protocol/spec.ts";
import { wordsOf } from "../../protocol/visible.ts";
import type { Algorithm, Wish } from "../algorithms/algorithm.ts";
import { chooseTeacher } from "../algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../algorithms/distillation/settings.ts";
import { ConfigError } from "../config/config-error.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Evaluation } from "../running/evaluate.ts";
import { RequestQueue } from "../running/requests.ts";
import { locateRun } from "../runs/locate-run.ts";
import { openRun } from "../runs/open-run.ts";
import { evaluateRun } from "../training/evaluate-run.ts";
import { warn } from "../training/messages.ts";
import { openSimulator } from "../training/open-simulator.ts";
import { watchSignals } from "../training/signals.ts";
import { taskFiguresOf, verdictOf } from "../training/verdict.ts";
import { measureAlone } from "./eval-alone.ts";
import { onlySimulatorOverrides } from "./only-simulator-overrides.ts";
import { threadsOf } from "./threads.ts";

interface EvalOptions {
  readonly episodes: string;
  readonly last?: boolean;
  readonly num_envs?: string;
  readonly sim?: string;
  readonly seed?: string;
  readonly device?: string;
  readonly planner?: string;
  readonly shuffle_group?: string;
  readonly against?: string;
  readonly task?: string;
  readonly json?: boolean;
}

export function registerEval(program: Command): void {
  program
    .command("eval")
    .description("fly a run's student and its teacher, greedily, and compare")
    .argument(
      "[run]",
      "a run folder (its best student, else the last), or a checkpoint in it; default: the newest under logs/rsl_rl",
    )
    .argument("[overrides...]", "env.KEY=VALUE, sim.KEY=VALUE: the simulator and the way to it")
    .option("--episodes <N>", "whole episodes of each pilot, at least", "200")
    .option("--last", "the last student instead of the best one")
    .option("--num_envs <N>", "environments flown side by side (default: the run's)")
    .option("--seed <N>", "of the episodes (default: the run's)")
    .option("--sim <ENDPOINT>", "a simulator that is running (default: the run's choice)")
    .option("--device <NAME>", "where TensorFlow computes (default: the run's choice)")
    .option(
      "--against <WHO>",
      "who flies beside the student in place of its teacher: a file, a run, hover, pid, simulator; of slates random, logging, oracle, greedy",
    )
    .option(
      "--task <NAME>",
      "fly any policy alone in this task: a checkpoint, an ONNX file, hover, pid, latest; of slates random, logging, oracle, greedy",
    )
    .option("--planner <NAME>", "who plans in a learned model before acting: mcts or one_step")
    .option(
      "--shuffle_group <GROUP>",
      "also fly the student with this group's rows shuffled between environments: does it use them?",
    )
    .option("--json", "one JSON document")
    .action((run: string | undefined, more: string[], options: EvalOptions) => {
      // Without a run the first argument is an override already.
      const named = run !== undefined && !isOverride(run);
      const path = options.task !== undefined && named ? run : locateRunOf(named ? run : undefined);
      const overrides = named || run === undefined ? more : [run, ...more];
      return evaluateCommand(path, overrides, { ...options, version: program.version() ?? "0" });
    });
}

type Evaluating = EvalOptions & { readonly version: string };

async function evaluateCommand(path: string, overrides: string[], options: Evaluating) {
  const signals = watchSignals(new RequestQueue(), warn);
  try {
    const figures = await measure(path, overrides, { ...options, stop: signals.abort, warn });
    console.log(options.json ? JSON.stringify(figures) : describe(figures));
  } finally {
    signals.release();
  }
}

export type Measuring = Omit<Evaluating, "json"> & {
  readonly stop?: AbortSignal | undefined;
  readonly warn: (line: string) => void;
};

/** What `summary.json` says, by the same names, and what the task and the options ask for besides. */
export async function measure(
  path: string,
  overrides: readonly string[],
  options: Measuring,
): Promise<Readonly<Record<string, unknown>>> {
  const { warn, stop = new AbortController().signal } = options;
  const episodes = wholeNumber("--episodes", options.episodes);
  // The students are as their checkpoints hold them.
  onlySimulatorOverrides(overrides, "an evaluation", "Drop it; to change a student, train one.");
  const { task } = options;
  if (task !== undefined) {
    const more = [...flagsOf(options), ...overrides];
    return measureAlone(path, more, { task, episodes, version: options.version, stop, warn });
  }
  const prefer = options.last ? "latest" : "best";
  const { run, checkpoint } = await openRun(path, { prefer });
  const { config, algorithm } = resolveConfig({
    base: run.agentYamlPath,
    overrides: [...flagsOf(options), ...overrides],
  });
  if (!algorithm.flies(config)) throw flownNowhere(run.path);
  checkPlanner(algorithm, options.planner);
  // As the run had: the figures of its summary come out again to the last bit.
  await startEngine(parseDevice(config.device).device, { threads: threadsOf(config), warn });
  const { version } = options;
  const simulator = await openSimulator(config, {
    wishes: wishesOf(algorithm.wishes(config), options.against),
    signal: stop,
    version,
    onNotice: warn,
    onWaiting: warn,
  });
  try {
    const { env } = simulator;
    const { seed } = config;
    let planning: Metrics = {};
    const tell = (figures: Metrics) => {
      planning = figures;
    };
    const { planner, shuffle_group: shuffle } = options;
    const compile = compileWith(config.compile);
    const acting = planner === undefined ? {} : { acting: { planner, tell, compile } };
    const against = await rivalOf(options.against, config, env.spec);
    const flight = { algorithm, env, episodes, seed, stop, shuffle, against, ...acting };
    const flown = await evaluateRun(checkpoint, flight);
    const figures = { ...verdictOf(flown), ...taskFiguresOf(flown), ...ablationOf(flown, shuffle) };
    return { ...figures, ...(planner && { planner, ...planning }), checkpoint };
  } finally {
    await simulator.close();
  }
}

function flagsOf({
  num_envs,
  seed,
  device,
  sim,
}: Pick<EvalOptions, "num_envs" | "seed" | "device" | "sim">) {
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
    shuffled_share: meanReturn / student.meanReturn,
  };
}

function flownNowhere(run: string): ConfigError {
  return new ConfigError(
    "no-simulator",
    `${run} was trained without a simulator: nothing says where its student could fly`,
    "Name one that is running: --sim ENDPOINT.",
  );
}

function describe(figures: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(figures).filter(([, value]) => value !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const lines = known.map(
    ([name, value]) =>
      `${name.padStart(width)}: ${typeof value === "number" ? +value.toFixed(4) : wordsOf(value)}`,
  );
  return lines.join("\n");
}

/** What was named, or the newest run. */
function locateRunOf(named: string | undefined): string {
  if (named !== undefined) return named;
  const newest = locateRun(undefined);
  warn(`the newest run: ${newest}`);
  return newest;
}

function isOverride(argument: string): boolean {
  return /^\+*[\w.]+=/.test(argument) && !existsSync(argument);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ConfigError(
    "bad-value",
    `${flag} is ${text}; expected a whole number from 1`,
    `For example ${flag} 100.`,
  );
}
