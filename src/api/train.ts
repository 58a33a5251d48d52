import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MetricSink, Metrics, RunEvent } from "../metrics/metric-sink.ts";
import { RequestQueue } from "../running/requests.ts";
import { train as trainFrom } from "../session/train.ts";
import type { TrainInput } from "../session/train-input.ts";
import { Notices } from "../training/messages.ts";
import { watchAbort } from "../training/signals.ts";
import { version } from "../version.ts";
import { flattened, type Settings } from "./settings.ts";

export interface TrainOptions {
  /** A YAML file with more keys; `settings` win over it. */
  readonly config?: string;
  /** Goes on with a run: its folder, or a checkpoint in it. */
  readonly resume?: string;
  /** Lands the flight: the iteration is finished, a checkpoint written, the summary says how far it came. */
  readonly signal?: AbortSignal;
  /** Every row of metrics.jsonl, as it is written. */
  readonly onRow?: (iteration: number, metrics: Metrics) => void;
  /** Every event: `start`, `phase-switch`, `checkpoint`, `landed` … */
  readonly onEvent?: (event: RunEvent) => void;
  /** Lines for people. Default: none. */
  readonly say?: (line: string) => void;
}

export interface Trained {
  /** Path of the run folder: checkpoints, metrics.jsonl, params/agent.yaml. */
  readonly run: string;
  /** As summary.json has them: `student_return`, `student_vs_teacher`, `finished` … */
  readonly summary: Readonly<Record<string, unknown>>;
  /** It was ended before its plan was. */
  readonly interrupted: boolean;
}

/**
 * Trains in this process, in a simulator in another; nothing is shown unless `settings.ui` says so.
 *
 *     const { run, summary } = await train({ task: "quadcopter", max_iterations: 30 });
 *
 * @throws ConfigError, RunError, RemoteError …: what the command would have printed, with `code` and `hint`; or what
 * `onRow` or `onEvent` threw, which lands the flight as `signal` does
 */
export async function train(settings: Settings = {}, options: TrainOptions = {}): Promise<Trained> {
  const failed = new AbortController();
  const ends = [failed.signal, ...(options.signal ? [options.signal] : [])];
  const requests = new RequestQueue();
  const signals = watchAbort(requests, AbortSignal.any(ends));
  let run = "";
  const sink = observer(options, (error) => failed.abort(error));
  const learn = (event: RunEvent) => {
    if (event.type === "start") run = String(event.run);
    sink.event(event);
  };
  const observers = [{ name: "the program", open: async () => ({ ...sink, event: learn }) }];
  try {
    const notices = new Notices(options.say ?? (() => {}));
    const shell = { requests, signals, notices, version: version(), observers };
    await trainFrom(inputOf(settings, options), shell);
  } finally {
    signals.release();
  }
  failed.signal.throwIfAborted();
  return { run, summary: summaryOf(run), interrupted: signals.interrupted };
}

function inputOf(settings: Settings, { config, resume }: TrainOptions): TrainInput {
  const quiet = { name: "ui", value: "none", origin: "the program" };
  const said = {
    ...(config === undefined ? {} : { file: config }),
    flags: [quiet, ...flattened(settings)],
  };
  const more = resume === undefined ? {} : { resume: { path: resume } };
  return { config: said, ...more, strict: false, allowSinks: false };
}

/** Tells the program, whose functions may throw, or reject where they are asynchronous. */
function observer({ onRow, onEvent }: TrainOptions, onError: (error: unknown) => void): MetricSink {
  const tell = async (told: () => unknown) => {
    try {
      await told();
    } catch (error) {
      onError(error);
    }
  };
  return {
    write: (iteration, metrics) => void tell(() => onRow?.(iteration, metrics)),
    event: (event) => void tell(() => onEvent?.(event)),
    close: async () => {},
  };
}

function summaryOf(run: string): Trained["summary"] {
  const path = join(run, "summary.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}
