import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRunning } from "../../src/disk/is-running.ts";
import { putWhole, putWholeForGood, putWholeSync } from "../../src/disk/whole-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ways: readonly (readonly [string, (path: string, text: string) => void | Promise<void>])[] = [
  ["putWhole", (path, text) => putWhole(path, (draft) => writeFile(draft, text))],
  ["putWholeSync", (path, text) => putWholeSync(path, text)],
  ["putWholeForGood", putWholeForGood],
];

describe.each(ways)("%s", (_, put) => {
  it("replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "x.json");
    await put(path, "one");
    await put(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["x.json"]);
  });

  it("that can't take its place leaves what was there, and no draft", async () => {
    const path = join(folder, "x.json");
    mkdirSync(join(path, "inside"), { recursive: true });
    await expect(async () => put(path, "one")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder)).toEqual(["x.json"]);
  });
});

describe("a draft", () => {
  it("that fails half-way leaves the old content", async () => {
    const path = join(folder, "x.csv");
    await putWholeForGood(path, "old");
    const attempt = putWhole(path, async (draft) => {
      await writeFile(draft, "ha");
      throw new Error("half-way");
    });
    await expect(attempt).rejects.toThrow("half-way");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["x.csv"]);
  });

  it("has the mode that is asked for", () => {
    putWholeSync(join(folder, "secret"), "x", 0o600);
    expect(statSync(join(folder, "secret")).mode & 0o777).toBe(0o600);
  });
});

describe("a process", () => {
  it("runs where it does, and no group of processes is asked", () => {
    expect(isRunning(process.pid)).toBe(true);
    expect(isRunning(2 ** 31 - 1)).toBe(false);
    for (const none of [0, -1, 1.5, Number.NaN]) expect(isRunning(none)).toBe(false);
  });
});
