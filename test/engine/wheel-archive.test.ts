import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../../src/engine/engine-error.ts";
import { openWheel } from "../../src/engine/install/zip.ts";
import fc from "../properties.ts";
import { makeWheel, makeZip } from "./zip-writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-zip-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Opens the archive and unpacks everything in it; gives the content of `thing/data`. */
async function unpackAll(archive: Buffer): Promise<Buffer> {
  const path = join(folder, "thing.whl");
  writeFileSync(path, archive);
  const wheel = await openWheel(path);
  try {
    for (const entry of wheel.entries) {
      if (!entry.name.endsWith("RECORD")) await wheel.unpack(entry, join(folder, "out"));
    }
  } finally {
    wheel.close();
  }
  return readFileSync(join(folder, "out", "thing", "data"));
}

const DATA = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i) % 251));
const wheel = makeWheel({ "thing/empty": "", "thing/data": DATA });

async function refusal(archive: Buffer): Promise<EngineError> {
  try {
    await unpackAll(archive);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a wheel", () => {
  it("is unpacked byte for byte, empty files too", async () => {
    expect(await unpackAll(wheel)).toEqual(DATA);
    expect(readFileSync(join(folder, "out", "thing", "empty"))).toHaveLength(0);
  });

  it("cut off anywhere is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: wheel.length - 1 }), async (length) => {
        expect((await refusal(wheel.subarray(0, length))).code).toBe("bad-archive");
      }),
      { numRuns: 60 },
    );
  });

  it("with any byte changed gives the right content or is refused, never other content", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: wheel.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const changed = Buffer.from(wheel);
          changed[at]! ^= flip;
          rmSync(join(folder, "out"), { recursive: true, force: true });
          const content = await unpackAll(changed).catch((error: Error) => error);
          if (content instanceof EngineError) return;
          // The name itself may have been changed: then the file is not where it was.
          if (content instanceof Error) expect(content.message).toMatch(/ENOENT/);
          else expect(content).toEqual(DATA);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("that is not what its RECORD promises is refused by the file's name", async () => {
    const record = (lines: string[]) => lines.map((line) => line.replace(/=[\w-]{6}/, "=AAAAAA"));
    const error = await refusal(makeWheel({ "thing/data": DATA }, { record }));
    expect(error.message).toMatch(/thing\/data is not what its RECORD promises/);
  });

  it("with a file that its RECORD does not list is refused", async () => {
    const error = await refusal(makeWheel({ "thing/data": DATA }, { record: () => [] }));
    expect(error.message).toMatch(/thing\/data is not in its RECORD/);
  });

  it("without a RECORD is refused", async () => {
    expect((await refusal(makeZip([["thing/data", DATA]]))).message).toMatch(/no RECORD/);
  });

  it("that reaches outside its folder is refused", async () => {
    const error = await refusal(makeWheel({ "thing/../../escape": "x" }));
    expect(error.message).toMatch(/invalid relative path: thing/);
  });

  it("that unpacks to more than it says is refused before it fills the disk", async () => {
    const large = makeWheel({ "thing/data": Buffer.alloc(1 << 22) });
    const sizeInDirectory = large.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24;
    large.writeUInt32LE(10, sizeInDirectory);
    expect((await refusal(large)).message).toMatch(
      /thing\/data can't be unpacked \(longer than the 10 bytes/,
    );
    expect(readFileSync(join(folder, "out", "thing", "data")).length).toBeLessThan(1 << 19);
  });
});
