import { join } from "node:path";
import type { Command } from "commander";
import { TapeWriter } from "../../sim-adapters/tape/tape.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Algorithm } from "../algorithms/algorithm.ts";
import { ConfigError } from "../config/config-error.ts";
import { refuseChangedRun } from "../config/kept-keys.ts";
import { completed, flownIn, type Resolved, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { toYaml } from "../config/to-yaml.ts";
import { compileWith } from "../engine/compile/compile.ts";
import type { Engine } from "../engine/engine.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { loadOwnSink, type OwnSinkMaker } from "../metrics/own-sink.ts";
import { RequestQueue } from "../running/requests.ts";
import type { Progress } from "../running/run-state.ts";
import { ControlMailbox } from "../runs/control.ts";
import { createRun, newRunId } from "../runs/create-run.ts";
import { setAside, setAsideLater, sweepDrafts } from "../runs/set-aside.ts";
import { prepareRun } from "../training/assemble.ts";
import { exitCodes } from "../training/exit-codes.ts";
import { Notices } from "../training/messages.ts";
import { openSimulator, type Simulator } from "../training/open-simulator.ts";
import { openSinks } from "../training/open-sinks.ts";
import { learnsBeside } from "../training/pipeline/choose-pipeline.ts";
import { LearnerThread } from "../training/pipeline/learner-thread.ts";
import { openRecording, type Recording } from "../training/recording.ts";
import { type SignalWatch, watchSignals } from "../training/signals.ts";
import { trainRun } from "../training/train-run.ts";
import { chooseUi } from "../tui/choose-ui.ts";
import { dryRun } from "./dry-run.ts";
import { withTeacher } from "./find-teacher.ts";
import { type FoundRun, findRun, type ResumePoint, resumePoint } from "./resume.ts";
import { threadsOf } from "./threads.ts";
import {
  addTrainOptions,
  type ParsedOptions,
  type TrainInput,
  trainInput,
} from "./train-options.ts";
import { landedBy } from "./uncaught.ts";

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a student: distill a teacher, or learn from recorded flights");
  addTrainOptions(command).action(async (overrides: string[], options: ParsedOptions) => {
    const version = program.version() ?? "0";
    process.exitCode = await startTraining(() => trainInput(overrides, options), { version });
  });
}

/** A session of a terminal, from its first signal to its exit code. @param said what was asked for, looked at then */
export async function startTraining(
  said: () => TrainInput,
  more: Pick<Shell, "version" | "observers">,
): Promise<number> {
  const requests = new RequestQueue();
  const notices = new Notices();
  const signals = watchSignals(requests, notices.say);
  try {
    const input = said();
    const shell = { requests, signals, notices, ...more };
    return await landedBy(signals.land, () => train(input, shell));
  } finally {
    signals.release();
  }
}

/** Whoever trains: a terminal, or a program. */
export interface Shell {
  readonly requests: RequestQueue;
  readonly signals: SignalWatch;
  readonly notices: Notices;
  readonly version: string;
  /** Who else is told of every row and event. */
  readonly observers?: readonly OwnSinkMaker[];
}

