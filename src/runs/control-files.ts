/**
 * The mailbox of a flight in progress, `<run>/control/`, as files:
 * `alive.json` (who flies), `request-<id>.json` (what somebody asks), `answer-<id>.json` (what became of it).
 * Every file is written beside its place and renamed, so that nobody reads half of one.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../protocol/parse-json.ts";
import { fateOf, type ProcessIdentity } from "../disk/process-identity.ts";
import { putWholeSync } from "../disk/whole-file.ts";
import type { Request } from "../running/requests.ts";

/** Seconds without a heartbeat after which nobody believes in a flight. An update may block it for some. */
export const staleAfter = 30;

const mostBytes = 4096;

/** Who flies the run. Times in Unix seconds. Version 0.1 wrote no more of its process than number and host. */
export interface Alive extends Partial<ProcessIdentity> {
  readonly pid: number;
  readonly host: string;
  readonly started: number;
  /** The last whole iteration; null before the first. */
  readonly iteration: number | null;
  readonly heartbeat: number;
  /** Counts the heartbeats, for whoever doesn't trust the clocks of two machines. */
  readonly beat?: number;
  /** Of the flight that holds the run; absent in those of version 0.1. */
  readonly token?: string;
}

export interface RequestFile {
  readonly request: Request;
  readonly by: string;
}

export interface AnswerFile {
  /** `done`, or why not. */
  readonly outcome: string;
}

export function controlFolder(runPath: string): string {
  return join(runPath, "control");
}

export function putJson(path: string, value: unknown): void {
  putWholeSync(path, `${JSON.stringify(value)}\n`, 0o600);
}

/** The object in a small file; undefined where there is none, or something else. */
export function getJson(
  path: string,
  most = mostBytes,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(readSmall(path, most));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Never more than `most` bytes, and never of a link, a pipe or whatever else somebody put there. */
function readSmall(path: string, most: number): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) return "";
    const bytes = Buffer.alloc(most + 1);
    const size = readSync(file, bytes, 0, bytes.length, 0);
    return size > most ? "" : bytes.toString("utf8", 0, size);
  } finally {
    closeSync(file);
  }
}

/** As its last heartbeat says, or, before the first, as it took hold of the run. */
export function readAlive(runPath: string): Alive | undefined {
  const folder = controlFolder(runPath);
  return asAlive(getJson(join(folder, "alive.json"))) ?? asAlive(getJson(lockPath(runPath)));
}

/** Made by a flight that takes hold of the run; nobody else's may be there. */
export function lockPath(runPath: string): string {
  return join(controlFolder(runPath), "lock.json");
}

function asAlive(found: Readonly<Record<string, unknown>> | undefined): Alive | undefined {
  if (!found) return undefined;
  const { pid, host, started, iteration, heartbeat } = found;
  const sound =
    Number.isSafeInteger(pid) &&
    Number(pid) > 0 &&
    typeof host === "string" &&
    typeof started === "number" &&
    typeof heartbeat === "number" &&
    (iteration === null || Number.isSafeInteger(iteration));
  return sound ? (found as unknown as Alive) : undefined;
}

/** What can be known about a run from outside. */
export type Presence =
  | { readonly state: "flying"; readonly alive: Alive }
  /** A process of that number is there and has not been heard of for `silent` seconds. */
  | { readonly state: "silent"; readonly alive: Alive; readonly silent: number }
  | { readonly state: "ended"; readonly why: string; readonly left?: Left }
  /** Its mailbox is another user's, and closed to us. */
  | { readonly state: "hidden"; readonly why: string };

/** What a flight left that said no goodbye. */
export interface Left {
  readonly alive: Alive;
  /** It can't be looked at from here: nothing but its silence says that it has ended. */
  readonly elsewhere: boolean;
}

/** Whether a run is in progress. @param now Unix seconds */
export function presenceOf(runPath: string, now = Date.now() / 1000): Presence {
  const folder = controlFolder(runPath);
  if (isClosed(folder)) {
    return { state: "hidden", why: `${folder} is another user's, and closed to us` };
  }
  const alive = readAlive(runPath);
  if (!alive) return { state: "ended", why: "nobody flies it (it has landed, or never started)" };
  const { pid, host } = alive;
  const silent = Math.round(now - alive.heartbeat);
  const ended = (why: string, elsewhere = false): Presence => {
    return { state: "ended", why, left: { alive, elsewhere } };
  };
  switch (fateOf(alive, alive.heartbeat)) {
    case "elsewhere": {
      // A process that can't be looked at: its heartbeat is all there is.
      const where = `its flight, process ${pid} on ${host},`;
      const why = `${where} was last heard of ${silent} s ago`;
      // A heartbeat of the future is one of a clock that was set since, or is another.
      return Math.abs(silent) > staleAfter ? ended(why, true) : { state: "flying", alive };
    }
    case "gone":
      return ended(`its process ${pid} is gone, without having said goodbye`);
    case "replaced":
      return ended(`its process ${pid} is gone, and another has that number now`);
    case "runs":
      return silent > staleAfter ? { state: "silent", alive, silent } : { state: "flying", alive };
  }
}

function isClosed(folder: string): boolean {
  try {
    closeSync(openSync(folder, constants.O_RDONLY));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}
