import { flownIn, type Resolved } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { toYaml } from "../config/to-yaml.ts";
import { compileWith } from "../engine/compile/compile.ts";
import type { Compile } from "../engine/compile/program.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { loadOwnSink } from "../metrics/own-sink.ts";
import { newRunId } from "../runs/create-run.ts";
import { prepareRun } from "../training/assemble.ts";
import type { Simulator } from "../training/open-simulator.ts";
import { openSinks } from "../training/open-sinks.ts";
import { learnsBeside } from "../training/pipeline/choose-pipeline.ts";
import { LearnerThread } from "../training/pipeline/learner-thread.ts";
import type { Recording } from "../training/recording.ts";
import type { Prepared, RunContext } from "../training/run-context.ts";
import { trainRun } from "../training/train-run.ts";
import { chooseUi } from "../tui/choose-ui.ts";
import { claimRun } from "./claim-run.ts";
import { recordingFor } from "./record-flights.ts";
import { type Checked, rehearse } from "./rehearse.ts";
import { asksForNumber, resolveRun, searchOf } from "./resolve-run.ts";
import { findRun, resumePoint } from "./resume.ts";
import type { Shell } from "./shell.ts";
import { simulatorFor } from "./simulator-for.ts";
import { threadsOf } from "./threads.ts";
import type { TrainInput } from "./train-input.ts";

/** A run from its configuration to its summary; gives the exit code. */
export async function train(input: TrainInput, shell: Shell): Promise<number> {
  const checked = await check(input, shell);
  return input.dryRun ? rehearse(checked, input, shell) : fly(checked, input, shell);
}

/** Everything that can be known before a simulator is asked and a folder made. */
async function check(input: TrainInput, { notices }: Shell): Promise<Checked> {
  const warn = notices.say;
  for (const line of input.notices ?? []) warn(line);
  const found = input.resume && (await findRun(input.resume, searchOf(input)));
  const resolved = await resolveRun(input, found);
  const { config, algorithm, sources } = resolved;
  const opened = found && (await resumePoint(found, algorithm));
  const ui = chooseUi(config.ui, process);
  for (const line of resolved.notices) warn(line);
  if (input.printConfig) process.stdout.write(`${toYaml(config, sources)}\n`);
  for (const line of opened?.remarks ?? []) warn(line);
  const ownSinks = await Promise.all(config.sinks.map(loadOwnSink));
  const threads = threadsOf(config);
  const engine = await startEngine(parseDevice(config.device).device, { threads, warn });
  const anyNumber = opened === undefined && !asksForNumber(input, resolved);
  return { resolved, opened, ui, ownSinks, threads, engine, anyNumber };
}

async function fly(checked: Checked, input: TrainInput, shell: Shell): Promise<number> {
  const { resolved, opened, engine, threads, anyNumber } = checked;
  const { algorithm } = resolved;
  const saved = opened?.saved;
  const say = shell.notices.say;
  const id = opened?.run.id ?? newRunId();
  const beside = learnsBeside(resolved.config, { algorithm, engine, saved });
  const known = { algorithm: algorithm.name, device: engine.device, threads };
  const thread = beside ? new LearnerThread(known) : undefined;
  let simulator: Simulator | undefined;
  let recording: Recording | undefined;
  let prepared: Prepared | undefined;
  try {
    simulator = await simulatorFor(resolved, { run: id, anyNumber }, shell);
    const env = simulator?.env;
    const config = env ? flownIn(resolved, env.spec) : resolved.config;
    const compile = compileWith(config.compile);
    recording = await recordingFor(input, algorithm, env);
    const site = { config, env, saved, record: recording?.add, say, compile };
    prepared = await prepareRun(algorithm, site, { thread });
    const ready = { config, id, prepared, simulator, compile };
    return await trainRun(await takeOff(ready, checked, shell));
  } finally {
    if (recording) say(recording.close());
    await thread?.close();
    prepared?.assembled.dispose();
    await prepared?.assembled.source.close();
    await simulator?.close();
  }
}

interface Ready {
  /** As it is flown. */
  readonly config: Config;
  readonly id: string;
  readonly prepared: Prepared;
  readonly simulator: Simulator | undefined;
  readonly compile: Compile;
}

/** Everything is on its place: now the run gets its folder, and its rows their places. */
async function takeOff(ready: Ready, checked: Checked, shell: Shell): Promise<RunContext> {
  const { config, id, prepared, simulator, compile } = ready;
  const { resolved, opened, engine, ui, ownSinks } = checked;
  const { requests, signals, notices, observers = [] } = shell;
  const { algorithm, sources } = resolved;
  const { start, assembled } = prepared;
  const agentYaml = toYaml(config, sources);
  const claim = { config, algorithm, id, agentYaml, requests, warn: notices.say };
  const { run, mailbox } = await claimRun(opened, start, claim);
  simulator?.logTo(run.simLogPath);
  const sinks = await openSinks({
    ...{ config, run, start, ui, requests, mailbox, notices },
    resumed: opened !== undefined,
    interrupt: () => signals.interrupt(),
    simulatorLog: simulator?.log ?? (() => []),
    ownSinks: [...ownSinks, ...observers],
    facts: assembled.facts,
  });
  signals.takeOff();
  const measured = opened && !asksForReport(resolved) ? 0 : config.checks.report_gradients;
  const parts = { ...prepared, config, algorithm, run, sinks, simulator, engine, signals };
  return { ...parts, compile, requests, measured };
}

/** A run that goes on was measured at its start: only who asks again is told again. */
function asksForReport({ sources }: Resolved): boolean {
  return sources["checks.report_gradients"]?.startsWith("--") ?? false;
}
