import { Command } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { registerParity } from "../../src/cli/parity.ts";

const good = ["test/data/offline_rl/td3_bc.safetensors", "test/data/parity/mlp-clip.safetensors"];

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

async function parity(...args: string[]): Promise<{ lines: string[]; code: unknown }> {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const program = new Command().exitOverride();
  registerParity(program);
  await program.parseAsync(["parity", ...args], { from: "user" });
  return { lines, code: process.exitCode };
}

describe("parity", () => {
  it("takes files of several kinds, and ends well when all agree", async () => {
    const { lines, code } = await parity(...good);
    expect(lines.map((line) => line.replace(/:.*/s, ""))).toEqual([
      "ok   td3_bc.safetensors (td3_bc, 6 updates)",
      "ok   mlp-clip.safetensors (distillation, 3 updates)",
    ]);
    expect(code).toBeUndefined();
  });

  it("goes on after what it can't repeat, and ends in 1", async () => {
    const { lines, code } = await parity("/nowhere.safetensors", "README.md", good[0]!, "--json");
    const { reports } = JSON.parse(lines.join("\n"));
    expect(reports).toMatchObject([
      { passed: false, error: expect.stringContaining("ENOENT") },
      { passed: false, error: expect.stringContaining("README.md") },
      { passed: true, kind: "td3_bc", tolerance: { weights: 1e-5 } },
    ]);
    expect(code).toBe(1);
  });
});
