import { appendFileSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import type { MetricSink, Metrics } from "../metrics/metric-sink.ts";
import type { OwnSinkMaker, OwnSinkRun } from "../metrics/own-sink.ts";
import { openRun } from "../runs/open-run.ts";

export interface AgentLogOptions {
  /** As the folders begin; the run's own name follows. */
  readonly name: string;
  readonly logDir: string;
  readonly checkpointDir: string;
  /** Updates between two lines. */
  readonly every: number;
}

/**
 * A run as its users look for it: `train.log` in the run folder, one line for every so many updates, with a link to
 * it at LOG_DIR/NAME_RUN/train.log; at the end CHECKPOINT_DIR/NAME_RUN/final, a link to the last checkpoint.
 */
export function agentLog(options: AgentLogOptions): OwnSinkMaker {
  return { name: "train.log", open: async (run) => openLog(options, run) };
}

function openLog({ name, logDir, checkpointDir, every }: AgentLogOptions, run: OwnSinkRun) {
  const file = join(run.folder, "train.log");
  const called = `${name}_${basename(run.folder)}`;
  let told = Math.floor((run.resumeAt ?? 0) / every);
  const add = (line: string) => appendFileSync(file, `${line}\n`, { mode: 0o600 });
  add(`# ${called}${run.resumeAt === undefined ? "" : `, goes on at iteration ${run.resumeAt}`}`);
  link(resolve(logDir, called), "train.log", file);
  let best: Metrics = {};
  return {
    write: (_, metrics) => {
      // A flight is in one row of several: it is told with the next line.
      best = { ...best, ...metrics };
      const done = Math.floor((metrics["Train/updates"] ?? 0) / every);
      if (done <= told) return;
      told = done;
      add(lineOf(best));
      best = {};
    },
    event: ({ type, message }) => add(`[${type}] ${message}`),
    close: async () => {
      const { checkpoint } = await openRun(run.folder, { prefer: "latest" });
      link(resolve(checkpointDir, called), "final", checkpoint);
    },
  } satisfies MetricSink;
}

function lineOf(metrics: Metrics): string {
  const told = Object.entries(metrics).filter(([name]) => !/^(Perf|Train)\//.test(name));
  const figures = told.map(([name, value]) => `${name} ${Number(value.toPrecision(6))}`);
  return [`step ${metrics["Train/updates"]}`, ...figures].join(" | ");
}

/** Relative, so that both can be moved together. */
function link(folder: string, name: string, target: string): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  rmSync(path, { force: true });
  symlinkSync(relative(folder, target), path);
}