/** A run from its configuration to its summary; gives the exit code. */
export async function train(input: TrainInput, shell: Shell): Promise<number> {
  const { requests, signals, notices } = shell;
  const warn = notices.say;
  for (const line of input.notices ?? []) warn(line);
  const found = input.resume && (await findRun(input.resume, searchOf(input)));
  const resolved = await resolveRun(input, found);
  const { algorithm } = resolved;
  let { config } = resolved;
  const opened = found && (await resumePoint(found, algorithm));
  const saved = opened?.saved;
  const ui = chooseUi(config.ui, process);
  for (const line of resolved.notices) warn(line);
  if (input.printConfig) process.stdout.write(`${toYaml(config, resolved.sources)}\n`);
  for (const line of opened?.remarks ?? []) warn(line);
  const ownSinks = await Promise.all(config.sinks.map(loadOwnSink));
  const threads = threadsOf(config);
  const engine = await startEngine(parseDevice(config.device).device, { threads, warn });
  const compile = compileWith(config.compile);
  const id = opened?.run.id ?? newRunId();
  const anyNumber = opened === undefined && !asksForNumber(input, resolved);
  if (input.dryRun) return rehearse({ resolved, opened, engine, anyNumber }, input, shell);
  const facts = { algorithm: algorithm.name, device: engine.device, threads };
  const beside = learnsBeside(config, { algorithm, engine, saved });
  const thread = beside ? new LearnerThread(facts) : undefined;
  let simulator: Simulator | undefined;
  let recording: Recording | undefined;
  try {
    simulator = await simulatorFor(resolved, { run: id, anyNumber }, shell);
    const env = simulator?.env;
    if (env) config = flownIn(resolved, env.spec);
    recording = await recordingFor(input, algorithm, env);
    const site = { config, env, saved, record: recording?.add, say: warn, compile };
    const prepared = await prepareRun(algorithm, site, { thread });
    const { start, assembled } = prepared;
    const agentYaml = toYaml(config, resolved.sources);
    const claim = { config, algorithm, id, agentYaml, requests, warn };
    const { run, mailbox } = await claimRun(opened, start, claim);
    simulator?.logTo(run.simLogPath);
    const sinks = await openSinks({
      config,
      run,
      start,
      resumed: !!opened,
      ui,
      requests,
      mailbox,
      interrupt: signals.interrupt,
      simulatorLog: simulator?.log ?? (() => []),
      ownSinks: [...ownSinks, ...(shell.observers ?? [])],
      notices,
      facts: assembled.facts,
    });
    signals.takeOff();
    const measured =
      opened && !resolved.sources["checks.report_gradients"]?.startsWith("--")
        ? 0
        : config.checks.report_gradients;
    const parts = { ...prepared, config, algorithm, run, sinks, simulator, engine, signals };
    return await trainRun({ ...parts, requests, measured });
  } finally {
    if (recording) warn(recording.close());
    await thread?.close();
    await simulator?.close();
  }
}

interface Checked {
  readonly resolved: Resolved;
  readonly opened: ResumePoint | undefined;
  readonly engine: Engine;
  readonly anyNumber: boolean;
}

/** A simulator that others run is greeted, ours is not started. */
async function rehearse(checked: Checked, input: TrainInput, shell: Shell): Promise<number> {
  const { resolved, anyNumber } = checked;
  const { algorithm, config } = resolved;
  checkRecord(input, algorithm, algorithm.flies(config));
  const { sim } = config;
  const untaped = { ...resolved, config: { ...config, sim: { ...sim, record_wire: null } } };
  const about = { run: newRunId(), anyNumber };
  const simulator = sim.endpoint === null ? undefined : await simulatorFor(untaped, about, shell);
  try {
    const { env, description } = simulator ?? {};
    const say = shell.notices.say;
    process.stdout.write(`${await dryRun({ ...checked, env, simulator: description, say })}\n`);
    return exitCodes.ok;
  } finally {
    await simulator?.close();
  }
}

async function recordingFor(
  input: TrainInput,
  algorithm: Algorithm,
  env: VectorEnv | undefined,
): Promise<Recording | undefined> {
  checkRecord(input, algorithm, env !== undefined);
  return input.record === undefined ? undefined : openRecording(input.record, env!.spec);
}

function checkRecord({ record }: TrainInput, { name, collects }: Algorithm, flies: boolean): void {
  if (record === undefined || (collects && flies)) return;
  throw new ConfigError(
    "no-effect",
    `--record ${record}: ${name} flies nothing that could be recorded`,
    "Drop it; `firstsolo record` flies a policy for that.",
  );
}

const places = /^(agent\.)?(log_root|experiment_name|algorithm\.class_name)(=|$)/;

/**
 * Where a run is looked for that nobody names. Of what was said, only the place counts: which keys there are is
 * known when the run is found.
 */
