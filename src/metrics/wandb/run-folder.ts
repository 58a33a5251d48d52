/** The folder of a W&B run, inside ours or under WANDB_DIR, and the small files W&B's users look for in it. */

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { parseJson } from "../../../protocol/parse-json.ts";
import { putWholeSync } from "../../disk/whole-file.ts";
import type { RunEnvironment } from "./records.ts";

export interface WandbFolder {
  /** `<run or WANDB_DIR>/wandb/offline-run-YYYYMMDD_HHMMSS-<id>`, absolute and without links. */
  readonly path: string;
  readonly id: string;
  /** The `.wandb` file. */
  readonly log: string;
  /** Where files lie that are uploaded with the run. */
  readonly files: string;
  readonly logs: string;
}

interface NewFolder {
  readonly runFolder: string;
  /** Takes the folder instead of the run folder, as WANDB_DIR does; links then lead there from the run folder. */
  readonly directory?: string;
  readonly id: string;
  /** Unix seconds; the name carries it in local time, as W&B's own do. */
  readonly startTime: number;
}

/** @throws what the file system throws. */
export function createFolder(options: NewFolder): WandbFolder {
  const { runFolder, directory = runFolder, id, startTime } = options;
  const name = `offline-run-${localStamp(startTime)}-${id}`;
  const made = join(directory, "wandb", name);
  mkdirSync(made, { recursive: true });
  const folder = folderAt(realpathSync(made), id);
  mkdirSync(folder.files, { recursive: true });
  mkdirSync(folder.logs, { recursive: true });
  pointTo(join(dirname(folder.path), "latest-run"), name);
  const own = resolve(runFolder, "wandb");
  mkdirSync(own, { recursive: true });
  if (realpathSync(own) === dirname(folder.path)) return folder;
  pointTo(join(own, name), folder.path);
  pointTo(join(own, "latest-run"), name);
  return folder;
}

/** The newest W&B run in a run folder that has a log; undefined where there is none. */
export function findFolder(runFolder: string): WandbFolder | undefined {
  const root = resolve(runFolder, "wandb");
  const runs = listed(root).flatMap((name) => {
    const id = /^(?:offline-)?run-\d{8}_\d{6}-(.+)$/.exec(name)?.[1];
    const folder = id === undefined ? undefined : folderAt(join(root, name), id);
    return folder && statSync(folder.log, { throwIfNoEntry: false })?.isFile() ? [folder] : [];
  });
  const found = runs.sort((a, b) => (a.path < b.path ? -1 : 1)).at(-1);
  if (!found) return undefined;
  // Links in it are relative to where it really lies.
  const newest = folderAt(realpathSync(found.path), found.id);
  mkdirSync(newest.files, { recursive: true });
  mkdirSync(newest.logs, { recursive: true });
  return newest;
}

function folderAt(path: string, id: string): WandbFolder {
  return {
    path,
    id,
    log: join(path, `run-${id}.wandb`),
    files: join(path, "files"),
    logs: join(path, "logs"),
  };
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function localStamp(seconds: number): string {
  const d = new Date(seconds * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${d.getFullYear()}${two(d.getMonth() + 1)}${two(d.getDate())}`;
  return `${day}_${two(d.getHours())}${two(d.getMinutes())}${two(d.getSeconds())}`;
}

/** A link, replaced in one step where it exists: runs that share a WANDB_DIR do so at the same time. */
function pointTo(link: string, target: string): void {
  const made = `${link}.${process.pid}`;
  rmSync(made, { force: true });
  symlinkSync(target, made);
  renameSync(made, link);
}

/**
 * Makes a file of the run appear in `files/`, as a link: nothing is copied.
 * @returns its path relative to `files/`.
 * @throws where it is no file.
 */
export function linkFile(folder: WandbFolder, file: string): string {
  const target = resolve(file);
  if (!statSync(target).isFile()) throw new Error(`${file} is not a file`);
  const name = basename(target);
  pointTo(join(folder.files, name), relative(folder.files, target));
  return name;
}

/** In W&B's form: every key holds its `value`. */
export function writeConfig(folder: WandbFolder, config: Readonly<Record<string, unknown>>): void {
  const values = Object.entries(config).filter(([, value]) => value !== undefined);
  const wrapped = Object.fromEntries(values.map(([key, value]) => [key, { value }]));
  putWholeSync(
    join(folder.files, "config.yaml"),
    stringify(wrapped, { aliasDuplicateObjects: false }),
  );
}

export function writeSummary(folder: WandbFolder, json: string): void {
  putWholeSync(join(folder.files, "wandb-summary.json"), json);
}

export function writeMetadata(folder: WandbFolder, env: RunEnvironment): void {
  const metadata = {
    os: env.os,
    startedAt: new Date(env.startTime * 1000).toISOString(),
    args: env.args,
    program: env.program,
    executable: env.executable,
    host: env.host,
    username: env.username,
    cpu_count: env.cpuCount,
    cpu_count_logical: env.cpuCount,
    memory: { total: String(env.memory) },
  };
  putWholeSync(join(folder.files, METADATA), `${JSON.stringify(metadata, null, 2)}\n`);
}

const METADATA = "wandb-metadata.json";

/** Learned a moment after the start. */
export function addGpuToMetadata(folder: WandbFolder, name: string, count: number): void {
  const path = join(folder.files, METADATA);
  const metadata = parseJson(readFileSync(path, "utf8")) as object;
  putWholeSync(path, `${JSON.stringify({ ...metadata, gpu: name, gpu_count: count }, null, 2)}\n`);
}
