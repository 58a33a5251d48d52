import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunCommand, runCommand } from "../../src/engine/install/command.ts";
import { type InstallOutcome, installEngine } from "../../src/engine/install/install.ts";
import { type FakeMachine, fakeMachine, program } from "./fake-machine.ts";

const PATH = process.env.PATH;
let machine: FakeMachine;

beforeEach(() => {
  machine = fakeMachine();
  process.env.PATH = machine.path;
});
afterEach(() => {
  process.env.PATH = PATH;
  delete process.env.PIP_FAILS;
  rmSync(machine.folder, { recursive: true, force: true });
});

const entry = () => join(machine.cache, "tensorflow-2.21.0-cpu-linux-x64");

function ready(outcome: InstallOutcome): Extract<InstallOutcome, { kind: "ready" }> {
  if (outcome.kind !== "ready") throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe("the order of what is tried", () => {
  it("takes the TensorFlow that the user points at before the wheel", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    const env = { ...clone.env, FIRSTSOLO_TENSORFLOW: join(entry(), "tensorflow") };
    expect(ready(await installEngine({ ...clone, env })).installed.source).toBe("environment");
    expect(ready(await installEngine({ ...clone, env })).changed).toBe(false);
    expect(ready(await installEngine(clone)).installed.source).toBe("wheel");
    expect(machine.downloads()).toBe(1);
  });

  it("reads a C distribution with lib and include too", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    const dist = join(machine.folder, "libtensorflow");
    mkdirSync(join(dist, "lib"), { recursive: true });
    mkdirSync(join(dist, "include", "tensorflow", "c"), { recursive: true });
    const from = join(entry(), "tensorflow");
    const copy = (a: string, b: string) =>
      writeFileSync(join(dist, b), readFileSync(join(from, a)));
    copy("libtensorflow_cc.so.2", "lib/libtensorflow_cc.so.2");
    copy("libtensorflow_framework.so.2", "lib/libtensorflow_framework.so.2");
    copy("include/tensorflow/c/c_api.h", "include/tensorflow/c/c_api.h");
    const env = { ...clone.env, FIRSTSOLO_TENSORFLOW: dist };
    expect(ready(await installEngine({ ...clone, env })).installed.source).toBe("environment");
  });

  it.each([
    ["/nowhere/at/all", /no such folder/],
    [import.meta.filename, /a file, not a folder/],
    [dirname(import.meta.filename), /no include\/tensorflow\/c\/c_api.h/],
  ])("says why %s is no TensorFlow, and goes on with the wheel", async (path, reason) => {
    const clone = machine.clone();
    const env = { ...clone.env, FIRSTSOLO_TENSORFLOW: path };
    expect(ready(await installEngine({ ...clone, env })).installed.source).toBe("wheel");
    expect(clone.lines[0]).toMatch(reason);
    expect(clone.lines[0]).toMatch(/Point FIRSTSOLO_TENSORFLOW at/);
  });

  it("takes the package's own download where pip can't fetch", async () => {
    process.env.PIP_FAILS = "Connection to the index timed out";
    const clone = machine.clone();
    const addon = join(machine.folder, "ready-made.node");
    await installEngine({ ...machine.clone("donor"), env: donorEnvironment() });
    const installer = `
      const fs = require("fs");
      fs.mkdirSync("lib/napi-v8", { recursive: true });
      fs.mkdirSync("deps/lib", { recursive: true });
      for (const name of fs.readdirSync(${JSON.stringify(tinyFolder())}))
        if (name.startsWith("lib")) fs.copyFileSync(${JSON.stringify(tinyFolder())} + "/" + name, "deps/lib/" + name);
      fs.copyFileSync(${JSON.stringify(addon)}, "lib/napi-v8/tfjs_binding.node");
      fs.writeFileSync("package.json", "rewritten");`;
    writeFileSync(addon, readFileSync(donorAddon()));
    writeFileSync(join(clone.target, "scripts", "install.js"), installer);
    const outcome = ready(await installEngine(clone));
    expect(outcome.installed).toMatchObject({ source: "prebuilt", version: "2.21.0-tiny" });
    expect(clone.lines.join("\n")).toMatch(/the package index can't be reached/);
    expect(readFileSync(join(clone.target, "package.json"), "utf8")).toContain("tfjs-node-gpu");
  });

  it("comes down to the fallback with one reason for each, and never throws", async () => {
    process.env.PIP_FAILS = "No matching distribution found for tensorflow_cpu";
    const outcome = await installEngine(machine.clone());
    if (outcome.kind !== "fallback") throw new Error("it found a TensorFlow");
    expect(outcome.reasons.map(({ code }) => code)).toEqual(["download-failed", "download-failed"]);
    expect(outcome.reasons[0]?.message).toMatch(/pip knows no wheel of it for this machine/);
    expect(outcome.reasons[1]?.message).toMatch(/ENOTFOUND/);
  });

  it("says what to install where Python or pip is missing, in this system's own words", async () => {
    const python = join(machine.folder, "bin", "python3");
    program(join(machine.folder, "bin", "python"), "#!/bin/sh\nexit 1\n");
    const reasonWith = async (text: string) => {
      program(python, text);
      const outcome = await installEngine(machine.clone(`clone-${text.length}`));
      return outcome.kind === "fallback" ? outcome.reasons[0] : undefined;
    };
    const none = await reasonWith("#!/bin/sh\nexit 127\n");
    expect(none).toMatchObject({ code: "tool-missing", message: "no Python 3 on the PATH" });
    expect(none?.hint).toMatch(/sudo apt-get install python3,/);
    const bare = await reasonWith(`#!/bin/sh\ncase "$*" in *sys*) echo 3.9.2;; *) exit 1;; esac\n`);
    expect(bare).toMatchObject({ message: "Python 3.9.2 has no pip" });
    expect(bare?.hint).toMatch(/sudo apt-get install python3-pip,/);
  });

  it("says what the compiler did not like", async () => {
    program(
      join(machine.folder, "bin", "g++"),
      `#!/bin/sh\ncase "$*" in --version) echo g++ 4.8;; *) echo "unrecognized command line option -std=gnu++17" >&2; exit 1;; esac\n`,
    );
    const outcome = await installEngine(machine.clone());
    if (outcome.kind !== "fallback") throw new Error("it found a TensorFlow");
    expect(outcome.reasons[0]).toMatchObject({ code: "compile-failed" });
    expect(outcome.reasons[0]?.message).toMatch(/g\+\+ 4.8 .*too old for C\+\+17/);
  });

  it("says that the compiler was stopped, and not that it is too old, where the machine is too slow", async () => {
    const run: RunCommand = (command, args, options) =>
      args.includes("-shared")
        ? Promise.resolve({ status: null, stdout: "", stderr: "", stopped: "timeout" })
        : runCommand(command, args, options);
    const outcome = await installEngine({ ...machine.clone(), run });
    if (outcome.kind !== "fallback") throw new Error("it found a TensorFlow");
    expect(outcome.reasons[0]).toMatchObject({ code: "compile-failed" });
    expect(outcome.reasons[0]?.message).toMatch(/was stopped after 30 min/);
    expect(outcome.reasons[0]?.hint).toMatch(/doctor --install/);
  });

  it("takes a library that ends the process out of the package again", async () => {
    const clone = machine.clone();
    const crash = "process.kill(process.pid, 'SIGILL')";
    writeFileSync(join(clone.target, "dist", "index.js"), crash);
    const outcome = await installEngine(clone);
    if (outcome.kind !== "fallback") throw new Error("it found a TensorFlow");
    expect(outcome.reasons[0]?.message).toMatch(/lacks the AVX instructions/);
    expect(existsSync(join(clone.target, "lib", "napi-v8", "tfjs_binding.node"))).toBe(false);
  });

  it("falls from a CUDA wheel that can't be had to the processor's", async () => {
    const clone = machine.clone();
    const host = { ...clone.host!, nvidiaDriver: true };
    const outcome = ready(await installEngine({ ...clone, host }));
    expect(outcome.installed.flavour).toBe("cpu");
    expect(clone.lines.join("\n")).toMatch(/tensorflow==2.21.0|GB free/);
  });

  it("uses the fallback where the cache can't be written", async () => {
    const blocked = join(machine.folder, "file");
    writeFileSync(blocked, "");
    const clone = machine.clone();
    const env = { FIRSTSOLO_CACHE: join(blocked, "cache") };
    const outcome = await installEngine({ ...clone, env });
    expect(outcome).toMatchObject({ kind: "fallback", reasons: [{ code: "cache-unusable" }] });
  });
});

const donorEnvironment = () => ({
  FIRSTSOLO_CACHE: join(machine.folder, "donor-cache"),
  FIRSTSOLO_TENSORFLOW: tinyFolder(),
});

/** A TensorFlow beside the cache, unpacked from the wheel by hand. */
function tinyFolder(): string {
  const folder = join(machine.folder, "site-packages", "tensorflow");
  if (existsSync(folder)) return folder;
  const wheel = readdirSync(machine.folder).find((name) => name.endsWith(".whl"))!;
  mkdirSync(dirname(folder), { recursive: true });
  execUnzip(join(machine.folder, wheel), dirname(folder));
  return folder;
}

function donorAddon(): string {
  const cache = join(machine.folder, "donor-cache");
  const name = readdirSync(cache).find((found) => /^addon-.*[0-9a-f]{16}$/.test(found))!;
  return join(cache, name, "tfjs_binding.node");
}

function execUnzip(wheel: string, folder: string): void {
  const script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
  const done = spawnSync("python3", ["-c", script, wheel, folder], {
    env: { ...process.env, PATH },
  });
  if (done.status !== 0) throw new Error(String(done.stderr));
}
