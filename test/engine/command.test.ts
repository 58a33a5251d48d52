import { describe, expect, it } from "vitest";
import { runCommand } from "../../src/engine/install/command.ts";

const node = (script: string, options: Partial<Parameters<typeof runCommand>[2]> = {}) =>
  runCommand(process.execPath, ["-e", script], { timeout: 20_000, ...options });

describe("another program", () => {
  it("gives its status and what it printed", async () => {
    const result = await node("console.log('out'); console.error('err'); process.exit(3)");
    expect(result).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
  });

  it("that is not there is a result, not an exception", async () => {
    const result = await runCommand("firstsolo-no-such-program", [], { timeout: 1000 });
    expect(result).toMatchObject({ status: null, stopped: "not-found" });
  });

  it("keeps the end of an endless output, in bounded memory", async () => {
    const result = await node("for (let i = 0; i < 30000; i++) console.log('line ' + i)");
    expect(result.stdout.length).toBeLessThanOrEqual(64 * 1024);
    expect(result.stdout.endsWith("line 29999\n")).toBe(true);
  });

  it("that hangs is stopped, with the children it started", async () => {
    const script =
      "console.log(require('child_process').spawn('sleep', ['60']).pid); setInterval(() => {}, 9)";
    const result = await node(script, { timeout: 500 });
    expect(result).toMatchObject({ status: null, stopped: "timeout", signal: "SIGKILL" });
    const grandchild = Number(result.stdout);
    await expect.poll(() => alive(grandchild), { timeout: 5000 }).toBe(false);
  });

  it("that makes no progress is stopped as stalled", async () => {
    const result = await node("setInterval(() => {}, 9)", { measure: () => 5, stall: 500 });
    expect(result.stopped).toBe("stalled");
  });

  it("sees the environment without what is taken away", async () => {
    process.env.FIRSTSOLO_TEST_WORD = "there";
    const print = "console.log(process.env.FIRSTSOLO_TEST_WORD, process.env.OTHER)";
    const result = await node(print, { env: { FIRSTSOLO_TEST_WORD: undefined, OTHER: "new" } });
    expect(result.stdout).toBe("undefined new\n");
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
