/** How a W&B run begins, anew or where an earlier process left it. */

import { randomBytes } from "node:crypto";
import { arch, availableParallelism, hostname, release, totalmem, type, userInfo } from "node:os";
import { wordsOf } from "../../../protocol/visible.ts";
import type { Metrics } from "../metric-sink.ts";
import type { SinkGuard } from "../sink-guard.ts";
import type { SpawnProgram } from "./live.ts";
import { continueLog, createLog, type Past, type WandbLog } from "./log.ts";
import {
  configRecord,
  environmentRecord,
  headerRecord,
  type RunEnvironment,
  type RunIdentity,
  runRecord,
} from "./records.ts";
import { createFolder, findFolder, type WandbFolder, writeMetadata } from "./run-folder.ts";
import type { RunSummary } from "./summary.ts";

export interface WandbOptions {
  readonly runFolder: string;
  /** Where the W&B run lies instead, in a folder `wandb`: WANDB_DIR. The run folder leads there by a link. */
  readonly directory?: string;
  readonly project: string;
  /** What the run is called on W&B's pages. */
  readonly name: string;
  readonly group?: string;
  readonly entity?: string;
  readonly notes?: string;
  readonly tags?: readonly string[];
  /** Where the trained code comes from; shown on W&B's page of the run. */
  readonly git?: { readonly remoteUrl: string; readonly commit: string };
  /** The resolved configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Unix seconds; default: now. */
  readonly startTime?: number;
  /** The next iteration: goes on in the run folder's newest W&B run, cut back to before it. */
  readonly resumeAt?: number;
  /** W&B's run id; default: 8 random letters and digits. */
  readonly id?: string;
  /** `online` lets the wandb program upload while the run goes on. Default: `offline`. */
  readonly mode?: "offline" | "online";
  /** Receives lines for people: failures, and what became of the upload. */
  readonly onFailure: (line: string) => void;
  /** Seconds between two samples of the machine; 0 for none. Default: 10. */
  readonly systemPeriod?: number;
  /** Seconds between two summaries; one more is written at the end. Default: 10. */
  readonly summaryPeriod?: number;
  /** Seconds that `close` waits for an upload. Default: 20. */
  readonly uploadPatience?: number;
  /** Programs outside, by their place. */
  readonly nvidiaSmi?: string;
  readonly wandbProgram?: string;
  readonly spawn?: SpawnProgram;
}

/** A run whose log is open for appending. */
export interface Begun {
  readonly folder: WandbFolder;
  readonly log: WandbLog;
  readonly past?: Past;
}

/** @throws what the file system throws. */
export function begin(options: WandbOptions): Begun {
  const startTime = options.startTime ?? Date.now() / 1000;
  const folder = newFolder(options, startTime);
  const log = createLog(folder.log);
  const env = environment(startTime);
  log.append(headerRecord("firstsolo"));
  log.append(runRecord(identity(options, folder.id, startTime)));
  log.append(environmentRecord(env));
  writeMetadata(folder, env);
  return { folder, log };
}

/** A directory that can't be written costs no run its figures: they then lie in the run folder. */
function newFolder(options: WandbOptions, startTime: number): WandbFolder {
  const { runFolder, directory, id = newId(), onFailure } = options;
  const place = { runFolder, id, startTime };
  if (directory === undefined) return createFolder(place);
  try {
    return createFolder({ ...place, directory });
  } catch (error) {
    onFailure(`W&B: WANDB_DIR can't be used: ${String(error)}; the W&B run lies in ${runFolder}`);
    return createFolder(place);
  }
}

/** Undefined where there is nothing to go on with; `summary` receives the rows that are kept. */
export function resume(
  options: WandbOptions,
  summary: RunSummary,
  guard: SinkGuard,
): Begun | undefined {
  const { resumeAt } = options;
  if (resumeAt === undefined) return undefined;
  const folder = findFolder(options.runFolder);
  if (!folder) return undefined;
  try {
    const onRow = (metrics: Metrics) => summary.add(metrics);
    const { log, past } = continueLog(folder.log, { resumeAt, onRow });
    if (past.damagedBytes > 0) {
      guard.say(`W&B: cut ${past.damagedBytes} damaged bytes off ${folder.log}`);
    }
    log.append(configRecord(options.config));
    return { folder, log, past };
  } catch (error) {
    guard.say(`W&B: can't go on in ${folder.log}: ${wordsOf(error)}; a new W&B run is begun`);
    return undefined;
  }
}

function identity(options: WandbOptions, id: string, startTime: number): RunIdentity {
  return { ...options, id, startTime, host: hostname() };
}

function environment(startTime: number): RunEnvironment {
  return {
    os: `${type()}-${release()}-${arch()}`,
    startTime,
    args: process.argv.slice(2),
    program: process.argv[1] ?? "firstsolo",
    executable: process.execPath,
    host: hostname(),
    username: userName(),
    cpuCount: availableParallelism(),
    memory: totalmem(),
  };
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}

const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

function newId(): string {
  return [...randomBytes(8)].map((byte) => ID_LETTERS[byte % ID_LETTERS.length]).join("");
}
