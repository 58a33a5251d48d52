import type { Config } from "../config/schema.ts";
import type { ConsolePlan } from "../metrics/console/console-view.ts";
import { jsonConsole, plainConsole } from "../metrics/console/plain-console.ts";
import { startText } from "../metrics/console/start-text.ts";
import { textWriter } from "../metrics/console/text-writer.ts";
import { openCsv } from "../metrics/files/csv.ts";
import { openJsonl } from "../metrics/files/jsonl.ts";
import { withNames } from "../metrics/metric-names.ts";
import type { MetricSink, Metrics } from "../metrics/metric-sink.ts";
import type { OwnSinkMaker } from "../metrics/own-sink.ts";
import { openPrometheus } from "../metrics/prometheus/prometheus.ts";
import { type NamedSink, tee } from "../metrics/tee.ts";
import { openTensorboard } from "../metrics/tensorboard/tensorboard.ts";
import type { WandbSink } from "../metrics/wandb/wandb.ts";
import type { RequestQueue } from "../running/requests.ts";
import type { Progress } from "../running/run-state.ts";
import type { ControlMailbox } from "../runs/control.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Ui } from "../tui/choose-ui.ts";
import type { Notices } from "./messages.ts";
import { openWandbRun } from "./wandb-run.ts";

export interface SinkOptions {
  readonly config: Config;
  readonly run: RunFolder;
  /** Counters this session starts with; the console estimates from there. */
  readonly start: Progress;
  readonly resumed: boolean;
  /** What the terminal shows. */
  readonly ui: Ui;
  readonly requests: RequestQueue;
  readonly mailbox: ControlMailbox;
  /** As Ctrl-C, which the screen's raw mode hides from the process. */
  readonly interrupt: () => void;
  readonly simulatorLog: () => readonly string[];
  readonly ownSinks: readonly OwnSinkMaker[];
  readonly notices: Notices;
  /** What the algorithm says of itself in the `start` event. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Every place the figures of a run go to, as one. A row of a run that another flight holds is refused: RunError. */
export interface Sinks extends MetricSink {
  /** By the rows that were written: where a failure or a landing is. */
  nextIteration(): number;
  /** The row that was written last; empty before the first. */
  latest(): Metrics;
  /** Resolves when all rows and events are on the disk: a checkpoint follows its rows, never goes before them. */
  flush(): Promise<boolean>;
  /** A file of the run folder that W&B should have. */
  file(path: string): void;
  /** Closes them all; the last one reads what the first one wrote. */
  land(exitCode: number): Promise<void>;
}

export async function openSinks(options: SinkOptions): Promise<Sinks> {
  const { config, run, notices, start, mailbox } = options;
  const warn = notices.say;
  const resumeAt: ResumeAt = options.resumed ? { resumeAt: start.iteration } : {};
  const own = await openOwnSinks(options, resumeAt);
  const jsonl = await openJsonl({ folder: run.path, ...resumeAt, onFailure: warn });
  const wandb = await openWandbRun({ config, run, ...resumeAt, warn });
  const sinks: NamedSink[] = [{ name: "metrics.jsonl", sink: jsonl }];
  if (wandb) sinks.push(...wandbSinks(options, wandb));
  sinks.push(...(await openOthers(options, resumeAt)), ...own);
  sinks.push({ name: "control mailbox", sink: mailbox });
  const console = await openConsole(options);
  if (console) sinks.push({ name: "console", sink: console });
  const all = tee(sinks, { onFailure: warn });
  const csv = openCsv({ runFolder: run.path, onFailure: warn });
  let next = start.iteration;
  let latest: Metrics = {};
  return {
    ...all,
    write: (iteration, metrics) => {
      mailbox.lock.check();
      next = iteration + 1;
      latest = metrics;
      all.write(iteration, metrics);
    },
    flush: () => jsonl.flush(),
    nextIteration: () => next,
    latest: () => latest,
    file: (path) => wandb?.file(path, { changes: true }),
    land: async (exitCode) => {
      wandb?.setExitCode(exitCode);
      await all.close();
      await csv.close();
    },
  };
}

interface ResumeAt {
  readonly resumeAt?: number;
}

/** W&B, the figures by the names that were asked for. */
function wandbSinks(options: SinkOptions, wandb: WandbSink): readonly NamedSink[] {
  options.notices.tell((line) => wandb.console(`${line}\n`, "stderr"));
  return [{ name: "W&B", sink: renamed(options, wandb) }, wandbConsole(options, wandb)];
}

/** TensorBoard and Prometheus, where they are wanted. */
async function openOthers(options: SinkOptions, resumeAt: ResumeAt): Promise<readonly NamedSink[]> {
  const { config, run, notices } = options;
  const warn = notices.say;
  const sinks: NamedSink[] = [];
  if (config.logger !== "none") {
    const sink = openTensorboard({ runFolder: run.path, config, ...resumeAt, onFailure: warn });
    sinks.push({ name: "TensorBoard", sink: renamed(options, sink) });
  }
  if (config.metrics_port !== null) {
    const labels = { run: run.name, task: config.task };
    const sink = await openPrometheus({ port: config.metrics_port, labels, say: warn });
    sinks.push({ name: "Prometheus page", sink: renamed(options, sink) });
  }
  return sinks;
}

function renamed({ config }: SinkOptions, sink: MetricSink): MetricSink {
  return withNames(sink, config.metric_names);
}

/** Before all others: one that is no sink at all is a mistake in the configuration. */
async function openOwnSinks(
  { config, run, notices, ownSinks }: SinkOptions,
  resumeAt: ResumeAt,
): Promise<readonly NamedSink[]> {
  const facts = { folder: run.path, name: run.name, config, ...resumeAt, say: notices.say };
  const opened: NamedSink[] = [];
  for (const { name, open } of ownSinks) {
    const sink = await open(facts);
    if (sink) opened.push({ name, sink });
  }
  return opened;
}

/** W&B's log page reads the same, whatever the terminal shows. */
function wandbConsole(options: SinkOptions, wandb: WandbSink): NamedSink {
  const sink = plainConsole({ ...planOf(options), write: (text) => wandb.console(text) });
  return { name: "W&B's console", sink };
}

function planOf({ config, facts, start }: SinkOptions): ConsolePlan {
  const { use_two_stage_training, phase1_iterations } = facts;
  return {
    maxIterations: config.max_iterations,
    switchAt: use_two_stage_training ? Number(phase1_iterations) : 0,
    start: { iteration: start.iteration, seconds: start.seconds },
  };
}

/** Who flies what, in a few lines, before the first iteration. */
function withStart(plain: MetricSink, write: (text: string) => void): MetricSink {
  return {
    write: (iteration, metrics) => plain.write(iteration, metrics),
    event: (event) => {
      if (event.type === "start") write(startText(event));
      plain.event(event);
    },
    close: () => plain.close(),
  };
}

/** Ink and React are loaded for the screen alone. */
async function openConsole(options: SinkOptions): Promise<MetricSink | undefined> {
  const { ui, requests, interrupt: onInterrupt, simulatorLog, resumed, run } = options;
  if (ui === "none") return undefined;
  const write = textWriter(process.stdout);
  if (ui === "jsonl") return jsonConsole(write);
  const bold = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const plain = plainConsole({ ...planOf(options), write, bold });
  if (ui === "plain") return withStart(plain, write);
  const { openScreen } = await import("../tui/open-screen.ts");
  const history = resumed ? { history: run.path } : {};
  return openScreen({ steering: requests, plain, onInterrupt, simulatorLog, ...history });
}
