import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";

/** A wheel in memory: a real zip archive, deflated, with the RECORD that lists its hashes. */
export function makeWheel(
  files: Readonly<Record<string, Uint8Array | string>>,
  options: { readonly record?: (lines: string[]) => string[] } = {},
): Buffer {
  const contents = Object.entries(files).map(([name, data]) => [name, Buffer.from(data)] as const);
  const lines = contents.map(([name, data]) => {
    const hash = createHash("sha256").update(data).digest("base64url");
    return `${name},sha256=${hash},${data.length}`;
  });
  const record = "thing-1.0.dist-info/RECORD";
  const text = [...(options.record?.(lines) ?? lines), `${record},,`].join("\r\n");
  return makeZip([...contents, [record, Buffer.from(text)]]);
}

export function makeZip(files: readonly (readonly [string, Buffer])[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of files) {
    const packed = deflateRawSync(data);
    const sizes = Buffer.alloc(14);
    sizes.writeUInt32LE(crc32(data), 0);
    sizes.writeUInt32LE(packed.length, 4);
    sizes.writeUInt32LE(data.length, 8);
    sizes.writeUInt16LE(Buffer.byteLength(name), 12);
    const local = Buffer.concat([header(0x04034b50, 14), sizes, words(0), Buffer.from(name)]);
    const central = Buffer.alloc(16);
    central.writeUInt32LE(offset, 12);
    directory.push(header(0x02014b50, 16), sizes, central, Buffer.from(name));
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** Signature, versions, flags, method deflate, time: what comes before the checksum. */
function header(signature: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(signature, 0);
  buffer.writeUInt16LE(8, bytes - 6);
  return buffer;
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => {
    buffer.writeUInt16LE(value, 2 * i);
  });
  return buffer;
}
