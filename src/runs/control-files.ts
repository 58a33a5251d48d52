/**
 * The mailbox of a flight in progress, `<run>/control/`, as files:
 * `alive.json` (who flies), `request-<id>.json` (what somebody asks), `answer-<id>.json` (what became of it).
 * Every file is written beside its place and renamed, so that nobody reads half of one.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRunning } from "../disk/is-running.ts";
import { putWholeSync } from "../disk/whole-file.ts";
import type { Request } from "../running/requests.ts";

/** Seconds without a heartbeat after which nobody believes in a flight. An update may block it for some. */
export const staleAfter = 30;

const mostBytes = 4096;

/** Who flies the run. Times in Unix seconds. */
export interface Alive {
  readonly pid: number;
  readonly host: string;
  readonly started: number;
  /** The last whole iteration; null before the first. */
  readonly iteration: number | null;
  readonly heartbeat: number;
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
export function getJson(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readSmall(path));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Never more than `mostBytes`, whatever somebody put there. */
function readSmall(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    const size = readSync(file, bytes, 0, bytes.length, 0);
    return size > mostBytes ? "" : bytes.toString("utf8", 0, size);
  } finally {
    closeSync(file);
  }
}

export function readAlive(runPath: string): Alive | undefined {
  const found = getJson(join(controlFolder(runPath), "alive.json"));
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
  | { readonly state: "ended"; readonly why: string };

/** Whether a run is in progress. @param now Unix seconds */
export function presenceOf(runPath: string, now = Date.now() / 1000): Presence {
  const alive = readAlive(runPath);
  if (!alive) return { state: "ended", why: "nobody flies it (it has landed, or never started)" };
  const silent = Math.round(now - alive.heartbeat);
  if (alive.host !== hostname()) {
    // A process on another machine can't be looked at: its heartbeat is all there is.
    return silent > staleAfter
      ? { state: "ended", why: `its flight on ${alive.host} was last heard of ${silent} s ago` }
      : { state: "flying", alive };
  }
  if (!isRunning(alive.pid)) {
    return { state: "ended", why: `its process ${alive.pid} is gone, without having said goodbye` };
  }
  return silent > staleAfter ? { state: "silent", alive, silent } : { state: "flying", alive };
}
