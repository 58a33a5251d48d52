import { crc32, deflateSync } from "node:zlib";

/** Grey values, 0 black to 255 white, `[height, width]` from the top left. */
export interface GreyPicture {
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A PNG file, 8 bits of grey (ISO/IEC 15948): header, one compressed piece of data, end. */
export function encodePng({ height, width, values }: GreyPicture): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  // Each row begins with the number of its filter: 0, none.
  const rows = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(values.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND")];
  return Buffer.concat([Uint8Array.from(signature), ...parts]);
}

function chunk(type: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
