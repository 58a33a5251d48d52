import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../../disk/is-running.ts";
import { EngineError } from "../engine-error.ts";

export interface LockOptions {
  /** A lock whose holder has not been heard of for so long is stale, milliseconds. */
  readonly staleAfter?: number;
  /** Give up after, milliseconds. */
  readonly patience?: number;
  readonly report?: (line: string) => void;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/**
 * Runs `body` while holding the lock file `path`. The lock saves double work and nothing more: what is
 * made under it is made in a folder of its own and renamed into place, so that a lock broken by
 * mistake costs time, never a file.
 */
export async function withLock<T>(
  path: string,
  body: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const token = await acquire(path, options);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, 2000);
  beat.unref();
  try {
    return await body();
  } finally {
    clearInterval(beat);
    if ((await holderOf(path))?.token === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, options: LockOptions): Promise<string> {
  const { staleAfter = 30_000, patience = 3_600_000, report } = options;
  await mkdir(dirname(path), { recursive: true });
  const holder: Holder = { pid: process.pid, host: hostname(), token: crypto.randomUUID() };
  const deadline = Date.now() + patience;
  let told = false;
  for (;;) {
    if (await create(path, JSON.stringify(holder))) return holder.token;
    if (await isStale(path, staleAfter)) {
      await breakLock(path, staleAfter);
      continue;
    }
    if (Date.now() > deadline) {
      throw new EngineError(
        "lock-timeout",
        `waited ${Math.round(patience / 1000)} s for another install that holds ${path}`,
        "See whether another npm install hangs; if none runs, delete that file and try again.",
      );
    }
    if (!told) report?.("another install is at work in the same cache; waiting for it");
    told = true;
    await sleep(150);
  }
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(text);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

async function isStale(path: string, staleAfter: number): Promise<boolean> {
  const age = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (age > staleAfter) return true;
  const holder = await holderOf(path);
  // A file without a readable holder is one being written, or one whose writer was killed half-way.
  if (holder === undefined) return age > 5000;
  return holder.host === hostname() && !isRunning(holder.pid);
}

/** Takes a stale lock away. Renamed first, since only one of several breakers can rename it. */
async function breakLock(path: string, staleAfter: number): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}`;
  try {
    await rename(path, aside);
    // Somebody may have broken and taken it between the look and the rename: then give it back.
    if (await isStale(aside, staleAfter)) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch {
    await rm(aside, { force: true });
  }
}
