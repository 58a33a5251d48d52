import { randomUUID } from "node:crypto";
import { linkSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wordsOf } from "../../protocol/visible.ts";
import { howToCall } from "../disk/how-to-call.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { ownIdentity } from "../disk/process-identity.ts";
import { writeError } from "./atomic-write.ts";
import {
  type Alive,
  controlFolder,
  getJson,
  lockPath,
  type Presence,
  presenceOf,
  readAlive,
} from "./control-files.ts";
import { RunError } from "./run-error.ts";

/** Milliseconds a flight that can't be looked at is listened for, before it is believed to have ended. */
const listenFor = 3500;

/**
 * A run is flown by one process at a time: `control/lock.json` is made by a hard link, which one of many gets
 * also on a network's file system, and holds a token that its flight looks for before it writes anything.
 */
export class RunLock {
  readonly token = randomUUID();
  readonly #runPath: string;
  readonly #path: string;

  private constructor(runPath: string) {
    this.#runPath = runPath;
    this.#path = lockPath(runPath);
  }

  /**
   * What a flight left that has ended is taken over.
   *
   * @param say told of that
   * @throws RunError `run-in-progress`, or why the lock can't be written
   */
  static take(runPath: string, say: (line: string) => void): RunLock {
    const before = refuseSecondFlight(runPath);
    const folder = controlFolder(runPath);
    const lock = new RunLock(runPath);
    try {
      makeFolder(folder, 0o700);
      lock.#take(folder);
      if (before.left) say(`${runPath}: ${before.why}; this flight takes over`);
    } catch (cause) {
      if (cause instanceof RunError) throw cause;
      throw writeError(lock.#path, 0, cause as NodeJS.ErrnoException);
    }
    return lock;
  }

  #take(folder: string): void {
    const draft = join(folder, `.lock-${this.token}.tmp`);
    const now = Date.now() / 1000;
    const taken: Alive = { ...ownIdentity(), started: now, iteration: null, heartbeat: now };
    writeFileSync(draft, `${JSON.stringify({ ...taken, token: this.token })}\n`, {
      mode: 0o600,
      flag: "wx",
    });
    try {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        if (linked(draft, this.#path)) return;
        // Over a network a reply can be lost: asked again, the server finds what it has made itself.
        if (getJson(this.#path)?.token === this.token) return;
        refuseSecondFlight(this.#runPath);
        this.#clear(folder);
      }
      throw inProgress(this.#runPath, readAlive(this.#runPath));
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** Moves a lock away that nobody holds any more; of several who try, one succeeds. */
  #clear(folder: string): void {
    const judged = getJson(this.#path);
    const aside = join(folder, `.lock-${this.token}.old.tmp`);
    try {
      renameSync(this.#path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    const moved = getJson(aside);
    // Between our look and our move somebody else has taken it: it goes back.
    if (moved?.token !== judged?.token) linked(aside, this.#path);
    rmSync(aside, { force: true });
  }

  /**
   * Looked at before anything is written. A lock that was deleted, with its folder or alone, is made anew.
   * @throws RunError `taken-over` where the run is another flight's by now: nothing of it is ours to write
   */
  check(): void {
    // What can't be read for a moment, over a network or for want of descriptors, tells nothing.
    if (!isMissing(this.#path)) {
      const found = getJson(this.#path);
      if (found === undefined || found.token === this.token) return;
      throw this.#takenOver(
        `flown by process ${wordsOf(found.pid, 20)} on ${wordsOf(found.host, 80)} by now`,
      );
    }
    const folder = controlFolder(this.#runPath);
    const beat = getJson(join(folder, "alive.json"));
    // Another flight that took over and has landed leaves the folder, and neither file in it.
    if (!isMissing(folder) && beat?.token !== this.token) {
      throw this.#takenOver("no longer this flight's: another has flown it meanwhile");
    }
    this.#renew(folder);
  }

  #renew(folder: string): void {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch {
      // It is there, or the run's own folder has gone: whoever writes next finds out.
    }
    try {
      this.#take(folder);
    } catch (error) {
      if (error instanceof RunError) throw error;
    }
  }

  #takenOver(what: string): RunError {
    return new RunError(
      "taken-over",
      `${this.#runPath} is ${what}; this one was taken for ended`,
      "This flight ends here: its later rows and checkpoints would mix with the other's.",
    );
  }

  release(): void {
    if (getJson(this.#path)?.token === this.token) rmSync(this.#path, { force: true });
  }
}

function isMissing(path: string): boolean {
  try {
    lstatSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Whether the second name is ours now; false where it is taken. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without hard links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    return copied(from, to);
  }
}

function copied(from: string, to: string): boolean {
  try {
    writeFileSync(to, `${JSON.stringify(getJson(from))}\n`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

type Ended = Extract<Presence, { readonly state: "ended" }>;

/**
 * Two flights in one folder would overwrite each other's checkpoints.
 * @throws RunError `run-in-progress` when another process flies this run, `not-ours` when nobody can tell
 */
export function refuseSecondFlight(runPath: string): Ended {
  const presence = presenceOf(runPath);
  if (presence.state === "hidden") {
    const hint = "Go on as the user who started the run, or copy its folder and go on with that.";
    throw new RunError("not-ours", `${runPath} may be flown right now: ${presence.why}`, hint);
  }
  if (presence.state === "ended") return presence;
  throw inProgress(runPath, presence.alive);
}

/**
 * The same, for a flight on another machine or in another container too, whose clock may be any: one that is
 * believed to have ended is listened for. @throws RunError as above
 */
export async function refuseLivingFlight(runPath: string, milliseconds = listenFor): Promise<void> {
  const { left } = refuseSecondFlight(runPath);
  if (!left?.elsewhere) return;
  const before = left.alive;
  await sleep(milliseconds);
  const after = readAlive(runPath);
  if (!after || (after.beat === before.beat && after.heartbeat === before.heartbeat)) return;
  throw inProgress(runPath, after);
}

function inProgress(runPath: string, alive: Alive | undefined): RunError {
  const { pid, host } = alive ?? { pid: "?", host: "?" };
  return new RunError(
    "run-in-progress",
    `${runPath} is flown by process ${pid} on ${host}`,
    `Watch it: ${howToCall("watch", runPath)}; or stop it first: ${howToCall("ctl", runPath, "stop")}. If that process is no firstsolo, delete control/lock.json and control/alive.json.`,
  );
}
