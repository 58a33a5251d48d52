/**
 * The log format of LevelDB as W&B uses it: 32 KiB blocks of chunks, each
 * `uint32 LE crc | uint16 LE length | uint8 type | payload`, a record being one chunk or several.
 * W&B's own: a 7-byte file header that counts into the first block, and a plain IEEE CRC-32.
 */
import { crc32 } from "node:zlib";

export const BLOCK_SIZE = 32_768;
const CHUNK_HEADER = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/** What a W&B log starts with: `:W&B`, the magic number 0xBEE1, format version 0. */
export const LOG_HEADER: Readonly<Uint8Array> = Uint8Array.of(
  0x3a,
  0x57,
  0x26,
  0x42,
  0xe1,
  0xbe,
  0x00,
);

/** A record longer than this is taken for damage, so that a bad file can't fill the memory. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** The bytes to append at file offset `position` so that the log holds one record more. */
export function encodeRecord(position: number, record: Uint8Array): Uint8Array {
  const pieces = layOut(position, record.length);
  const last = pieces[pieces.length - 1]!;
  const out = Buffer.alloc(last.at + CHUNK_HEADER + last.length);
  let from = 0;
  for (const piece of pieces) {
    out.writeUInt16LE(piece.length, piece.at + 4);
    out[piece.at + 6] = piece.type;
    const payload = piece.at + CHUNK_HEADER;
    out.set(record.subarray(from, from + piece.length), payload);
    out.writeUInt32LE(crc32(out.subarray(payload - 1, payload + piece.length)), piece.at);
    from += piece.length;
  }
  return out;
}

interface Piece {
  /** Offset of the chunk's header from where the writing starts. */
  readonly at: number;
  readonly length: number;
  readonly type: number;
}

/**
 * A block with exactly 7 bytes left takes a chunk without payload: readers expect it there.
 * With fewer left the rest of the block stays zero.
 */
function layOut(position: number, recordLength: number): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let rest = recordLength;
  do {
    let left = BLOCK_SIZE - ((position + at) % BLOCK_SIZE);
    if (left < CHUNK_HEADER) {
      at += left;
      left = BLOCK_SIZE;
    }
    const length = Math.min(rest, left - CHUNK_HEADER);
    rest -= length;
    const first = pieces.length === 0;
    const type = rest === 0 ? (first ? FULL : LAST) : first ? FIRST : MIDDLE;
    pieces.push({ at, length, type });
    at += CHUNK_HEADER + length;
  } while (rest > 0);
  return pieces;
}

export interface LogRecord {
  /** File offset of the record's first chunk, and of the byte after its last. */
  readonly start: number;
  readonly end: number;
  readonly data: Uint8Array;
}

/** Why reading stopped: the file ends there, inside a record, or holds something else. */
export type LogEnd = "whole" | "torn" | "damaged" | "no-header";

/** Reads up to `into.length` bytes at a file offset; fewer only at the end of the file. */
export type ReadAt = (position: number, into: Uint8Array) => number;

/** Yields every whole record from the start; memory is one block and one record. */
export function* readRecords(read: ReadAt): Generator<LogRecord, LogEnd> {
  const blocks = new Blocks(read);
  const header = blocks.bytes(0, LOG_HEADER.length);
  if (!header || !LOG_HEADER.every((byte, i) => byte === header[i])) return "no-header";
  let at = LOG_HEADER.length;
  for (;;) {
    const record = readRecord(blocks, at);
    if (typeof record === "string") return record;
    yield record;
    at = record.end;
  }
}

function readRecord(blocks: Blocks, from: number): LogRecord | LogEnd {
  const parts: Uint8Array[] = [];
  let start = from;
  let at = from;
  let total = 0;
  for (;;) {
    const left = BLOCK_SIZE - (at % BLOCK_SIZE);
    if (left < CHUNK_HEADER) at += left;
    const chunk = readChunk(blocks, at);
    if (chunk === "whole") return parts.length === 0 ? "whole" : "torn";
    if (typeof chunk === "string") return chunk;
    const begins = chunk.type === FULL || chunk.type === FIRST;
    if (begins !== (parts.length === 0)) return "damaged";
    if (begins) start = at;
    total += chunk.payload.length;
    if (total > MAX_RECORD_BYTES) return "damaged";
    parts.push(chunk.payload.slice());
    at += CHUNK_HEADER + chunk.payload.length;
    if (chunk.type === FULL || chunk.type === LAST) {
      return { start, end: at, data: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
    }
  }
}

interface Chunk {
  readonly type: number;
  /** Borrowed until the next block is read. */
  readonly payload: Uint8Array;
}

function readChunk(blocks: Blocks, at: number): Chunk | LogEnd {
  if (!blocks.bytes(at, 1)) return "whole";
  const header = blocks.bytes(at, CHUNK_HEADER);
  if (!header) return "torn";
  const view = new DataView(header.buffer, header.byteOffset, CHUNK_HEADER);
  const crc = view.getUint32(0, true);
  const length = view.getUint16(4, true);
  const type = header[6]!;
  // Zeros are what a power cut leaves behind, never a chunk.
  if (type < FULL || type > LAST) return "damaged";
  if ((at % BLOCK_SIZE) + CHUNK_HEADER + length > BLOCK_SIZE) return "damaged";
  const checked = blocks.bytes(at + CHUNK_HEADER - 1, length + 1);
  if (!checked) return "torn";
  return crc32(checked) === crc ? { type, payload: checked.subarray(1) } : "damaged";
}

/** Keeps the one block that is being read. */
class Blocks {
  readonly #read: ReadAt;
  readonly #block = new Uint8Array(BLOCK_SIZE);
  #index = -1;
  #size = 0;

  constructor(read: ReadAt) {
    this.#read = read;
  }

  /** `length` bytes at a file offset, within one block; undefined where the file ends before. */
  bytes(position: number, length: number): Uint8Array | undefined {
    const index = Math.floor(position / BLOCK_SIZE);
    if (index !== this.#index) {
      this.#size = this.#read(index * BLOCK_SIZE, this.#block);
      this.#index = index;
    }
    const from = position % BLOCK_SIZE;
    return from + length <= this.#size ? this.#block.subarray(from, from + length) : undefined;
  }
}
