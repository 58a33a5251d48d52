/** Weights & Biases: a genuine offline run in the run folder or under WANDB_DIR, written without Python. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { MetricSink, Metrics, RunEvent } from "../metric-sink.ts";
import { SinkGuard } from "../sink-guard.ts";
import { type LiveUpload, startLive } from "./live.ts";
import type { Past, WandbLog } from "./log.ts";
import {
  exitRecord,
  filesRecord,
  gpuRecord,
  historyRecord,
  metricRecord,
  outputRecord,
  statsRecord,
  summaryRecord,
} from "./records.ts";
import {
  addGpuToMetadata,
  linkFile,
  type WandbFolder,
  writeConfig,
  writeSummary,
} from "./run-folder.ts";
import { begin, resume, type WandbOptions } from "./start.ts";
import { RunSummary } from "./summary.ts";
import { watchSystem } from "./system-metrics.ts";

export type { WandbOptions } from "./start.ts";

export interface WandbSink extends MetricSink {
  /** The W&B run's folder, for `wandb sync`; undefined where it could not be made. */
  readonly folder: string | undefined;
  /** Text as it went to the terminal, line ends included. */
  console(text: string, stream?: "stdout" | "stderr"): void;
  /** Uploads a file of the run folder with the run; one that `changes` only when the run is over. */
  file(path: string, options?: { readonly changes?: boolean }): void;
  /** The exit code that `close` will record; 0 by default, anything else marks the run failed. */
  setExitCode(code: number): void;
}

/** Never throws: what goes wrong is said once and the sink is silent from then on. */
export function openWandb(options: WandbOptions): WandbSink {
  const guard = new SinkGuard("W&B", options.onFailure);
  let run: WandbRun | undefined;
  guard.run(() => {
    run = new WandbRun(options, guard);
  });
  let exitCode = 0;
  const during = (action: (open: WandbRun) => void) => {
    if (run) guard.run(() => action(run!));
  };
  return {
    folder: run?.folder.path,
    write: (iteration, metrics) => during((open) => open.row(iteration, metrics)),
    event: (event) => during((open) => open.event(event)),
    console: (text, stream = "stdout") => during((open) => open.console(text, stream)),
    file: (path, { changes = false } = {}) => during((open) => open.file(path, changes)),
    setExitCode(code) {
      exitCode = Math.trunc(code) || 0;
    },
    async close() {
      const ending = run;
      run = undefined;
      await ending?.close(exitCode);
    },
  };
}

/** Figures of these names are W&B's own. */
const RESERVED = new Set(["_step", "_timestamp", "_runtime", "_wandb"]);

/** One open run; its methods throw, {@link openWandb} guards them. */
class WandbRun {
  readonly folder: WandbFolder;
  readonly #options: WandbOptions;
  readonly #guard: SinkGuard;
  readonly #log: WandbLog;
  readonly #past: Past | undefined;
  readonly #summary = new RunSummary();
  readonly #defined: Set<string>;
  readonly #saved: Set<string>;
  readonly #began = performance.now();
  readonly #watch: { stop(): void } | undefined;
  readonly #live: LiveUpload | undefined;
  #lastStep: number;
  #summarised: number;
  #oldStepSaid = false;

