import { join } from "node:path";
import type { Command } from "commander";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { readRunCheckpoint } from "../algorithms/distillation/run-checkpoint.ts";
import { refuseChangedRun } from "../config/kept-keys.ts";
import { type Resolved, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { toYaml } from "../config/to-yaml.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { loadOwnSink } from "../metrics/own-sink.ts";
import { Steering } from "../running/requests.ts";
import type { Progress } from "../running/train-loop.ts";
import { ControlMailbox, refuseSecondFlight } from "../runs/control.ts";
import { createRun, newRunId } from "../runs/create-run.ts";
import { openRun } from "../runs/open-run.ts";
import { RunError } from "../runs/run-error.ts";
import { setAsideLater } from "../runs/set-aside.ts";
import { prepareFlight, type Resumed } from "../training/assemble.ts";
import { Notices } from "../training/messages.ts";
import { openSimulator } from "../training/open-simulator.ts";
import { openSinks } from "../training/open-sinks.ts";
import { type SignalWatch, watchSignals } from "../training/signals.ts";
import { conduct } from "../training/train-run.ts";
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
  const command = program.command("train").description("distill a teacher into a student");
  addTrainOptions(command).action(async (overrides: string[], options: ParsedOptions) => {
    const steering = new Steering();
    const notices = new Notices();
    const signals = watchSignals(steering, notices.say);
    try {
      const input = trainInput(overrides, options);
      const version = program.version() ?? "0";
      process.exitCode = await train(input, { steering, signals, notices, version });
    } finally {
      signals.release();
    }
  });
}

interface Tower {
  readonly steering: Steering;
  readonly signals: SignalWatch;
  readonly notices: Notices;
  readonly version: string;
}

async function train(input: TrainInput, tower: Tower): Promise<number> {
  const { steering, signals, notices, version } = tower;
  const warn = notices.say;
  const resumed = input.resume && (await findRun(input, input.resume));
  const base = resumed ? { base: resumed.run.agentYamlPath } : {};
  const given = input.teacher ? await withTeacher(input.config, input.teacher) : input.config;
  const resolved = resolveConfig({ ...base, ...given });
  const { config } = resolved;
  if (resumed) refuseChangedRun(resolveConfig(base).config, config);
  const ui = chooseUi(config.ui, process);
  announce(resolved, ui, warn);
  const ownSinks = await Promise.all(config.sinks.map(loadOwnSink));
  const threads = threadsOf(config);
  const engine = await startEngine(parseDevice(config.device).device, { threads, warn });
  const signal = signals.abort;
  const told = { onNotice: warn, onWaiting: warn };
  const id = resumed?.run.id ?? newRunId();
  const simulator = await openSimulator(config, { signal, version, run: id, ...told });
  try {
    const deck = await prepareFlight({ config, env: simulator.env, steering, resumed });
    const agentYaml = toYaml(config, resolved.sources);
    const claim = { config, id, agentYaml, steering, warn };
    const { run, mailbox } = await claimRun(resumed, deck.start, claim);
    simulator.logTo(run.simLogPath);
    const sinks = await openSinks({
      config,
      run,
      start: deck.start,
      resumed: !!resumed,
      ui,
      steering,
      mailbox,
      interrupt: signals.interrupt,
      simulatorLog: simulator.log,
      ownSinks,
      notices,
    });
    signals.takeOff();
    return await conduct({ config, deck, run, sinks, simulator, engine, signals });
  } finally {
    await simulator.close();
  }
}

interface Claim {
  readonly config: Config;
  readonly id: string;
  readonly agentYaml: string;
  readonly steering: Steering;
  readonly warn: (line: string) => void;
}

/** The run's folder, known as flown by us before anything in it is changed. */
async function claimRun(resumed: Resumed | undefined, start: Progress, claim: Claim) {
  const { config, id, agentYaml, steering, warn } = claim;
  const run = resumed?.run ?? (await createRun(config, { id, agentYaml }));
  const mailbox = ControlMailbox.open(run.path, steering, { onFailure: warn });
  if (resumed) await goOn(resumed, start, claim);
  return { run, mailbox };
}

/** Makes the folder of a resumed run what it was at that checkpoint. */
async function goOn({ run, checkpoint }: Resumed, start: Progress, claim: Claim): Promise<void> {
  const { config, agentYaml, warn } = claim;
  await run.saveParams("agent", agentYaml);
  const later = await setAsideLater(run, start.iteration, checkpoint);
  if (later.length > 0) {
    warn(`going on from an older checkpoint; put into superseded/: ${later.join(", ")}`);
  }
  if (start.iteration < config.max_iterations) return;
  warn(`all ${config.max_iterations} iterations are flown; --max_iterations N flies on`);
}

async function findRun(input: TrainInput, request: ResumeRequest): Promise<Resumed> {
  const { path, ...patterns } = request;
  const { log_root, experiment_name } = resolveConfig(input.config).config;
  const { run, checkpoint } = await openRun(path ?? join(log_root, experiment_name), patterns);
  refuseSecondFlight(run.path);
  const file = await readCheckpointFile(checkpoint);
  if (file.kind === "distillation") {
    return { run, checkpoint, file, state: readRunCheckpoint(file, checkpoint) };
  }
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
