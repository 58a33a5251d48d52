import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { deriveSeed, Random } from "../../policies/random.ts";
import { pilotFor } from "../../sim-adapters/built-in.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { chooseTeacher } from "../algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../algorithms/distillation/settings.ts";
import { ConfigError } from "../config/config-error.ts";
import { resolveConfig } from "../config/resolve.ts";
import { FlightRecorder, type RecordedResult } from "../datasets/flight-recorder.ts";
import { FlightWriter } from "../datasets/flight-writer.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { compiledPolicy } from "../learning/compiled-policies.ts";
import type { Stage } from "../learning/stage.ts";
import { Collector } from "../running/collector.ts";
import { splitEnvs } from "../running/env-split.ts";
import { EpisodeBook } from "../running/episode-book.ts";
import { type MixedPolicy, PolicyMix } from "../running/policy-mix.ts";
import { RequestQueue } from "../running/requests.ts";
import { nobodyLearns } from "../session/nobody-learns.ts";
import { onlySimulatorOverrides } from "../session/only-simulator-overrides.ts";
import { threadsOf } from "../session/threads.ts";
import { exitCodes } from "../training/exit-codes.ts";
import { warn } from "../training/messages.ts";
import { openSimulator } from "../training/open-simulator.ts";
import { watchSignals } from "../training/signals.ts";
import { type PolicyShare, parseShares } from "./policy-shares.ts";
import { ProgressBar } from "./progress-bar.ts";

interface RecordOptions {
  readonly output: string;
  readonly task?: string;
  readonly policy: readonly string[];
  readonly noise: string;
  readonly episodes: string;
  readonly num_envs?: string;
  readonly seed?: string;
  readonly sim?: string;
  readonly activation?: string;
  readonly device?: string;
  readonly compression: string;
  readonly overwrite?: boolean;
}

export function registerRecord(program: Command): void {
  program
    .command("record")
    .description("fly a policy, or several, and keep the flights for learning from them")
    .argument("[overrides...]", "env.KEY=VALUE, sim.KEY=VALUE: the simulator and the way to it")
    .requiredOption("-o, --output <PATH>", "FILE.hdf5, or a folder: flights in Minari's layout")
    .option("--task <NAME>", "task of a built-in simulator (default: quadcopter-noisy)")
    .option(
      "--policy <WHO>",
      "as --checkpoint of train: a .pt or .onnx file, a run folder, hover, pid, simulator, of slates random, logging, oracle, greedy; repeatable, WHO@SHARE of the episodes each",
      (value: string, before: readonly string[]) => [...before, value],
      [] as readonly string[],
    )
    .option("--noise <STD>", "standard deviation of the noise on actions, in their units", "0")
    .option("--episodes <N>", "whole episodes, shared out evenly over the environments", "100")
    .option("--num_envs <N>", "environments flown side by side")
    .option("--seed <N>", "of episodes, drivers and noise")
    .option("--sim <ENDPOINT>", "a simulator that is running, instead of the one built in")
    .option("--activation <NAME>", "activation of the policies' networks, where files lack it")
    .option("--device <NAME>", "where TensorFlow computes")
    .option("--compression <NAME>", "none, or gzip", "none")
    .option("--overwrite", "replace what is there")
    .addHelpText(
      "after",
      "\nfirstsolo record --task quadcopter --policy hover@0.5 --policy RUN@0.5 --noise 0.3 --episodes 400 -o flights.hdf5" +
        "\nThe first policy's actions are recorded as teacher_actions, the second's as student_actions, whoever drives.",
    )
    .action((overrides: string[], options: RecordOptions) =>
      record(overrides, options, program.version() ?? "0"),
    );
}

async function record(overrides: string[], options: RecordOptions, version: string) {
  const episodes = numberOf("--episodes", options.episodes, { whole: true });
  const noiseStd = numberOf("--noise", options.noise, { whole: false });
  const shares = parseShares(chosenPolicies(options));
  checkCompression(options.compression);
  const hint = "Drop it; `firstsolo record --help` lists the flags.";
  onlySimulatorOverrides(overrides, "a recording", hint);
  const config = configOf(overrides, options);
  refuseExisting(options);
  const signals = watchSignals(new RequestQueue(), warn);
  await startEngine(parseDevice(config.device).device, { threads: threadsOf(config), warn });
  const told = { onNotice: warn, onWaiting: warn };
  const taught = shares.some(({ who }) => who === "simulator");
  const wishes = taught ? [{ teacherActions: true }] : [];
  const opened = { wishes, signal: signals.abort, version, ...told };
  const simulator = await openSimulator(config, opened);
  try {
    const { env } = simulator;
    const policies = await policiesOf(shares, config, env);
    const site = { env, config, policies, noiseStd, episodes, stop: signals.abort };
    const result = await fly(site, options);
    for (const { policy } of policies) policy.dispose();
    console.log(describe(result, simulator.description));
    if (signals.interrupted) process.exitCode = exitCodes.interrupted;
  } finally {
    signals.release();
    await simulator.close();
  }
}

