/** W&B's records as protocol buffers; field numbers are those of its `wandb_internal.proto`. */
import type { ProtoField, ProtoWriter } from "../../../protocol/protobuf.ts";
import type { Metrics } from "../metric-sink.ts";
import { extendedJson, numberFromJson } from "./json.ts";
import { fieldsOf, messageIn, messagesIn, numberIn, stringIn } from "./record-fields.ts";
import { goalOf } from "./summary.ts";

/** Fills one record; the log gives it its number. */
export type RecordBody = (record: ProtoWriter) => void;

/** Fields of a `Record` by what it holds. */
export const RECORD = {
  num: 1,
  history: 2,
  summary: 3,
  config: 5,
  files: 6,
  stats: 7,
  metric: 12,
  outputRaw: 13,
  run: 17,
  exit: 18,
  header: 21,
  environment: 26,
} as const;

const VALUE_JSON = 16;

export interface RunIdentity {
  readonly id: string;
  readonly project: string;
  readonly entity?: string;
  readonly name: string;
  readonly group?: string;
  readonly jobType?: string;
  readonly notes?: string;
  readonly tags?: readonly string[];
  readonly host: string;
  /** Unix seconds. */
  readonly startTime: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly git?: { readonly remoteUrl: string; readonly commit: string };
}

export interface RunEnvironment {
  readonly os: string;
  readonly startTime: number;
  readonly args: readonly string[];
  readonly program: string;
  readonly executable: string;
  readonly host: string;
  readonly username: string;
  readonly cpuCount: number;
  /** Bytes. */
  readonly memory: number;
}

/** Seconds and nanoseconds; to the microsecond, as a double holds no more of today's time. */
function timestamp(seconds: number): RecordBody {
  const micro = Math.round(seconds * 1e6);
  return (w) => w.varint(1, Math.floor(micro / 1e6)).varint(2, (micro % 1e6) * 1000);
}

function keyed(key: string, json: string): RecordBody {
  return (w) => w.string(1, key).string(VALUE_JSON, json);
}

/** `minConsumer` is the oldest W&B server that reads the data. */
export function headerRecord(producer: string): RecordBody {
  return (r) =>
    r.message(RECORD.header, (header) =>
      header.message(1, (version) => version.string(1, producer).string(2, "0.70.0")),
    );
}

export function runRecord(run: RunIdentity): RecordBody {
  return (r) =>
    r.message(RECORD.run, (w) => {
      w.string(1, run.id);
      if (run.entity) w.string(2, run.entity);
      w.string(3, run.project);
      w.message(4, configUpdates(run.config));
      if (run.group) w.string(6, run.group);
      if (run.jobType) w.string(7, run.jobType);
      w.string(8, run.name);
      if (run.notes) w.string(9, run.notes);
      for (const tag of run.tags ?? []) w.string(10, tag);
      w.string(13, run.host).message(17, timestamp(run.startTime));
      if (run.git) {
        const { remoteUrl, commit } = run.git;
        w.message(21, (git) => git.string(1, remoteUrl).string(2, commit));
      }
    });
}

export function configRecord(config: Readonly<Record<string, unknown>>): RecordBody {
  return (r) => r.message(RECORD.config, configUpdates(config));
}

/** Infinite bounds are words here: servers refuse a configuration that isn't strict JSON. */
function configUpdates(config: Readonly<Record<string, unknown>>): RecordBody {
  return (w) => {
    for (const [key, value] of Object.entries(config)) {
      if (value !== undefined) w.message(1, keyed(key, extendedJson(value, "string")));
    }
  };
}

/** Tells W&B to draw the figure over the iteration and which of its values to keep. */
export function metricRecord(name: string): RecordBody {
  const goal = goalOf(name);
  return (r) =>
    r.message(RECORD.metric, (w) => {
      w.string(1, name).string(4, "_step");
      w.message(6, (options) => options.varint(1, 1).varint(3, 1));
      if (!goal) return;
      w.message(7, (s) => s.varint(1, 1).varint(2, 1).varint(4, 1).varint(5, 1));
      w.varint(8, goal === "minimise" ? 1 : 2);
    });
}

export interface HistoryRow {
  readonly step: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Seconds of flight, pauses between two processes left out. */
  readonly runtime: number;
  readonly metrics: Metrics;
}

export function historyRecord(row: HistoryRow): RecordBody {
  return (r) =>
    r.message(RECORD.history, (w) => {
      for (const [name, value] of Object.entries(row.metrics)) {
        w.message(1, keyed(name, extendedJson(value)));
      }
      w.message(1, keyed("_step", String(row.step)));
      w.message(1, keyed("_timestamp", extendedJson(row.timestamp)));
      w.message(1, keyed("_runtime", extendedJson(row.runtime)));
      w.message(2, (step) => step.varint(1, row.step));
    });
}

