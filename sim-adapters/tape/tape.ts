import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { CodedError } from "../../protocol/coded-error.ts";
import { limits } from "../../protocol/limits.ts";

/**
 * A recording of what went over the wire, as it was: 8 bytes of mark, then records, all numbers little-endian:
 * direction (u8: 0 to the simulator, 1 from it), seconds since the tape began (f64), number of frames (u32), their
 * lengths (u32 each), their bytes. A tape that breaks off in a record ends before it.
 */
export const MARK = Buffer.from("FSTAPE1\n");
const HEAD = 13;

export type Direction = "out" | "in";

/** Where a message lies on a tape. */
export interface Taped {
  readonly direction: Direction;
  /** Since the tape began. */
  readonly seconds: number;
  /** Of the first frame's first byte. */
  readonly at: number;
  /** Bytes of each frame. */
  readonly lengths: readonly number[];
}

export class TapeError extends CodedError<"not-a-tape" | "no-tape" | "damaged-tape" | "no-answer"> {
  override readonly name = "TapeError";
}

/** Adds messages to the end of a tape. A disk that takes nothing ends the recording, never the flight. */
export class TapeWriter {
  readonly #path: string;
  readonly #say: (line: string) => void;
  readonly #began = performance.now();
  #file: number | undefined;

  /** Goes on with a tape that is there. @throws TapeError */
  constructor(path: string, say: (line: string) => void) {
    this.#path = path;
    this.#say = say;
    try {
      this.#file = openSync(path, "a+", 0o600);
    } catch (cause) {
      throw noTape(path, cause);
    }
    if (fstatSync(this.#file).size === 0) this.#put([MARK]);
    else if (!isTape(this.#file)) {
      closeSync(this.#file);
      throw notATape(path, "Choose another name for the recording.");
    }
  }

  /** Copies the frames before it returns. */
  add(direction: Direction, frames: readonly Uint8Array[]): void {
    if (this.#file === undefined) return;
    const head = Buffer.alloc(HEAD + 4 * frames.length);
    head.writeUInt8(direction === "out" ? 0 : 1);
    head.writeDoubleLE((performance.now() - this.#began) / 1000, 1);
    head.writeUInt32LE(frames.length, 9);
    for (const [i, { byteLength }] of frames.entries())
      head.writeUInt32LE(byteLength, HEAD + 4 * i);
    this.#put([head, ...frames]);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #put(parts: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file!, bytes, done);
    } catch (error) {
      this.close();
      this.#say(`${this.#path}: the wire is recorded no further: ${(error as Error).message}`);
    }
  }
}

/** Reads a tape; keeps places, not bytes. */
export class TapeReader {
  readonly path: string;
  readonly messages: readonly Taped[];
  readonly #file: number;

  /** @throws TapeError */
  constructor(path: string) {
    this.path = path;
    try {
      this.#file = openSync(path, "r");
    } catch (cause) {
      throw noTape(path, cause);
    }
    if (!isTape(this.#file)) {
      closeSync(this.#file);
      throw notATape(path, "Give a file that train --record_wire has written.");
    }
    this.messages = this.#places();
  }

  /** A message's first frame: with all the others a tape may be larger than the memory. */
  header({ at, lengths: [length = 0] }: Taped): Uint8Array {
    const frame = new Uint8Array(Math.min(length, limits.headerBytes + 1));
    readWhole(this.#file, frame, at);
    return frame;
  }

  /** Frames of a message, in memory of their own. */
  frames({ at, lengths }: Taped): Uint8Array[] {
    let from = at;
    return lengths.map((length) => {
      const frame = new Uint8Array(length);
      readWhole(this.#file, frame, from);
      from += length;
      return frame;
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #places(): Taped[] {
    const { size } = fstatSync(this.#file);
    const found: Taped[] = [];
    const head = Buffer.alloc(HEAD);
    let at = MARK.length;
    while (at + HEAD <= size) {
      readWhole(this.#file, head, at);
      const [kind, count] = [head.readUInt8(), head.readUInt32LE(9)];
      if (kind > 1 || count < 1 || count > limits.frames) throw damaged(this.path, at);
      const sizes = Buffer.alloc(4 * count);
      readWhole(this.#file, sizes, at + HEAD);
      const lengths = Array.from({ length: count }, (_, i) => sizes.readUInt32LE(4 * i));
      if (lengths.some((length) => length > limits.frameBytes)) throw damaged(this.path, at);
      const first = at + HEAD + 4 * count;
      at = first + lengths.reduce((sum, length) => sum + length, 0);
      if (at > size) break;
      const seconds = head.readDoubleLE(1);
      found.push({ direction: kind === 0 ? "out" : "in", seconds, at: first, lengths });
    }
    return found;
  }
}

function isTape(file: number): boolean {
  const start = Buffer.alloc(MARK.length);
  return readWhole(file, start, 0) === MARK.length && start.equals(MARK);
}

/** Bytes that were there. */
function readWhole(file: number, into: Uint8Array, at: number): number {
  let done = 0;
  while (done < into.length) {
    const read = readSync(file, into, done, into.length - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

function noTape(path: string, cause: unknown): TapeError {
  const message = `${path}: ${(cause as Error).message}`;
  return new TapeError("no-tape", message, "Check the path and its folder.", { cause });
}

function notATape(path: string, hint: string): TapeError {
  return new TapeError("not-a-tape", `${path} is no recording of a wire`, hint);
}

function damaged(path: string, at: number): TapeError {
  const hint = "Copy it again; what comes before that byte is lost with it.";
  return new TapeError("damaged-tape", `${path} is damaged at byte ${at}`, hint);
}
