import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type InstallOutcome, installEngine } from "../../src/engine/install/install.ts";
import { compiledEngine } from "../compiled-engine.ts";
import { type FakeMachine, fakeMachine } from "./fake-machine.ts";

const PATH = process.env.PATH;
let machine: FakeMachine;
let engine: string;

beforeAll(() => {
  engine = compiledEngine();
});
beforeEach(() => {
  machine = fakeMachine();
  process.env.PATH = machine.path;
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(machine.folder, { recursive: true, force: true });
});

const entry = () => join(machine.cache, "tensorflow-2.21.0-cpu-linux-x64");
const cachedLibrary = () => join(entry(), "tensorflow", "libtensorflow_cc.so.2");

function ready(outcome: InstallOutcome): Extract<InstallOutcome, { kind: "ready" }> {
  if (outcome.kind !== "ready") throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe("the install step", () => {
  it("fetches, builds, links and tries a TensorFlow, then finds nothing to do", async () => {
    const clone = machine.clone();
    const first = ready(await installEngine(clone));
    expect(first).toMatchObject({ changed: true, installed: { source: "wheel", flavour: "cpu" } });
    expect(first.installed.version).toBe("2.21.0-tiny");
    clone.lines.length = 0;
    expect(ready(await installEngine(clone)).changed).toBe(false);
    expect(clone.lines).toEqual([]);
    expect([machine.downloads(), machine.compilations()]).toEqual([1, 1]);
  });

  it("keeps only what the addon needs, and no leftovers", async () => {
    await installEngine(machine.clone());
    expect(readdirSync(join(entry(), "tensorflow")).sort()).toEqual([
      "include",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
    ]);
    expect(existsSync(join(entry(), "tensorflow", "include", "unwanted"))).toBe(false);
    const names = readdirSync(machine.cache).map((name) => name.replace(/-[0-9a-f]{16}$/, ""));
    expect(names.sort()).toEqual(["addon-linux-x64", "tensorflow-2.21.0-cpu-linux-x64"]);
  });

  it("gives a second clone the cached library and addon, with neither pip nor compiler", async () => {
    await installEngine(machine.clone("one"));
    expect(ready(await installEngine(machine.clone("two"))).changed).toBe(true);
    expect([machine.downloads(), machine.compilations()]).toEqual([1, 1]);
  });

  it("builds the addon anew when its source changes, without fetching again", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    const source = join(clone.target, "binding", "tfjs_binding.cc");
    writeFileSync(source, `${readFileSync(source, "utf8")}\n// changed\n`);
    await installEngine(clone);
    expect([machine.downloads(), machine.compilations()]).toEqual([1, 2]);
  });

  it("does nothing when it is told to", async () => {
    const clone = machine.clone();
    const env = { ...clone.env, FIRSTSOLO_SKIP_TENSORFLOW: "1" };
    expect(await installEngine({ ...clone, env })).toEqual({ kind: "skipped" });
    expect(existsSync(machine.cache)).toBe(false);
  });
});

describe("a damaged cache", () => {
  it("is noticed by size on every install, and made again", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    truncateSync(cachedLibrary(), 100);
    ready(await installEngine(clone));
    expect(clone.lines.join("\n")).toMatch(
      /damaged \(tensorflow\/libtensorflow_cc.so.2 has 100 of/,
    );
    expect(machine.downloads()).toBe(2);
    expect(statSync(cachedLibrary()).size).toBeGreaterThan(1000);
  });

  it("of equal size and time is noticed by a new clone, which reads every byte", async () => {
    await installEngine(machine.clone("one"));
    const { atime, mtime } = statSync(cachedLibrary());
    const bytes = readFileSync(cachedLibrary());
    bytes[bytes.length >> 1]! ^= 0xff;
    writeFileSync(cachedLibrary(), bytes);
    utimesSync(cachedLibrary(), atime, mtime);
    const second = machine.clone("two");
    ready(await installEngine(second));
    expect(second.lines.join("\n")).toMatch(/libtensorflow_cc.so.2 has other content/);
    expect(machine.downloads()).toBe(2);
  });

  it("whose manifest is gone or unreadable is made again", async () => {
    const clone = machine.clone();
    for (const break_ of [
      () => rmSync(join(entry(), "manifest.json")),
      () => writeFileSync(join(entry(), "manifest.json"), `{"format":1,"files":[]}`),
    ]) {
      await installEngine(clone);
      break_();
      ready(await installEngine(clone));
    }
    expect(machine.downloads()).toBe(3);
  });

  it("that was deleted is made again, though links to it are left", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    rmSync(machine.cache, { recursive: true });
    expect(ready(await installEngine(clone)).changed).toBe(true);
  });

  it("is not needed to notice a damaged addon in the package", async () => {
    const clone = machine.clone();
    await installEngine(clone);
    writeFileSync(join(clone.target, "lib", "napi-v8", "tfjs_binding.node"), "nonsense");
    expect(ready(await installEngine(clone)).changed).toBe(true);
    expect(machine.compilations()).toBe(1);
  });
});