/** Of who isn't told, the pilot in the house for the task. */
function chosenPolicies({ policy, task = "quadcopter-noisy" }: RecordOptions): readonly string[] {
  return policy.length > 0 ? policy : [pilotFor(task)];
}

function checkCompression(name: string): void {
  if (name === "none" || name === "gzip") return;
  throw new ConfigError(
    "bad-value",
    `--compression is ${name}; expected none or gzip`,
    "Drop it: simulated flights hardly shrink.",
  );
}

/** Before anything is started or flown. */
function refuseExisting({ output, overwrite }: RecordOptions): void {
  if (overwrite || !existsSync(output)) return;
  throw new ConfigError(
    "exists",
    `${resolve(output)} is there already`,
    "Choose another name, or replace it: --overwrite.",
  );
}

function configOf(overrides: readonly string[], options: RecordOptions): DistillationConfig {
  const { task, num_envs, seed, device, activation, sim } = options;
  const keys = { task, num_envs, seed, device, "policy.teacher_activation": activation };
  const flags = Object.entries({ ...keys, "sim.endpoint": sim }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const { config } = resolveConfig({ overrides: [...nobodyLearns, ...flags, ...overrides] });
  return config as DistillationConfig;
}

/** Named by their order: the first teaches. */
async function policiesOf(
  shares: readonly PolicyShare[],
  config: DistillationConfig,
  env: VectorEnv,
): Promise<readonly MixedPolicy[]> {
  const policies: MixedPolicy[] = [];
  for (const [i, { who, share }] of shares.entries()) {
    const { policy } = await chooseTeacher({ ...config, checkpoint: who }, env.spec);
    policies.push({ name: nameOf(i), policy, share });
  }
  return policies;
}

function nameOf(index: number): string {
  return ["teacher", "student"][index] ?? `policy_${index}`;
}

interface Site {
  readonly env: VectorEnv;
  readonly config: DistillationConfig;
  readonly policies: readonly MixedPolicy[];
  readonly noiseStd: number;
  readonly episodes: number;
  readonly stop: AbortSignal;
}

const stage: Stage = {
  ...{ name: "recording", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: {},
};

async function fly(site: Site, options: RecordOptions): Promise<RecordedResult> {
  const { env, config, policies, noiseStd, episodes, stop } = site;
  const { numEnvs, action } = env.spec;
  const writer = await FlightWriter.create(options.output, env.spec, {
    compression: options.compression === "gzip" ? "gzip" : "none",
    existing: options.overwrite ? "replace" : "refuse",
    metadata: { algorithm_name: `firstsolo record ${options.policy.join(" ")}`.trim() },
  });
  const recorder = new FlightRecorder(writer, { episodes, wholeOnly: true });
  const bar = new ProgressBar("recording", "episodes", episodes);
  const random = new Random(deriveSeed(config.seed, "recording"));
  const split = splitEnvs(numEnvs, 0, ["student"]);
  const compile = compileWith(config.compile);
  const compiled = policies.map((one) => ({ ...one, policy: compiledPolicy(one.policy, compile) }));
  const source = new Collector({
    ...{ env, split, seed: config.seed, steps: 20 },
    actor: new PolicyMix({ policies: compiled, action, numEnvs, noiseStd, random }),
    book: new EpisodeBook(split, 1),
    needs: { groups: [], successors: [], notes: [] },
    record: (experience) => recorder.add(experience),
  });
  try {
    await source.start();
    while (!recorder.isDone && !stop.aborted) {
      await source.next(stage);
      bar.show(recorder.finished);
    }
  } catch (error) {
    if (recorder.finished === 0) writer.abandon();
    else if (stop.aborted) return recorder.close("drop");
    else sayKept(recorder.close("drop"));
    throw error;
  } finally {
    bar.end();
    for (const { policy } of compiled) policy.dispose();
  }
  return recorder.close("drop");
}

/** Whole episodes that were flown before something failed are flights as good as any. */
function sayKept({ path, episodes }: RecordedResult): void {
  warn(`${path} holds the ${episodes} episodes that were flown before this`);
}

function describe(result: RecordedResult, simulator: string): string {
  const { path, minariFolder, episodes, steps } = result;
  return [
    `${path}: ${episodes} episodes, ${steps} steps, flown in ${simulator}`,
    `look at it: firstsolo inspect ${path}; with Minari: minari.MinariDataset("${minariFolder}")`,
  ].join("\n");
}

function numberOf(flag: string, text: string, { whole }: { readonly whole: boolean }): number {
  const value = Number(text);
  const fine = whole ? Number.isSafeInteger(value) && value > 0 : value >= 0 && value < Infinity;
  if (fine && text.trim() !== "") return value;
  throw new ConfigError(
    "bad-value",
    `${flag} is ${JSON.stringify(text)}; expected ${whole ? "a whole number from 1" : "a number, 0 or above"}`,
    `For example ${flag} ${whole ? 400 : 0.3}.`,
  );
}
