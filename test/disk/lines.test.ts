import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LineTail, linesOf } from "../../src/disk/lines.ts";
import fc from "../properties.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = () => join(folder, "lines");

async function all(): Promise<{ text: string; end: number }[]> {
  const found = [];
  for await (const line of linesOf(path())) found.push(line);
  return found;
}

describe("the lines of a file", () => {
  it("are what stands before each line's end, with the offset behind it; a half line is none", async () => {
    const text = fc.array(fc.constantFrom("\n", "a", "é", "🚁", "\r", "{}"), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        const content = parts.join("");
        writeFileSync(path(), content);
        const lines = content.split("\n").slice(0, -1);
        const found = await all();
        expect(found.map((line) => line.text)).toEqual(lines);
        const ends = lines.map((_, i) =>
          Buffer.byteLength(`${lines.slice(0, i + 1).join("\n")}\n`),
        );
        expect(found.map((line) => line.end)).toEqual(ends);
      }),
      { numRuns: 100 },
    );
  });

  it("are found across the pieces in which a long file is read", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${i}é`.repeat(i % 90));
    writeFileSync(path(), `${lines.join("\n")}\n`);
    expect((await all()).map(({ text }) => text)).toEqual(lines);
    const tail = new LineTail(path());
    expect([...tail.read(), ...tail.read()]).toEqual(lines);
  });

  it("are none where there is no file; a folder is an error", async () => {
    rmSync(path(), { force: true });
    expect(await all()).toEqual([]);
    await expect(linesOf(folder).next()).rejects.toMatchObject({ code: "EISDIR" });
  });

  it("go on behind one that is too long to be a line", async () => {
    writeFileSync(path(), `a\n${"x".repeat((1 << 24) + 1)}\nb\n`);
    expect((await all()).map(({ text }) => text)).toEqual(["a", "b"]);
  });
});

describe("a tail", () => {
  it("gives each line once it is whole, and all again where the file was cut", () => {
    writeFileSync(path(), "a\nb");
    const tail = new LineTail(path());
    expect(tail.read()).toEqual(["a"]);
    expect(tail.read()).toEqual([]);
    appendFileSync(path(), "c\nd\n");
    expect(tail.read()).toEqual(["bc", "d"]);
    truncateSync(path(), 2);
    expect(tail.read()).toEqual(["a"]);
  });
});
