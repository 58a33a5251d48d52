import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCheckpoint } from "../../src/runs/find-checkpoint.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-find-"));
  const files = [
    "logs/a/2026-01-01/model_20.pt",
    "logs/a/2026-01-01/model_100.pt",
    "logs/a/2026-01-01/best_model.pt",
    "logs/b/2026-02-02/model_5.pt",
    "logs/b/2026-02-02/exported/policy.onnx",
    "logs/b/2026-02-02/params/agent.yaml",
    "zoo/go2.pt",
    "zoo/go2/policy.pt",
  ];
  for (const [i, name] of files.entries()) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "x");
    utimesSync(path, 1000 + i, 1000 + i);
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const find = (text: string) => findCheckpoint(text, { logRoot: join(root, "logs") });

describe("a policy is meant by", () => {
  it.each([
    ["latest", "logs/b/2026-02-02/model_5.pt"],
    ["best", "logs/b/2026-02-02/model_5.pt"],
    ["model_.*.pt", "logs/b/2026-02-02/model_5.pt"],
    ["logs/a/2026-01-01", "logs/a/2026-01-01/best_model.pt"],
    ["logs/a", "logs/a/2026-01-01/best_model.pt"],
    ["logs/b/2026-02-02/exported", "logs/b/2026-02-02/exported/policy.onnx"],
    ["logs/a/2026*/model_*.pt", "logs/a/2026-01-01/model_100.pt"],
    ["logs/*/*/model_?.pt", "logs/b/2026-02-02/model_5.pt"],
    ["logs/a/2026-01-01/model_.*.pt", "logs/a/2026-01-01/model_100.pt"],
    ["zoo", "zoo/go2.pt"],
    ["zoo/go2/policy.pt", "zoo/go2/policy.pt"],
    ["zoo/[gh]o2.pt", "zoo/go2.pt"],
  ])("%s", async (text, expected) => {
    const path = text.includes("/") || text === "zoo" ? join(root, text) : text;
    expect(await find(path)).toBe(join(root, expected));
  });

  it("a path that is not there is left to whoever reads it", async () => {
    expect(await find("nowhere/model_5.pt")).toBe("nowhere/model_5.pt");
  });

  it.each([
    ["model_[", "no-checkpoint"],
    ["x*/y*", "no-checkpoint"],
  ])("nothing that matches %s is an error", async (text, code) => {
    await expect(find(join(root, text))).rejects.toMatchObject({ code });
  });

  it("an empty log root is named", async () => {
    const attempt = findCheckpoint("latest", { logRoot: join(root, "nowhere") });
    await expect(attempt).rejects.toMatchObject({ code: "no-such-run" });
  });
});
