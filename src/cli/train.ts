import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { type Resolved, resolveConfig } from "../config/resolve.ts";
import { toYaml } from "../config/to-yaml.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { loadOwnSink } from "../metrics/own-sink.ts";
import { Steering } from "../running/steering.ts";
import { readRunCheckpoint } from "../runs/checkpoint.ts";
import { createRun } from "../runs/create-run.ts";
import { openRun } from "../runs/open-run.ts";
import { RunError } from "../runs/run-error.ts";
import { chooseUi, type Ui } from "../tui/choose-ui.ts";
import { conduct } from "./conduct.ts";
import { prepareFlight, type Resumed } from "./flight-deck.ts";
import { Notices } from "./notices.ts";
import { type SignalWatch, watchSignals } from "./signals.ts";
import { openSimulator } from "./simulator.ts";
import { openSinks } from "./sinks.ts";
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
      process.exitCode = await train(input, { steering, signals, notices });
    } finally {
      signals.release();
    }
  });
}

interface Tower {
  readonly steering: Steering;
  readonly signals: SignalWatch;
  readonly notices: Notices;
}

async function train(input: TrainInput, tower: Tower): Promise<number> {
  const { steering, signals, notices } = tower;
  const warn = notices.say;
  const resumed = input.resume && (await findRun(input, input.resume));
  const base = resumed ? { base: resumed.run.agentYamlPath } : {};
  const resolved = resolveConfig({ ...base, ...input.config });
  const { config } = resolved;
  const ui = chooseUi(config.ui, process);
  announce(resolved, ui, warn);
  const ownSinks = await Promise.all(config.sinks.map(loadOwnSink));
  const threads = config.threads ?? Math.max(1, availableParallelism() - 1);
  const engine = await startEngine(parseDevice(config.device).device, { threads, warn });
  const signal = signals.abort;
  const simulator = await openSimulator(config, { signal, onNotice: warn, onWaiting: warn });
  try {
    const deck = await prepareFlight({ config, env: simulator.env, steering, resumed });
    const agentYaml = toYaml(config, resolved.sources);
    const run = resumed?.run ?? (await createRun(config, { agentYaml }));
    if (resumed) await run.saveParams("agent", agentYaml);
    simulator.logTo(run.simLogPath);
    const sinks = await openSinks({
      config,
      run,
      start: deck.start,
      resumed: !!resumed,
      ui,
      steering,
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

async function findRun(input: TrainInput, request: ResumeRequest): Promise<Resumed> {
  const { path, ...patterns } = request;
  const { log_root, experiment_name } = resolveConfig(input.config).config;
  const { run, checkpoint } = await openRun(path ?? join(log_root, experiment_name), patterns);
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
