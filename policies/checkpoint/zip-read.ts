import { crc32, inflateRawSync } from "node:zlib";
import { fileKind } from "../file-kind.ts";
import { CheckpointError } from "../policy-error.ts";

/**
 * One member of an archive. `read` checks length and CRC each time; stored members are views, not
 * copies.
 */
export interface ZipMember {
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  read(): Uint8Array;
}

export interface ZipLimits {
  /** Bytes one deflated member may unpack to. */
  readonly memberBytes?: number;
  /** Bytes all deflated members may unpack to, over the life of the archive. */
  readonly inflatedBytes?: number;
  readonly members?: number;
}

const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
const COMMENT_BYTES = 0xffff;
const UNKNOWN_32 = 0xffffffff;
const ZIP64_EXTRA = 1;
const MiB = 2 ** 20;
const COPY_AGAIN = "The file is truncated or damaged: copy or download it again.";

/** What the central directory says of a member. */
interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * Reads the directory of a zip archive held in memory. Nothing is unpacked before `read`, and never
 * more than the limits allow.
 *
 * @param where what to call the file in messages
 * @throws CheckpointError `not-a-zip`, `damaged-zip`, `too-large`
 */
export function readZip(
  bytes: Uint8Array,
  where: string,
  limits: ZipLimits = {},
): ReadonlyMap<string, ZipMember> {
  return new Archive(bytes, where, limits).members();
}

class Archive {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  readonly #memberBytes: number;
  readonly #maxMembers: number;
  #inflatable: number;

  constructor(bytes: Uint8Array, where: string, limits: ZipLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
    this.#memberBytes = limits.memberBytes ?? 128 * MiB;
    this.#inflatable = limits.inflatedBytes ?? 256 * MiB;
    this.#maxMembers = limits.members ?? 100_000;
  }

  members(): ReadonlyMap<string, ZipMember> {
    const { count, offset } = this.#directory();
    if (count > this.#maxMembers) {
      throw this.#tooLarge(`${count} members, at most ${this.#maxMembers} are read`);
    }
    const members = new Map<string, ZipMember>();
    let at = offset;
    for (let i = 0; i < count; i++) {
      const { entry, next } = this.#entry(at);
      if (members.has(entry.name)) throw this.#damaged(`two members are named ${entry.name}`);
      members.set(entry.name, {
        name: entry.name,
        size: entry.size,
        read: () => this.#read(entry),
      });
      at = next;
    }
    return members;
  }

  #directory(): { count: number; offset: number } {
    const end = this.#findEnd();
    const locator = end - LOCATOR64_BYTES;
    if (locator >= 0 && this.#u32(locator) === LOCATOR64) {
      const end64 = this.#u64(locator + 8, "zip64 end of directory");
      if (end64 + 56 > locator || this.#u32(end64) !== END64) {
        throw this.#damaged("its zip64 end of directory is not where it says");
      }
      return {
        count: this.#u64(end64 + 32, "number of members"),
        offset: this.#u64(end64 + 48, "directory offset"),
      };
    }
    return { count: this.#u16(end + 10), offset: this.#u32(end + 16) };
  }

  #findEnd(): number {
    const last = this.#bytes.length - END_BYTES;
    for (let at = last; at >= 0 && at >= last - COMMENT_BYTES; at--) {
      if (this.#u32(at) === END && at + END_BYTES + this.#u16(at + 20) === this.#bytes.length) {
        return at;
      }
    }
    const local = this.#bytes.length >= 4 && this.#u32(0) === LOCAL;
    if (local) throw this.#damaged("it starts as a zip archive and has no end of directory");
    throw new CheckpointError(
      "not-a-zip",
      `${this.#where}: expected a zip archive as torch.save writes it, got ${fileKind(this.#bytes) ?? `${this.#bytes.length} bytes of something else`}`,
      "Give a model_*.pt that torch 1.6 or later has saved; re-save older files with torch.load and torch.save.",
    );
  }