/** A process that installs, and kills itself when a line it reports matches. */
function installProcess(clone: { root?: string }, killAt = "never"): Promise<number | null> {
  const script = `
    const { installEngine } = await import(${JSON.stringify(join(engine, "install/install.js"))});
    const outcome = await installEngine({
      root: ${JSON.stringify(clone.root)},
      host: ${JSON.stringify(machine.clone(`unused-${Math.random()}`).host)},
      report: (line) => { if (line.includes(${JSON.stringify(killAt)})) process.kill(process.pid, "SIGKILL"); },
    });
    process.exit(outcome.kind === "ready" ? 0 : 1);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, FIRSTSOLO_CACHE: machine.cache },
    stdio: "ignore",
  });
  return new Promise((resolve) => child.on("exit", resolve));
}

describe("an install that is killed", () => {
  it.each([
    ["while it fetches", "fetching", 1],
    ["while it builds", "building", 1],
    ["after linking", "is in place", 1],
  ])("%s goes on when run again", async (_when, line, downloads) => {
    const clone = machine.clone();
    expect(await installProcess(clone, line)).toBe(null);
    expect(ready(await installEngine(clone)).installed.source).toBe("wheel");
    expect(machine.downloads()).toBe(downloads);
    expect(
      readdirSync(machine.cache).filter((name) => /making|old-|downloads|lock/.test(name)),
    ).toEqual([]);
  });

  it("while it unpacks does not fetch again, and leaves no half entry", async () => {
    const clone = machine.clone();
    const downloads = join(machine.cache, "downloads-tensorflow-2.21.0-cpu-linux-x64");
    const half = join(machine.cache, ".making-tensorflow-2.21.0-cpu-linux-x64-999999999-dead");
    mkdirSync(join(half, "tensorflow"), { recursive: true });
    writeFileSync(join(half, "tensorflow", "libtensorflow_cc.so.2"), "half");
    const wheel = readdirSync(machine.folder).find((name) => name.endsWith(".whl"))!;
    mkdirSync(downloads);
    writeFileSync(join(downloads, wheel), readFileSync(join(machine.folder, wheel)));
    ready(await installEngine(clone));
    expect(machine.downloads()).toBe(0);
    expect(existsSync(half)).toBe(false);
  });

  it("with half a wheel left behind fetches it again", async () => {
    const downloads = join(machine.cache, "downloads-tensorflow-2.21.0-cpu-linux-x64");
    const wheel = readdirSync(machine.folder).find((name) => name.endsWith(".whl"))!;
    mkdirSync(downloads, { recursive: true });
    const whole = readFileSync(join(machine.folder, wheel));
    writeFileSync(join(downloads, wheel), whole.subarray(0, whole.length / 2));
    ready(await installEngine(machine.clone()));
    expect(machine.downloads()).toBe(1);
  });
});

describe("two installs at once", () => {
  it("of two clones fetch and build once, and both work", async () => {
    const [one, two] = [machine.clone("one"), machine.clone("two")];
    expect(await Promise.all([installProcess(one), installProcess(two)])).toEqual([0, 0]);
    expect([machine.downloads(), machine.compilations()]).toEqual([1, 1]);
  });

  it("into one clone leave it working", async () => {
    const clone = machine.clone();
    expect(await Promise.all([installProcess(clone), installProcess(clone)])).toEqual([0, 0]);
    expect(ready(await installEngine(clone)).changed).toBe(false);
  });
});