function searchOf({ config, strict }: TrainInput) {
  const { flags = [], overrides = [] } = config;
  const said = {
    ...config,
    flags: flags.filter(({ name }) => places.test(name)),
    overrides: overrides.filter((word) => places.test(word)),
  };
  const experiment = () => {
    const { log_root, experiment_name } = resolveConfig(said).config;
    return join(log_root, experiment_name);
  };
  return { experiment, strict };
}

async function resolveRun(input: TrainInput, found: FoundRun | undefined): Promise<Resolved> {
  const base = found ? { base: found.run.agentYamlPath } : {};
  const given = input.teacher ? await withTeacher(input.config, input.teacher) : input.config;
  const resolved = resolveConfig({ ...base, ...given });
  const { config, algorithm } = resolved;
  if (found) {
    const before = resolveConfig(base);
    refuseChangedRun(before.config, config, algorithm);
    if (!input.allowSinks) refuseForeignCode(resolved, before);
  }
  return completed(resolved, { resumed: found !== undefined });
}

/**
 * A sink is code. That a run's folder names one says nothing of whose folder it is: whoever goes on with the
 * run names it anew. @throws ConfigError
 */
function refuseForeignCode({ config, sources }: Resolved, before: Resolved): void {
  const [own] = config.sinks;
  if (own === undefined || sources.sinks !== before.sources.sinks) return;
  throw new ConfigError(
    "foreign-code",
    `The run's own configuration names a sink, ${own.module}: that is code, and nobody has asked for it now`,
    "Where you trust it: --allow_sinks; without it: sinks=[].",
  );
}

/** Whether somebody named a number of environments, be it the default. */
function asksForNumber({ config }: TrainInput, { sources }: Resolved): boolean {
  const { flags = [], overrides = [] } = config;
  const typed = overrides.some((word) => /^(agent\.)?num_envs=/.test(word));
  return typed || flags.some(({ name }) => name === "num_envs") || sources.num_envs !== undefined;
}

async function simulatorFor(
  { config, algorithm }: Resolved,
  about: { readonly run: string; readonly anyNumber: boolean },
  shell: Shell,
) {
  const { signals, notices, version } = shell;
  if (!algorithm.flies(config)) return undefined;
  const told = { onNotice: notices.say, onWaiting: notices.say };
  const wishes = algorithm.wishes(config);
  const path = config.sim.record_wire;
  const tape = path === null ? {} : { tape: new TapeWriter(path, notices.say) };
  const known = { version, revive: true, ...about, ...told, ...tape };
  return openSimulator(config, { wishes, signal: signals.abort, ...known });
}

interface Claim {
  readonly config: Config;
  readonly algorithm: Algorithm;
  readonly id: string;
  readonly agentYaml: string;
  readonly requests: RequestQueue;
  readonly warn: (line: string) => void;
}

/** The run's folder, known as flown by us before anything in it is changed. */
async function claimRun(opened: ResumePoint | undefined, start: Progress, claim: Claim) {
  const { config, algorithm, id, agentYaml, requests, warn } = claim;
  const manifest = { task: config.task, ...(algorithm.manifest ?? { library: "firstsolo" }) };
  const run = opened?.run ?? (await createRun(config, { id, agentYaml, manifest }));
  const mailbox = ControlMailbox.open(run.path, requests, { onFailure: warn });
  run.heldBy({ lock: mailbox.lock, say: warn });
  if (opened) await goOn(opened, start, claim);
  return { run, mailbox };
}

/** Makes the folder of a resumed run what it was at that checkpoint. */
async function goOn(opened: ResumePoint, start: Progress, claim: Claim): Promise<void> {
  const { run, saved, damaged } = opened;
  const { config, agentYaml, warn } = claim;
  await run.saveParams("agent", agentYaml);
  await sweepDrafts(run);
  await setAside(run, damaged, "damaged");
  const later = await setAsideLater(run, start.iteration, saved.path);
  if (later.length > 0) {
    warn(`going on from an older checkpoint; put into superseded/: ${later.join(", ")}`);
  }
  if (start.iteration < config.max_iterations) return;
  warn(`all ${config.max_iterations} iterations are flown; --max_iterations N flies on`);
}
