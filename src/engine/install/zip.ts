import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { EngineError } from "../engine-error.ts";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const MAX_DIRECTORY = 64 * 1024 * 1024;
const HUGE = 0xffffffff;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  /** bytes in the archive */
  readonly packed: number;
  /** bytes once unpacked */
  readonly size: number;
  readonly offset: number;
}

export interface Wheel {
  readonly entries: readonly ZipEntry[];
  /** The text of one small entry. */
  text(entry: ZipEntry): Promise<string>;
  /** Unpacks one entry to `folder/name`; its size and SHA-256 must be those of the wheel's RECORD. */
  unpack(entry: ZipEntry, folder: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a Python wheel: a zip archive that lists the SHA-256 of its own files. */
export async function openWheel(path: string): Promise<Wheel> {
  const file = await open(path, "r");
  try {
    const entries = await readDirectory(file, path);
    const text = (entry: ZipEntry) => readText(file, path, entry);
    const record = entries.find((entry) => entry.name.endsWith(".dist-info/RECORD"));
    if (record === undefined) throw broken(path, "no RECORD, so nothing in it can be checked");
    const hashes = parseRecord(await text(record));
    return {
      entries,
      text,
      unpack: (entry, folder) => unpack(file, path, entry, join(folder, entry.name), hashes),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function broken(path: string, what: string): EngineError {
  return new EngineError(
    "bad-archive",
    `${path} is not a sound wheel: ${what}`,
    "Delete it and install again.",
  );
}

async function readDirectory(file: FileHandle, path: string): Promise<readonly ZipEntry[]> {
  const { size } = await file.stat();
  const tail = await readExactly(file, Math.max(0, size - 65_557), Math.min(size, 65_557), path);
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw broken(path, `no end of a zip archive in its ${size} bytes`);
  const [bytes, offset] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (bytes > MAX_DIRECTORY || offset + bytes > size) {
    throw broken(path, `a directory of ${bytes} bytes at ${offset} in ${size} bytes`);
  }
  const directory = await readExactly(file, offset, bytes, path);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length; ) {
    if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw broken(path, "a damaged directory");
    const nameLength = directory.readUInt16LE(at + 28);
    const entry: ZipEntry = {
      name: directory.toString("utf8", at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    if (entry.packed === HUGE || entry.size === HUGE || entry.offset === HUGE) {
      throw broken(path, `${entry.name} is over 4 GiB`);
    }
    entries.push(entry);
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function readExactly(
  file: FileHandle,
  start: number,
  bytes: number,
  path: string,
): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, start);
  if (bytesRead !== bytes) throw broken(path, `it ends after ${start + bytesRead} bytes`);
  return buffer;
}

/** The unpacked bytes of an entry, as a stream that fails on more bytes than announced. */
async function contentOf(file: FileHandle, path: string, entry: ZipEntry): Promise<Readable> {
  const header = await readExactly(file, entry.offset, 30, path);
  if (header.readUInt32LE(0) !== LOCAL_HEADER) throw broken(path, `no header for ${entry.name}`);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed =
    entry.packed === 0
      ? Readable.from([])
      : createReadStream(path, {
          start,
          end: start + entry.packed - 1,
          highWaterMark: 1 << 18,
        });
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw broken(path, `${entry.name} is packed with method ${entry.method}`);
  const inflate = createInflateRaw({ chunkSize: 1 << 18 });
  packed.on("error", (error: Error) => inflate.destroy(error));
  return packed.pipe(inflate);
}

async function readText(file: FileHandle, path: string, entry: ZipEntry): Promise<string> {
  if (entry.size > MAX_DIRECTORY) throw broken(path, `${entry.name} has ${entry.size} bytes`);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of await contentOf(file, path, entry)) {
      bytes += (part as Buffer).length;
      if (bytes > entry.size) throw broken(path, `${entry.name} is longer than it says`);
      parts.push(part as Buffer);
    }
  } catch (error) {
    throw asBroken(error, path, entry);
  }
  return Buffer.concat(parts).toString("utf8");
}

async function unpack(
  file: FileHandle,
  path: string,
  entry: ZipEntry,
  target: string,
  hashes: ReadonlyMap<string, string>,
): Promise<void> {
  if (entry.name.split("/").includes("..") || entry.name.startsWith("/")) {
    throw broken(path, `${entry.name} would land outside its folder`);
  }
  const expected = hashes.get(entry.name);
  if (expected === undefined) throw broken(path, `${entry.name} is not in its RECORD`);
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash("sha256");
  let bytes = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > entry.size) done(broken(path, `${entry.name} is longer than it says`));
      else done(null, chunk);
    },
  });
  try {
    await pipeline(await contentOf(file, path, entry), check, createWriteStream(target));
  } catch (error) {
    throw asBroken(error, path, entry);
  }
  const found = hash.digest("base64url");
  if (bytes !== entry.size || found !== expected) {
    throw broken(path, `${entry.name} is not what its RECORD promises`);
  }
}

/** What stopped the reading, as damage of the archive; a full disk stays what it is. */
function asBroken(error: unknown, path: string, entry: ZipEntry): unknown {
  if (error instanceof EngineError) return error;
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") return error;
  return broken(path, `${entry.name} can't be unpacked (${(error as Error).message})`);
}

/** RECORD lines are `path,sha256=<base64url without padding>,size`. */
function parseRecord(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^"?(.+?)"?,sha256=([\w-]+)=*,\d+$/.exec(line);
    if (match) hashes.set(match[1]!, match[2]!);
  }
  return hashes;
}
