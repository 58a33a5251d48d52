import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { registerCompletion } from "../../src/cli/completion.ts";
import { registerExport } from "../../src/cli/export.ts";
import { registerTrain } from "../../src/cli/train.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-completion-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

async function script(shell: string): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    text += piece;
    return true;
  });
  const program = new Command("firstsolo").exitOverride();
  program.configureOutput({ outputError: () => undefined });
  registerCompletion(program, async (all) => {
    registerTrain(all);
    registerExport(all);
  });
  await program.parseAsync(["completion", shell], { from: "user" });
  return text;
}

/** What bash offers for the last of these words. */
function offers(path: string, ...words: readonly string[]): readonly string[] {
  const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _firstsolo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["-c", ask, "bash", path, "firstsolo", ...words]);
  return String(said).split("\n").filter(Boolean);
}

describe("the completion of bash", () => {
  it("offers commands, flags, words of flags, tasks and keys", async () => {
    const path = join(work, "bash");
    writeFileSync(path, await script("bash"));
    expect(offers(path, "")).toEqual(["completion", "train", "export"]);
    expect(offers(path, "tr")).toEqual(["train"]);
    expect(offers(path, "train", "--max_it")).toEqual(["--max_iterations"]);
    expect(offers(path, "train", "--wandb_mode", "")).toEqual(["offline", "online", "disabled"]);
    expect(offers(path, "train", "--task", "quadcopter-b")).toEqual(["quadcopter-blind"]);
    expect(offers(path, "train", "--algorithm", "td")).toEqual(["td3_bc"]);
    expect(offers(path, "train", "algorithm.gate_t")).toEqual(["algorithm.gate_threshold="]);
    expect(offers(path, "export", "--format", "o")).toEqual(["onnx"]);
    expect(offers(path, "export", "--max")).toEqual([]);
  });
});

describe.each(["zsh", "fish"])("the completion of %s", (shell) => {
  it("holds every flag, no value unquoted, and is taken by that shell where it is installed", async () => {
    const text = await script(shell);
    for (const word of ["max_iterations", "quadcopter-blind", "algorithm.gate_threshold="]) {
      expect(text).toContain(word);
    }
    // Single quotes inside single quotes end them: what is left of a line must pair up.
    for (const line of text.split("\n").filter((line) => !line.startsWith("#"))) {
      expect(line.replaceAll("'\\''", "").split("'").length % 2, line).toBe(1);
    }
    const path = join(work, shell);
    writeFileSync(path, text);
    const { status, error, stderr } = spawnSync(shell, ["-n", path], { encoding: "utf8" });
    if (!error) expect([status, stderr]).toEqual([0, ""]);
  });
});

it("says which shells there are", async () => {
  await expect(script("tcsh")).rejects.toThrow(/'tcsh' is invalid[\s\S]*bash, zsh, fish/);
});
