import { closeSync, readSync, writevSync } from "node:fs";
import type { Tensors } from "../../protocol/codec.ts";
import type { Described } from "../../protocol/messages.ts";
import { LaneError } from "./lane-error.ts";
import {
  aligned,
  announcedBytes,
  bodyBytes,
  describe,
  headBytes,
  problemOf,
  recordBytes,
  tensorsOf,
  writeHead,
  writeTail,
} from "./record.ts";

/** Where a record lies in the file, and how many bytes it may have. */
export interface Region {
  readonly at: number;
  readonly bytes: number;
}

const padding = Buffer.alloc(64);

/**
 * Tensors of one message at a time, each way, in a file that both sides have open. Node maps no memory, so they are written
 * and read: two copies at the speed of memory, where a socket makes four in small pieces. ZeroMQ says when there is something.
 */
export class Lane {
  readonly #file: number;
  readonly #out: Region;
  readonly #in: Region;
  readonly #least: number;
  readonly #head = Buffer.alloc(headBytes);
  readonly #tail = Buffer.alloc(8);
  /** Bytes of tensors that went this way. */
  written = 0;
  received = 0;

  /** Takes the open file over. Messages of fewer than `least` bytes are quicker as frames. */
  constructor(file: number, regions: { readonly out: Region; readonly in: Region; least: number }) {
    this.#file = file;
    this.#out = regions.out;
    this.#in = regions.in;
    this.#least = regions.least;
  }

  /** What to announce; undefined where they are too few, or too many, or cannot be written: they travel as frames. */
  put(seq: number, tensors: Tensors): Described[] | undefined {
    const body = bodyBytes(tensors);
    if (body < this.#least || body === 0 || recordBytes(body) > this.#out.bytes) return undefined;
    writeHead(this.#head, seq, body);
    writeTail(this.#tail, seq);
    const pieces: Uint8Array[] = [this.#head];
    for (const name of Object.keys(tensors)) {
      const { data } = tensors[name]!;
      pieces.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      const gap = aligned(data.byteLength) - data.byteLength;
      if (gap > 0) pieces.push(padding.subarray(0, gap));
    }
    pieces.push(this.#tail);
    if (!this.#write(pieces, recordBytes(body))) return undefined;
    this.written += body;
    return describe(tensors);
  }

  /** Copies that are the caller's. @throws LaneError where the file does not hold what was announced */
  take(seq: number, described: readonly Described[]): Tensors {
    const body = announcedBytes(described);
    const bytes = recordBytes(body);
    if (new Set(described.map(({ name }) => name)).size !== described.length) {
      throw bad("a name comes twice");
    }
    if (!(bytes <= this.#in.bytes)) {
      throw bad(`${bytes} bytes were announced, there is room for ${this.#in.bytes}`);
    }
    const record = Buffer.allocUnsafeSlow(bytes);
    const read = this.#read(record);
    if (read !== bytes) throw bad(`it ends early: ${read} of ${bytes} bytes are there`);
    const problem = problemOf(record, seq, body);
    if (problem !== undefined) throw bad(problem);
    this.received += body;
    return tensorsOf(record, described);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(pieces: readonly Uint8Array[], bytes: number): boolean {
    try {
      return writevSync(this.#file, pieces, this.#out.at) === bytes;
    } catch {
      // No space left, most likely: the socket can do it.
      return false;
    }
  }

  #read(record: Buffer): number {
    try {
      return readSync(this.#file, record, 0, record.length, this.#in.at);
    } catch (cause) {
      throw bad("it cannot be read", cause);
    }
  }
}

function bad(problem: string, cause?: unknown): LaneError {
  const hint = "Tensors travel as frames from here on; --shared_memory off never shares memory.";
  const options = cause === undefined ? {} : { cause };
  return new LaneError("bad-shared-memory", `shared memory: ${problem}`, hint, options);
}
