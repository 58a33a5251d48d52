import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../../src/disk/make-folder.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-folders-"));

describe("a folder", () => {
  it("is made with those it is in, once, the last with the mode that is asked for", () => {
    const path = join(work, "a/b/c");
    makeFolder(path, 0o700);
    makeFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it.each([
    ["a file is in the way", join(work, "file/deeper"), "ENOTDIR"],
    ["the system refuses as if nothing were there", "/proc/nowhere/deeper", "ENOENT"],
  ])("is refused with the system's code: %s", (_, path, code) => {
    writeFileSync(join(work, "file"), "");
    expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code }));
  });
});