  constructor(options: WandbOptions, guard: SinkGuard) {
    this.#options = options;
    this.#guard = guard;
    const begun = resume(options, this.#summary, guard) ?? begin(options);
    this.folder = begun.folder;
    this.#log = begun.log;
    this.#past = begun.past;
    this.#defined = new Set(begun.past?.definedMetrics);
    this.#saved = new Set(begun.past?.savedFiles);
    this.#lastStep = begun.past?.lastStep ?? -1;
    this.#summarised = this.#began;
    writeConfig(this.folder, options.config);
    if (options.mode === "online") this.#live = this.#goOnline();
    if (options.systemPeriod !== 0) this.#watch = this.#watchSystem(options.systemPeriod);
  }

  row(iteration: number, metrics: Metrics): void {
    if (iteration <= this.#lastStep) {
      if (!this.#oldStepSaid) this.#guard.say(this.#oldStep(iteration));
      this.#oldStepSaid = true;
      return;
    }
    const own = Object.entries(metrics).filter(([name]) => !RESERVED.has(name));
    const figures = Object.fromEntries(own);
    for (const [name] of own) {
      if (this.#defined.has(name)) continue;
      this.#log.append(metricRecord(name));
      this.#defined.add(name);
    }
    const [timestamp, runtime] = [Date.now() / 1000, this.#runtime()];
    this.#log.append(historyRecord({ step: iteration, timestamp, runtime, metrics: figures }));
    this.#lastStep = iteration;
    this.#summary.add(figures);
    this.#summary.set("_step", iteration);
    this.#summary.set("_timestamp", timestamp);
    const period = 1000 * (this.#options.summaryPeriod ?? 10);
    if (performance.now() - this.#summarised >= period) this.#writeSummary();
  }

  /** The last event of each kind stands in the summary, where W&B shows it in the run table. */
  event(event: RunEvent): void {
    this.#summary.set(`Event/${event.type}`, `${event.message} (iteration ${event.iteration})`);
  }

  console(text: string, stream: "stdout" | "stderr"): void {
    if (text === "") return;
    this.#log.append(outputRecord(stream, Date.now() / 1000, text));
    // The uploading program writes this file itself, from the records.
    if (!this.#live?.running) appendFileSync(join(this.folder.files, "output.log"), text);
  }

  file(path: string, changes: boolean): void {
    const name = linkFile(this.folder, path);
    if (changes && this.#saved.has(name)) return;
    this.#log.append(filesRecord(name, changes ? "end" : "now"));
    this.#saved.add(name);
  }

  async close(exitCode: number): Promise<void> {
    this.#watch?.stop();
    this.#guard.run(() => {
      this.#writeSummary();
      this.#log.append(exitRecord(exitCode, this.#runtime()));
    });
    const ended = !this.#guard.failed;
    try {
      this.#log.close();
    } catch (error) {
      this.#guard.fail(error);
    }
    if (!ended) this.#live?.kill();
    else await this.#live?.finish(this.#options.uploadPatience ?? 20);
  }

  /** Seconds of flight, those before a resumption included. */
  #runtime(): number {
    return (this.#past?.runtime ?? 0) + (performance.now() - this.#began) / 1000;
  }

  #writeSummary(): void {
    const runtime = this.#runtime();
    this.#summary.set("_runtime", runtime);
    this.#log.append(summaryRecord(this.#summary.entries(), runtime));
    writeSummary(this.folder, this.#summary.json());
    this.#summarised = performance.now();
  }

  #goOnline(): LiveUpload {
    const { wandbProgram: program, spawn } = this.#options;
    return startLive(this.folder, {
      ...(program === undefined ? {} : { program }),
      ...(spawn === undefined ? {} : { spawn }),
      say: (line) => this.#guard.say(line),
    });
  }

  #watchSystem(period = 10): { stop(): void } {
    const { nvidiaSmi } = this.#options;
    return watchSystem({
      period,
      ...(nvidiaSmi === undefined ? {} : { nvidiaSmi }),
      onSample: (figures) =>
        this.#guard.run(() => this.#log.append(statsRecord(Date.now() / 1000, figures))),
      onGpus: (names) =>
        this.#guard.run(() => {
          this.#log.append(gpuRecord(names[0]!, names.length));
          addGpuToMetadata(this.folder, names[0]!, names.length);
        }),
    });
  }

  #oldStep(iteration: number): string {
    return (
      `W&B: iteration ${iteration} is not after ${this.#lastStep}, the last one written; ` +
      "W&B's steps must increase, so such rows are only in metrics.jsonl"
    );
  }
}