/** `runtime` in whole seconds goes where W&B's pages look for it. */
export function summaryRecord(
  entries: Iterable<readonly [name: string, json: string]>,
  runtime: number,
): RecordBody {
  return (r) =>
    r.message(RECORD.summary, (w) => {
      for (const [name, json] of entries) w.message(1, keyed(name, json));
      w.message(1, (item) =>
        item
          .string(2, "_wandb")
          .string(2, "runtime")
          .string(VALUE_JSON, `${Math.floor(runtime)}`),
      );
    });
}

export function statsRecord(time: number, figures: Metrics): RecordBody {
  return (r) =>
    r.message(RECORD.stats, (w) => {
      w.varint(1, 0).message(2, timestamp(time));
      for (const [name, value] of Object.entries(figures)) {
        w.message(3, keyed(name, extendedJson(value)));
      }
    });
}

export function outputRecord(stream: "stdout" | "stderr", time: number, text: string): RecordBody {
  return (r) =>
    r.message(RECORD.outputRaw, (w) =>
      w
        .varint(1, stream === "stdout" ? 1 : 0)
        .message(2, timestamp(time))
        .string(3, text),
    );
}

/** `path` is relative to the run's `files/`; `end` uploads once, when the run is over. */
export function filesRecord(path: string, when: "now" | "end"): RecordBody {
  return (r) =>
    r.message(RECORD.files, (w) =>
      w.message(1, (file) => file.string(1, path).varint(2, when === "now" ? 0 : 1)),
    );
}

export function environmentRecord(env: RunEnvironment): RecordBody {
  return (r) =>
    r.message(RECORD.environment, (w) => {
      w.string(1, env.os).message(3, timestamp(env.startTime));
      for (const arg of env.args) w.string(5, arg);
      w.string(6, env.program).string(12, env.host).string(13, env.username);
      w.string(14, env.executable).varint(16, env.cpuCount).varint(17, env.cpuCount);
      w.message(21, (memory) => memory.varint(1, env.memory));
    });
}

/** Known a little later than the rest; W&B merges environment records. */
export function gpuRecord(name: string, count: number): RecordBody {
  return (r) => r.message(RECORD.environment, (w) => w.string(18, name).varint(19, count));
}

export function exitRecord(code: number, runtime: number): RecordBody {
  return (r) =>
    r.message(RECORD.exit, (w) => w.varint(1, code).varint(2, Math.max(0, Math.floor(runtime))));
}

/** What resuming needs to know of a record. */
export type PastRecord =
  | { readonly kind: "history"; readonly row: HistoryRow }
  | { readonly kind: "run"; readonly id: string }
  | { readonly kind: "metric"; readonly name: string }
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "exit" | "header" | "other" };

/** @throws MetricFormatError where the bytes are no record. */
export function decodeRecord(data: Uint8Array): { num: number; record: PastRecord } {
  const fields = fieldsOf(data);
  return { num: numberIn(fields, RECORD.num) ?? 0, record: pastRecord(fields) };
}

function pastRecord(fields: readonly ProtoField[]): PastRecord {
  const history = messageIn(fields, RECORD.history);
  if (history) return { kind: "history", row: historyRow(history) };
  const run = messageIn(fields, RECORD.run);
  if (run) return { kind: "run", id: stringIn(run, 1) ?? "" };
  const metric = messageIn(fields, RECORD.metric);
  if (metric) return { kind: "metric", name: stringIn(metric, 1) ?? "" };
  const files = messageIn(fields, RECORD.files);
  if (files) {
    return { kind: "files", paths: messagesIn(files, 1).map((file) => stringIn(file, 1) ?? "") };
  }
  if (messageIn(fields, RECORD.exit)) return { kind: "exit" };
  return { kind: messageIn(fields, RECORD.header) ? "header" : "other" };
}

function historyRow(history: readonly ProtoField[]): HistoryRow {
  const metrics: Record<string, number> = {};
  for (const item of messagesIn(history, 1)) {
    const name = stringIn(item, 1) ?? stringIn(item, 2);
    const number = numberFromJson(stringIn(item, VALUE_JSON) ?? "");
    if (name !== undefined && number !== undefined) metrics[name] = number;
  }
  const { _step: step = 0, _timestamp: time = 0, _runtime: runtime = 0, ...rest } = metrics;
  return { step, timestamp: time, runtime, metrics: rest };
}
