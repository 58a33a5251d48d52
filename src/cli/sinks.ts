import type { Config } from "../config/schema.ts";
import { openCsv } from "../metrics/csv.ts";
import { openJsonl } from "../metrics/jsonl.ts";
import type { MetricSink } from "../metrics/metric-sink.ts";
import { jsonConsole, plainConsole } from "../metrics/plain-console.ts";
import { type NamedSink, tee } from "../metrics/tee.ts";
import { openTensorboard } from "../metrics/tensorboard.ts";
import { type TextWriter, textWriter } from "../metrics/text-writer.ts";
import { openWandb, type WandbSink } from "../metrics/wandb.ts";
import type { Progress } from "../running/flight.ts";
import type { Steering } from "../running/steering.ts";
import { ControlMailbox } from "../runs/control.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Ui } from "../tui/choose-ui.ts";
import { openScreen } from "../tui/open-screen.ts";

export interface SinkOptions {
  readonly config: Config;
  readonly run: RunFolder;
  /** Counters this session starts with; the console estimates from there. */
  readonly start: Progress;
  readonly resumed: boolean;
  /** What the terminal shows. */
  readonly ui: Ui;
  readonly steering: Steering;
  /** As Ctrl-C, which the screen's raw mode hides from the process. */
  readonly interrupt: () => void;
  readonly simulatorLog: () => readonly string[];
  readonly warn: (line: string) => void;
}

/** Every place the figures of a run go to, as one. */
export interface Sinks extends MetricSink {
  /** Where W&B's run is, if there is one. */
  readonly wandbFolder: string | undefined;
  /** A file of the run folder that W&B should have. */
  file(path: string): void;
  /** Closes them all; the last one reads what the first one wrote. */
  land(exitCode: number): Promise<void>;
}

export async function openSinks(options: SinkOptions): Promise<Sinks> {
  const { config, run, warn } = options;
  const resumeAt = options.resumed ? { resumeAt: options.start.iteration } : {};
  const jsonl = await openJsonl({ folder: run.path, ...resumeAt, onFailure: warn });
  const wandb = config.logger === "wandb" ? openWandbRun(options, resumeAt) : undefined;
  const sinks: NamedSink[] = [{ name: "metrics.jsonl", sink: jsonl }];
  if (wandb) sinks.push({ name: "W&B", sink: wandb });
  if (config.logger !== "none") {
    const sink = openTensorboard({ runFolder: run.path, config, ...resumeAt, onFailure: warn });
    sinks.push({ name: "TensorBoard", sink });
  }
  const mailbox = ControlMailbox.open(run.path, options.steering, { onFailure: warn });
  sinks.push({ name: "control mailbox", sink: mailbox });
  const console = openConsole(options, wandb);
  if (console) sinks.push({ name: "console", sink: console });
  const all = tee(sinks, { onFailure: warn });
  const csv = openCsv({ runFolder: run.path, onFailure: warn });
  return {
    ...all,
    wandbFolder: wandb?.folder,
    file: (path) => wandb?.file(path, { changes: true }),
    land: async (exitCode) => {
      wandb?.setExitCode(exitCode);
      await all.close();
      await csv.close();
    },
  };
}

function openWandbRun({ config, run, warn }: SinkOptions, resumeAt: { resumeAt?: number }) {
  return openWandb({
    runFolder: run.path,
    project: config.log_project_name,
    name: run.name,
    group: config.experiment_name,
    config,
    id: run.id,
    ...resumeAt,
    onFailure: warn,
  });
}

function openConsole(options: SinkOptions, wandb: WandbSink | undefined): MetricSink | undefined {
  const { config, start, ui } = options;
  if (ui === "none") return undefined;
  const stdout = textWriter(process.stdout);
  const write: TextWriter = (text) => {
    stdout(text);
    wandb?.console(text);
  };
  if (ui === "jsonl") return jsonConsole(write);
  const { use_two_stage_training, phase1_iterations } = config.algorithm;
  const plain = plainConsole({
    write,
    bold: process.stdout.isTTY === true && !process.env.NO_COLOR,
    maxIterations: config.max_iterations,
    switchAt: use_two_stage_training ? phase1_iterations : 0,
    start: { iteration: start.iteration, seconds: start.seconds },
  });
  if (ui === "plain") return plain;
  const { steering, interrupt: onInterrupt, simulatorLog } = options;
  return openScreen({ steering, plain, onInterrupt, simulatorLog });
}
