import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  readSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { EngineError } from "../engine-error.ts";

/** TensorFlow's wheel has 20,000. */
const MAX_ENTRIES = 1_000_000;
/** Bytes that are read and inflated at a time: Node's own 16 KiB take four times as long. */
const PIECE = 1 << 18;
/** Of an entry that is read into memory. */
const MAX_TEXT = 64 * 1024 * 1024;

export interface ZipEntry {
  readonly name: string;
  /** bytes once unpacked */
  readonly size: number;
}

export interface Wheel {
  readonly entries: readonly ZipEntry[];
  /** The text of one small entry. */
  text(entry: ZipEntry): Promise<string>;
  /** Unpacks one entry to `folder/name`; its size and SHA-256 must be those of the wheel's RECORD. */
  unpack(entry: ZipEntry, folder: string): Promise<void>;
  close(): void;
}

/**
 * Opens a Python wheel: a zip archive that lists the SHA-256 of its own files. Names that reach outside a
 * folder, sizes that lie and archives that end early are refused.
 *
 * @throws EngineError `bad-archive`
 */
export async function openWheel(path: string): Promise<Wheel> {
  const zip = await openZip(path);
  try {
    return await WheelFile.read(zip, path);
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function openZip(path: string): Promise<ZipFile> {
  const file = new BlockReader(path);
  try {
    return await fromRandomAccessReaderPromise(file, file.bytes, { autoClose: false });
  } catch (error) {
    file.close(() => {});
    throw broken(path, (error as Error).message);
  }
}

/** The archive in pieces so large that a directory of 20,000 entries is not 40,000 reads. */
class BlockReader extends RandomAccessReader {
  readonly bytes: number;
  readonly #path: string;
  readonly #fd: number;
  #block = Buffer.alloc(0);
  #start = 0;

  constructor(path: string) {
    super();
    this.#path = path;
    this.#fd = openSync(path, "r");
    this.bytes = fstatSync(this.#fd).size;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return createReadStream(this.#path, { start, end: end - 1, highWaterMark: PIECE });
  }

  override read(...[into, offset, length, at, done]: Parameters<RandomAccessReader["read"]>): void {
    if (at < this.#start || at + length > this.#start + this.#block.length) {
      const block = Buffer.alloc(Math.max(length, 1 << 20));
      this.#block = block.subarray(0, readSync(this.#fd, block, 0, block.length, at));
      this.#start = at;
    }
    const copied = this.#block.copy(into, offset, at - this.#start, at - this.#start + length);
    queueMicrotask(() => done(copied === length ? null : new Error(`it ends at ${at + copied}`)));
  }

  override close(done: (error: Error | null) => void): void {
    closeSync(this.#fd);
    done(null);
  }
}

class WheelFile implements Wheel {
  readonly #zip: ZipFile;
  readonly #path: string;
  readonly #found: ReadonlyMap<string, Entry>;
  #hashes: ReadonlyMap<string, string> = new Map();

  private constructor(zip: ZipFile, path: string, found: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#path = path;
    this.#found = found;
  }

  static async read(zip: ZipFile, path: string): Promise<WheelFile> {
    const wheel = new WheelFile(zip, path, await entriesOf(zip, path));
    const record = wheel.entries.find(({ name }) => name.endsWith(".dist-info/RECORD"));
    if (record === undefined) throw broken(path, "no RECORD, so nothing in it can be checked");
    wheel.#hashes = parseRecord(await wheel.text(record));
    return wheel;
  }

  get entries(): readonly ZipEntry[] {
    return [...this.#found].map(([name, entry]) => ({ name, size: entry.uncompressedSize }));
  }

  async text(entry: ZipEntry): Promise<string> {
    if (entry.size > MAX_TEXT) throw broken(this.#path, `${entry.name} has ${entry.size} bytes`);
    return this.#read(entry, text);
  }

  async unpack(entry: ZipEntry, folder: string): Promise<void> {
    const expected = this.#hashes.get(entry.name);
    if (expected === undefined) throw broken(this.#path, `${entry.name} is not in its RECORD`);
    const target = join(folder, entry.name);
    await mkdir(dirname(target), { recursive: true });
    const hash = createHash("sha256");
    await this.#read(entry, (content) => {
      content.on("data", (chunk: Buffer) => hash.update(chunk));
      return pipeline(content, createWriteStream(target));
    });
    if (hash.digest("base64url") === expected) return;
    throw broken(this.#path, `${entry.name} is not what its RECORD promises`);
  }

  close(): void {
    this.#zip.close();
  }

  /** Damage that shows while an entry is read is damage of the archive; a full disk stays what it is. */
  async #read<T>(entry: ZipEntry, use: (content: Readable) => Promise<T>): Promise<T> {
    try {
      const found = this.#found.get(entry.name)!;
      if (!found.canDecodeFileData()) throw new Error(`by method ${found.compressionMethod}`);
      const packed = await this.#zip.openReadStreamPromise(found, { decodeFileData: false });
      const inflate = found.compressionMethod === 8 ? [createInflateRaw({ chunkSize: PIECE })] : [];
      const content = exactly(entry.size);
      const [used] = await Promise.all([
        use(content),
        pipeline([packed, ...inflate, content] as const),
      ]);
      return used;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw error;
      throw broken(this.#path, `${entry.name} can't be unpacked (${(error as Error).message})`);
    }
  }
}

/** Passes on what comes; more or fewer bytes than announced are an error. */
function exactly(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes) done(new Error(`longer than the ${bytes} bytes that it says`));
      else done(null, chunk);
    },
    flush: (done) => done(seen < bytes ? new Error(`${seen} bytes instead of ${bytes}`) : null),
  });
}

async function entriesOf(zip: ZipFile, path: string): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw broken(path, `it lists ${zip.entryCount} files`);
  const found = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) found.set(entry.fileName, entry);
  } catch (error) {
    throw broken(path, (error as Error).message);
  }
  return found;
}

function broken(path: string, what: string): EngineError {
  return new EngineError(
    "bad-archive",
    `${path} is not a sound wheel: ${what}`,
    "Delete it and install again.",
  );
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