  #entry(at: number): { entry: Entry; next: number } {
    if (at + 46 > this.#bytes.length || this.#u32(at) !== CENTRAL) {
      throw this.#damaged(`no directory entry at byte ${at}`);
    }
    const nameBytes = this.#u16(at + 28);
    const extraBytes = this.#u16(at + 30);
    const next = at + 46 + nameBytes + extraBytes + this.#u16(at + 32);
    if (next > this.#bytes.length) throw this.#damaged(`the directory entry at ${at} is cut off`);
    const name = new TextDecoder().decode(this.#slice(at + 46, nameBytes));
    const wide = this.#wideFields(at, nameBytes, extraBytes, name);
    const entry: Entry = {
      name,
      flags: this.#u16(at + 8),
      method: this.#u16(at + 10),
      crc: this.#u32(at + 16),
      ...wide,
    };
    return { entry, next };
  }

  /** Sizes and offset, from the zip64 extra field where the 32-bit ones are full. */
  #wideFields(at: number, nameBytes: number, extraBytes: number, name: string) {
    const narrow = [this.#u32(at + 24), this.#u32(at + 20), this.#u32(at + 42)];
    if (!narrow.includes(UNKNOWN_32)) return this.#named(narrow);
    let extra = at + 46 + nameBytes;
    const end = extra + extraBytes;
    while (extra + 4 <= end && this.#u16(extra) !== ZIP64_EXTRA) extra += 4 + this.#u16(extra + 2);
    let field = extra + 4;
    const wide = narrow.map((value) => {
      if (value !== UNKNOWN_32) return value;
      if (field + 8 > end) throw this.#damaged(`${name} lacks its zip64 sizes`);
      field += 8;
      return this.#u64(field - 8, name);
    });
    return this.#named(wide);
  }

  #named(fields: readonly number[]): { size: number; packed: number; offset: number } {
    return { size: fields[0] ?? 0, packed: fields[1] ?? 0, offset: fields[2] ?? 0 };
  }

  #read(entry: Entry): Uint8Array {
    if (entry.flags & 1) throw this.#damaged(`${entry.name} is encrypted`);
    const packed = this.#packed(entry);
    let data = packed;
    if (entry.method === 8) data = this.#inflate(entry, packed);
    else if (entry.method !== 0) {
      throw this.#damaged(`${entry.name} is packed by method ${entry.method}, expected 0 or 8`);
    }
    if (data.length !== entry.size) {
      throw this.#damaged(`${entry.name} holds ${data.length} bytes, expected ${entry.size}`);
    }
    if (crc32(data) !== entry.crc) throw this.#damaged(`${entry.name} fails its checksum`);
    return data;
  }

  #packed(entry: Entry): Uint8Array {
    const at = entry.offset;
    if (at + 30 > this.#bytes.length || this.#u32(at) !== LOCAL) {
      throw this.#damaged(`${entry.name} is not at byte ${at}`);
    }
    const start = at + 30 + this.#u16(at + 26) + this.#u16(at + 28);
    if (start + entry.packed > this.#bytes.length) {
      throw this.#damaged(`${entry.name} is cut off: ${entry.packed} bytes expected at ${start}`);
    }
    return this.#slice(start, entry.packed);
  }

  #inflate(entry: Entry, packed: Uint8Array): Uint8Array {
    if (entry.size > this.#memberBytes || entry.size > this.#inflatable) {
      throw this.#tooLarge(`${entry.name} would unpack to ${entry.size} bytes`);
    }
    this.#inflatable -= entry.size;
    try {
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    } catch (cause) {
      throw this.#damaged(`${entry.name} can't be unpacked`, cause);
    }
  }

  #slice(at: number, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #u64(at: number, what: string): number {
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#damaged(`${what} is ${value}`);
    return Number(value);
  }

  #damaged(what: string, cause?: unknown): CheckpointError {
    return new CheckpointError("damaged-zip", `${this.#where}: ${what}`, COPY_AGAIN, { cause });
  }

  #tooLarge(what: string): CheckpointError {
    return new CheckpointError(
      "too-large",
      `${this.#where}: ${what}`,
      "A checkpoint of a policy is far smaller; make sure that this file is one.",
    );
  }
}
