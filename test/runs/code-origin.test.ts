import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCodeOrigin } from "../../src/runs/code-state.ts";

let folder = "";
const git = (...args: readonly string[]) => {
  const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", folder, ...who, ...args], { encoding: "utf8" }).trim();
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-origin-"));
  git("init", "--quiet");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("is unknown where there is no commit, or no repository", async () => {
  expect(await readCodeOrigin(folder)).toBeUndefined();
  expect(await readCodeOrigin(join(folder, "nowhere"))).toBeUndefined();
});

it("is the commit alone where there is no remote repository", async () => {
  git("commit", "--quiet", "--allow-empty", "-m", "first");
  expect(await readCodeOrigin(folder)).toEqual({ commit: git("rev-parse", "HEAD"), remoteUrl: "" });
  git("remote", "add", "origin", "x");
});

it.each([
  ["https://example.org/a/b.git", "https://example.org/a/b.git"],
  ["https://me:s3cret@example.org/a/b.git", "https://example.org/a/b.git"],
  ["https://t0ken@example.org/a/b.git", "https://example.org/a/b.git"],
  ["https://me:p@ss@example.org/a/b.git", "https://example.org/a/b.git"],
  ["ssh://git@example.org/a/b.git", "ssh://git@example.org/a/b.git"],
  ["ssh://git:s3cret@example.org/a/b.git", "ssh://example.org/a/b.git"],
  ["git@example.org:a/b.git", "git@example.org:a/b.git"],
])("tells no secret that stands in %s", async (url, told) => {
  git("remote", "set-url", "origin", url);
  expect((await readCodeOrigin(folder))?.remoteUrl).toBe(told);
});
