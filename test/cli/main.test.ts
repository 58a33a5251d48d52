import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { reportError } from "../../src/cli/report-error.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { LearningError } from "../../src/learning/learning-error.ts";
import { RunningError } from "../../src/running/running-error.ts";
import { RunError } from "../../src/runs/run-error.ts";
import { exitCodeOf } from "../../src/training/exit-codes.ts";
import { compiledProgram } from "../compiled.ts";

const quiet = { debug: false };

describe("the exit code", () => {
  it.each([
    [new ConfigError("unknown-key", "m", "h"), 2],
    [new RunningError("no-training-rows", "m", "h"), 2],
    [new RunError("no-such-run", "m", "h"), 2],
    [new RunError("disk-full", "m", "h"), 70],
    [new LearningError("diverged", "m", "h"), 4],
    [Object.assign(new Error("m"), { name: "RemoteError", code: "simulator-lost", hint: "h" }), 3],
    [Object.assign(new Error("m"), { name: "RemoteError", code: "unknown-setting", hint: "h" }), 2],
    [Object.assign(new Error("m"), { name: "RemoteError", code: "aborted", hint: "h" }), 130],
    [new DOMException("m", "AbortError"), 130],
    [new TypeError("x is undefined"), 70],
    ["a text", 70],
    [undefined, 70],
  ])("of %s is %d", (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe("an error", () => {
  it("is told with its hint and without a stack", () => {
    const error = new ConfigError("unknown-key", "Unknown key x (--x)", "Did you mean y?");
    expect(reportError(error, quiet)).toEqual({
      text: "firstsolo: Unknown key x (--x)\n  → Did you mean y?\n",
      exitCode: 2,
    });
  });

  it("of our own making is told as such, with a way to the stack", () => {
    const { text } = reportError(new TypeError("x is undefined"), quiet);
    expect(text).toMatch(/^firstsolo: internal error: x is undefined\n {2}→ FIRSTSOLO_DEBUG=1 /);
    expect(text).not.toContain("at ");
  });

  it("shows its stack and its cause when asked to", () => {
    const cause = new Error("the disk says no");
    const error = new RunError("not-writable", "m", "h", { cause });
    const { text } = reportError(error, { debug: true });
    expect(text).toMatch(/RunError: m\n +at [\s\S]*the disk says no/);
  });

  it("of usage carries commander's guess as the hint", () => {
    const message = "error: unknown option '--num_env'\n(Did you mean --num_envs?)";
    expect(reportError(new CommanderError(1, "commander.unknownOption", message), quiet)).toEqual({
      text: "firstsolo: unknown option '--num_env'\n  → Did you mean --num_envs?\n",
      exitCode: 2,
    });
  });

  it("of usage without a guess leads to the help of the command that was typed", () => {
    const error = new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'");
    const report = (command?: string) =>
      reportError(error, { debug: false, ...(command && { command }) }).text;
    expect(report("train")).toContain("→ `firstsolo train --help` lists its options.");
    expect(report()).toContain("→ `firstsolo --help` lists commands.");
  });

  it("that is none, like --help, says nothing", () => {
    const help = new CommanderError(0, "commander.helpDisplayed", "(outputHelp)");
    expect(reportError(help, quiet)).toEqual({ text: "", exitCode: 0 });
  });
});

const program = compiledProgram();

function firstsolo(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8", timeout: 30_000 });
}

/** Addresses of the modules a command loads, told by a hook in Node's loader. */
function modulesLoadedBy(...args: readonly string[]): readonly string[] {
  const hook =
    "export async function load(url, context, next) { process._rawDebug(url); return next(url, context); }";
  const address = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(address(hook))});`;
  const command = ["--import", address(register), program, ...args];
  const { stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return stderr.split("\n").filter((line) => line !== "");
}

describe("the command in a clone that was never built", () => {
  it("says what to do", () => {
    const clone = mkdtempSync(join(tmpdir(), "firstsolo-clone-"));
    mkdirSync(join(clone, "src", "cli"), { recursive: true });
    const copy = join(clone, "src", "cli", "firstsolo.mjs");
    copyFileSync(program, copy);
    const { status, stderr } = spawnSync(process.execPath, [copy], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^firstsolo: the compiled code is not there\n {2}→ Run npm install in /);
    expect(stderr).toContain(clone);
  });
});

describe("the command", () => {
  it("lists its commands, and its version", () => {
    const help = firstsolo("--help");
    expect(help.status).toBe(0);
    for (const name of ["train", "eval", "sim", "inspect", "parity", "doctor"]) {
      expect(help.stdout).toMatch(new RegExp(`^ +${name} `, "m"));
    }
    expect(firstsolo("--version").stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("loads nothing heavy for its help", () => {
    const loaded = modulesLoadedBy("--help");
    expect(loaded.some((url) => url.includes("/commander/"))).toBe(true);
    expect(loaded.filter((url) => /tfjs|zeromq|mujoco|msgpackr|zod/.test(url))).toEqual([]);
  });

  it.each([
    [["trian"], "unknown command 'trian'", "Did you mean train?"],
    [["train", "--num_env", "3"], "unknown option '--num_env'", "Did you mean --num_envs?"],
    [["train", "num_env=3"], "Unknown key num_env (num_env=3)", "Did you mean num_envs?"],
    [["train", "--video"], "--video: the runner renders", "Record in the simulator's"],
    [["eval", "/nowhere/run"], "There is no /nowhere/run", "/nowhere isn't there either"],
  ])("%j ends in 2 with a message, a hint and no stack", (args, message, hint) => {
    const { status, stderr, stdout } = firstsolo(...args);
    expect(stdout).toBe("");
    expect(stderr).toContain(`firstsolo: ${message}`);
    expect(stderr).toContain(`  → ${hint}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(2);
  });

  it.each([["eval"], ["export", "--format", "onnx"]])(
    "%s asks for a run where there is none",
    (...args) => {
      const cwd = mkdtempSync(join(tmpdir(), "firstsolo-nowhere-"));
      const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
        encoding: "utf8",
        cwd,
      });
      expect(stderr).toMatch(
        /^firstsolo: There is no run in .*logs\/rsl_rl\n {2}→ Name a run folder/,
      );
      expect(status).toBe(2);
    },
  );

  it("without a word shows its help and ends in 2", () => {
    const { status, stderr } = firstsolo();
    expect(stderr).toContain("Usage: firstsolo");
    expect(status).toBe(2);
  });
});
