import { describe, expect, it } from "vitest";
import { ProtoWriter } from "../../protocol/protobuf.ts";
import { MetricFormatError } from "../../src/metrics/metric-format-error.ts";
import { crc32c } from "../../src/metrics/tensorboard/crc32c.ts";
import { fieldsOf } from "../../src/metrics/wandb/record-fields.ts";
import { BLOCK_SIZE, encodeRecord, LOG_HEADER } from "../../src/metrics/wandb/record-log.ts";
import fc from "../properties.ts";
import { logOf, readAll } from "./record-log-tools.ts";

/** Chunk types of the format. */
const FULL = 1;
const FIRST = 2;

/** Content that differs from record to record and byte to byte. */
function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + 1) % 256);
}

const sizes = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.nat(300) },
    { weight: 2, arbitrary: fc.integer({ min: BLOCK_SIZE - 60, max: BLOCK_SIZE + 10 }) },
    { weight: 1, arbitrary: fc.integer({ min: 2 * BLOCK_SIZE - 60, max: 3 * BLOCK_SIZE }) },
  ),
  { maxLength: 8 },
);

describe("checksums", () => {
  it("give the check values of their definitions", () => {
    const digits = Buffer.from("123456789");
    expect(crc32c(digits)).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa); // RFC 3720, B.4
  });
});

describe("protocol buffers", () => {
  it("encode the documented examples", () => {
    const bytes = new ProtoWriter().varint(1, 150).string(2, "testing").finish();
    expect(Buffer.from(bytes).toString("hex")).toBe("089601120774657374696e67");
  });

  it("give back every integer, text and nested message", () => {
    const value = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(-1, 0, 127, 128));
    fc.assert(
      fc.property(value, fc.string({ unit: "binary" }), fc.nat(5000), (number, text, length) => {
        const written = new ProtoWriter()
          .varint(1, number)
          .message(300, (inner) => inner.string(7, text).bytes(8, filled(length, 1)))
          .double(536_870_911, 0.1)
          .finish();
        const [first, nested, last] = fieldsOf(written);
        expect(first).toMatchObject({ field: 1, int: number });
        const [inner, bytes] = fieldsOf(nested!.bytes);
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(inner!.bytes)).toBe(text);
        expect(Buffer.compare(bytes!.bytes, filled(length, 1))).toBe(0);
        expect(last!.field).toBe(536_870_911);
        expect(Buffer.from(last!.bytes).readDoubleLE()).toBe(0.1);
      }),
    );
  });

  it("are refused with a MetricFormatError or read, whatever the bytes, and never crash", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          fieldsOf(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MetricFormatError);
        }
      }),
    );
    expect(() => fieldsOf(Uint8Array.of(0x0a, 0x05, 0x01))).toThrow(
      /a field of 5 bytes is cut off/,
    );
  });
});

describe("record log", () => {
  it("gives back records of any size, over any block boundary", () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const written = lengths.map(filled);
        const { bytes, ends } = logOf(written);
        const { records, end } = readAll(bytes);
        expect(end).toBe("whole");
        expect(records.map((r) => r.data.length)).toEqual(lengths);
        records.forEach((r, i) => {
          expect(Buffer.compare(r.data, written[i]!)).toBe(0);
        });
        expect(records.map((r) => r.end)).toEqual(ends);
      }),
      { numRuns: 60 },
    );
  });

  it("never lets a chunk cross a block, and starts a chunk in the last 7 bytes of one", () => {
    for (let left = 0; left <= 20; left++) {
      const position = 3 * BLOCK_SIZE - left;
      const bytes = encodeRecord(position, filled(50, 1));
      const padding = left < 7 ? left : 0;
      const lengthField = Buffer.from(bytes).readUInt16LE(padding + 4);
      expect(lengthField).toBe(left < 7 ? 50 : Math.min(50, left - 7));
      expect(bytes[padding + 6]).toBe(left < 7 ? FULL : FIRST);
    }
  });

  it("cut at any byte, still gives every whole record and says that it is torn", () => {
    const { bytes, ends } = logOf([5, 0, 130, 40, 1, 300].map(filled));
    for (let cut = LOG_HEADER.length; cut < bytes.length; cut++) {
      const { records, end } = readAll(bytes.subarray(0, cut));
      expect(records.length).toBe(ends.filter((e) => e <= cut).length);
      expect(end).toBe(cut === LOG_HEADER.length || ends.includes(cut) ? "whole" : "torn");
    }
    for (let cut = 0; cut < LOG_HEADER.length; cut++) {
      expect(readAll(bytes.subarray(0, cut)).end).toBe("no-header");
    }
  });

  it("cut around block boundaries, still gives every whole record", () => {
    const { bytes, ends } = logOf([BLOCK_SIZE - 30, 90, 2 * BLOCK_SIZE, 3].map(filled));
    const blocks = [1, 2, 3].map((n) => n * BLOCK_SIZE);
    for (const edge of [...blocks, ...ends]) {
      for (let cut = edge - 15; cut <= Math.min(edge + 15, bytes.length); cut++) {
        const { records } = readAll(bytes.subarray(0, cut));
        expect(records.length).toBe(ends.filter((e) => e <= cut).length);
      }
    }
  });

  it("with any byte changed, gives a true beginning and never a wrong record", () => {
    const written = [40, 3, 200, BLOCK_SIZE, 60].map(filled);
    const { bytes } = logOf(written);
    const at = fc.integer({ min: LOG_HEADER.length, max: bytes.length - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (index, change) => {
        const bad = bytes.slice();
        bad[index] = bad[index]! ^ change;
        const { records } = readAll(bad);
        expect(records.length).toBeLessThan(written.length);
        records.forEach((r, i) => {
          expect(Buffer.compare(r.data, written[i]!)).toBe(0);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("takes the zeros that a power cut leaves for damage", () => {
    const { bytes } = logOf([filled(40, 1)]);
    const { records, end } = readAll(Buffer.concat([bytes, Buffer.alloc(500)]));
    expect([records.length, end]).toEqual([1, "damaged"]);
  });
});
