import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { widthOf } from "../../protocol/env-spec.ts";
import type { Offer } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { Lane } from "./lane.ts";
import { LaneError } from "./lane-error.ts";
import { aligned, recordBytes } from "./record.ts";

const page = 4096;
const name = /^firstsolo-shm-(\d+)-[0-9a-f]{24}$/;

/** A simulator's file: offered in the welcome, gone from the folder as soon as the driver has it open. */
export interface OfferedLane {
  readonly offer: Offer;
  readonly lane: Lane;
  /** Takes the file out of the folder; nothing happens where it is gone already. */
  unlink(): void;
}

/**
 * Makes the file for a session: nobody but this user may open it. Files of simulators that were killed before their driver
 * had come are swept away first.
 *
 * @throws Error of the file system
 */
export function offerLane(spec: EnvSpec): OfferedLane {
  const folder = memoryFolder();
  sweep(folder);
  const token = randomBytes(12).toString("hex");
  const path = join(folder, `firstsolo-shm-${process.pid}-${randomBytes(12).toString("hex")}`);
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = constants;
  const file = openSync(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o600);
  const unlink = () => remove(path);
  try {
    const [request_at, reply_at, bytes] = places(spec);
    ftruncateSync(file, bytes);
    writeSync(file, token, 0, "latin1");
    const offer = { path, token, bytes, request_at, reply_at };
    const { requests, replies } = regionsOf(offer);
    return { offer, lane: new Lane(file, { out: replies, in: requests, least: 0 }), unlink };
  } catch (error) {
    closeSync(file);
    unlink();
    throw error;
  }
}

/**
 * The driver's end of a file that was offered. What a welcome names is opened only if it is such a file, and this user's.
 *
 * @param least requests of fewer bytes go as frames
 * @throws LaneError saying why not
 */
export function acceptLane(offer: Offer, { least }: { readonly least: number }): Lane {
  const { path } = offer;
  if (!name.test(basename(path))) throw refused(path, "is not a name that a simulator gives");
  let file: number;
  try {
    file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (cause) {
    throw refused(path, `cannot be opened (${(cause as { code?: string }).code})`, cause);
  }
  try {
    checkFile(file, offer);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  remove(path);
  const { requests, replies } = regionsOf(offer);
  return new Lane(file, { out: requests, in: replies, least });
}

function checkFile(file: number, { path, token, bytes, request_at, reply_at }: Offer): void {
  const { uid, mode, nlink, size } = fstatSync(file);
  const regular = (mode & constants.S_IFMT) === constants.S_IFREG;
  if (!regular || uid !== process.getuid?.()) throw refused(path, "is another user's");
  if ((mode & 0o777) !== 0o600 || nlink !== 1) throw refused(path, "is open to others");
  if (size !== bytes) throw refused(path, `has ${size} bytes, the simulator said ${bytes}`);
  const found = Buffer.alloc(token.length);
  readSync(file, found, 0, found.length, 0);
  if (found.toString("latin1") !== token) throw refused(path, "is not the simulator's");
  const ordered = request_at >= page && reply_at > request_at && bytes > reply_at;
  if (!ordered || request_at % 64 !== 0 || reply_at % 64 !== 0) {
    throw refused(path, "is laid out in a way that can't be read");
  }
}

function regionsOf({ bytes, request_at, reply_at }: Offer) {
  return {
    requests: { at: request_at, bytes: reply_at - request_at },
    replies: { at: reply_at, bytes: bytes - reply_at },
  };
}

/** Room for every message of a flight, also where all episodes end at once; a larger snapshot travels as a frame. */
function places({ numEnvs, observations, action }: EnvSpec): [number, number, number] {
  const actions = aligned(4 * numEnvs * widthOf(action));
  let reply = 2 * actions + 4 * aligned(4 * numEnvs);
  for (const group of Object.values(observations))
    reply += 2 * aligned(4 * numEnvs * widthOf(group));
  const whole = (bytes: number) => Math.ceil(recordBytes(bytes) / page) * page;
  const replyAt = page + whole(actions);
  return [page, replyAt, replyAt + whole(reply)];
}

/** Where files are memory; elsewhere they may reach a disk. */
function memoryFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

function sweep(folder: string): void {
  for (const file of readdirSync(folder)) {
    const pid = Number(name.exec(file)?.[1]);
    if (!(pid > 0) || isRunning(pid)) continue;
    const path = join(folder, file);
    try {
      if (lstatSync(path).uid === process.getuid?.()) unlinkSync(path);
    } catch {
      // Another start was quicker.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The other side was quicker.
  }
}

function refused(path: string, problem: string, cause?: unknown): LaneError {
  const hint =
    "Both processes must run on this machine, as one user, and see the same folder; --shared_memory off shares none.";
  const options = cause === undefined ? {} : { cause };
  return new LaneError("no-shared-memory", `shared memory: ${path} ${problem}`, hint, options);
}
