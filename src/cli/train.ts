import { join } from "node:path";
import type { Command } from "commander";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { refuseChangedRun } from "../config/kept-keys.ts";
import { type Resolved, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { toYaml } from "../config/to-yaml.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { loadOwnSink } from "../metrics/own-sink.ts";
import { RequestQueue } from "../running/requests.ts";
import type { Progress } from "../running/run-state.ts";
import { ControlMailbox, refuseSecondFlight } from "../runs/control.ts";
import { createRun, newRunId } from "../runs/create-run.ts";
import { type OpenedRun, openRun } from "../runs/open-run.ts";
import { RunError } from "../runs/run-error.ts";
import { setAsideLater } from "../runs/set-aside.ts";
import { prepareRun } from "../training/assemble.ts";
import { Notices } from "../training/messages.ts";
import { openSimulator } from "../training/open-simulator.ts";
import { openSinks } from "../training/open-sinks.ts";
import { type SignalWatch, watchSignals } from "../training/signals.ts";
import { trainRun } from "../training/train-run.ts";
import { chooseUi, type Ui } from "../tui/choose-ui.ts";
import { withTeacher } from "./find-teacher.ts";
import { threadsOf } from "./threads.ts";
import {
  addTrainOptions,
  type ParsedOptions,
  type ResumeRequest,
  type TrainInput,
  trainInput,
} from "./train-options.ts";

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a student: distill a teacher, or learn from recorded flights");
  addTrainOptions(command).action(async (overrides: string[], options: ParsedOptions) => {
    const requests = new RequestQueue();
    const notices = new Notices();
    const signals = watchSignals(requests, notices.say);
    try {
      const input = trainInput(overrides, options);
      const version = program.version() ?? "0";
      process.exitCode = await train(input, { requests, signals, notices, version });
    } finally {
      signals.release();
    }
  });
}

interface Shell {
  readonly requests: RequestQueue;
  readonly signals: SignalWatch;
  readonly notices: Notices;
  readonly version: string;
}

async function train(input: TrainInput, shell: Shell): Promise<number> {
  const { requests, signals, notices } = shell;
  const warn = notices.say;
  for (const line of input.notices ?? []) warn(line);
  const opened = input.resume && (await findRun(input, input.resume));
  const resolved = await resolveRun(input, opened);
  const { config, algorithm } = resolved;
  const saved = opened && (await algorithm.read(opened.checkpoint));
  const ui = chooseUi(config.ui, process);
  announce(resolved, ui, warn);
  const ownSinks = await Promise.all(config.sinks.map(loadOwnSink));
  const threads = threadsOf(config);
  const engine = await startEngine(parseDevice(config.device).device, { threads, warn });
  const id = opened?.run.id ?? newRunId();
  const simulator = await simulatorFor(resolved, id, shell);
  try {
    const env = simulator?.env;
    const prepared = await prepareRun(algorithm, { config, env, saved, say: warn });
    const { start, assembled } = prepared;
    const agentYaml = toYaml(config, resolved.sources);
    const claim = { config, id, agentYaml, requests, warn };
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
      ownSinks,
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
    await simulator?.close();
  }
}

async function resolveRun(input: TrainInput, opened: OpenedRun | undefined): Promise<Resolved> {
  const base = opened ? { base: opened.run.agentYamlPath } : {};
  const given = input.teacher ? await withTeacher(input.config, input.teacher) : input.config;
  const resolved = resolveConfig({ ...base, ...given });
  const { config, algorithm } = resolved;
  if (opened) refuseChangedRun(resolveConfig(base).config, config, algorithm);
  return {
    ...resolved,
    config: (await algorithm.complete?.(config, { resumed: opened !== undefined })) ?? config,
  };
}

async function simulatorFor({ config, algorithm }: Resolved, run: string, shell: Shell) {
  const { signals, notices, version } = shell;
  if (!algorithm.flies(config)) return undefined;
  const told = { onNotice: notices.say, onWaiting: notices.say };
  const wishes = algorithm.wishes(config);
  return openSimulator(config, {
    wishes,
    signal: signals.abort,
    version,
    run,
    revive: true,
    ...told,
  });
}

interface Claim {
  readonly config: Config;
  readonly id: string;
  readonly agentYaml: string;
  readonly requests: RequestQueue;
  readonly warn: (line: string) => void;
}

/** The run's folder, known as flown by us before anything in it is changed. */
async function claimRun(opened: OpenedRun | undefined, start: Progress, claim: Claim) {
  const { config, id, agentYaml, requests, warn } = claim;
  const run = opened?.run ?? (await createRun(config, { id, agentYaml }));
  const mailbox = ControlMailbox.open(run.path, requests, { onFailure: warn });
  if (opened) await goOn(opened, start, claim);
  return { run, mailbox };
}

/** Makes the folder of a resumed run what it was at that checkpoint. */
async function goOn({ run, checkpoint }: OpenedRun, start: Progress, claim: Claim): Promise<void> {
  const { config, agentYaml, warn } = claim;
  await run.saveParams("agent", agentYaml);
  const later = await setAsideLater(run, start.iteration, checkpoint);
  if (later.length > 0) {
    warn(`going on from an older checkpoint; put into superseded/: ${later.join(", ")}`);
  }
  if (start.iteration < config.max_iterations) return;
  warn(`all ${config.max_iterations} iterations are flown; --max_iterations N flies on`);
}

async function findRun(input: TrainInput, request: ResumeRequest): Promise<OpenedRun> {
  const { path, ...patterns } = request;
  const { log_root, experiment_name } = resolveConfig(input.config).config;
  const opened = await openRun(path ?? join(log_root, experiment_name), patterns);
  refuseSecondFlight(opened.run.path);
  await refuseForeign(opened.checkpoint);
  return opened;
}

/** Before its configuration is looked for: somebody else's run need not have one. @throws RunError */
async function refuseForeign(checkpoint: string): Promise<void> {
  const { kind } = await readCheckpointFile(checkpoint);
  if (kind !== "ppo") return;
  throw new RunError(
    "not-our-run",
    `${checkpoint} is a PPO checkpoint: there is no distillation to go on with`,
    "Use it as a teacher: --checkpoint FILE without --resume.",
  );
}

/** What will be flown, once, for whoever reads along; programs find it in `params/agent.yaml`. */
function announce(
  { config, sources, notices }: Resolved,
  ui: Ui,
  say: (line: string) => void,
): void {
  for (const line of notices) say(line);
  if (ui === "jsonl" || ui === "none") return;
  process.stdout.write(`${toYaml(config, sources)}\n`);
}
