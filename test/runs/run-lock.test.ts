import { type ChildProcess, spawn } from "node:child_process";
import fs, {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownIdentity } from "../../src/disk/process-identity.ts";
import { presenceOf } from "../../src/runs/control-files.ts";
import { RunFolder } from "../../src/runs/run-folder.ts";
import { RunLock, refuseLivingFlight } from "../../src/runs/run-lock.ts";

let run = "";
let other: ChildProcess | undefined;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "firstsolo-lock-"));
});
afterEach(() => {
  other?.kill("SIGKILL");
  rmSync(run, { recursive: true, force: true });
});

const now = () => Date.now() / 1000;
const said: string[] = [];
const take = () => {
  said.length = 0;
  return RunLock.take(run, (line) => void said.push(line));
};

/** A process that lives, and isn't us. */
function somebody(): number {
  other = spawn("sleep", ["60"]);
  return other.pid!;
}

/** What a flight leaves that was killed, or one that is on its way. */
function leave(changes: Readonly<Record<string, unknown>>): void {
  const flight = { ...ownIdentity(), started: now() - 90, iteration: 3, heartbeat: now(), beat: 7 };
  const text = JSON.stringify({ ...flight, token: "theirs", ...changes });
  mkdirSync(join(run, "control"), { recursive: true });
  for (const name of ["alive", "lock"]) writeFileSync(join(run, "control", `${name}.json`), text);
}

/** Of version 0.1. */
function leaveOld(changes: Readonly<Record<string, unknown>>): void {
  const flight = { pid: 1, host: hostname(), started: 1, iteration: 3, heartbeat: now() };
  mkdirSync(join(run, "control"), { recursive: true });
  writeFileSync(join(run, "control/alive.json"), JSON.stringify({ ...flight, ...changes }));
}

describe("a flight that was killed", () => {
  it.each([
    ["whose number another process has now", () => leave({ pid: somebody(), born: 5 })],
    ["of version 0.1, the same", () => leaveOld({ pid: somebody(), heartbeat: now() - 500 })],
    ["whose number nobody has", () => leave({ pid: 2 ** 31 - 2 })],
    ["with the machine", () => leave({ boot: "an earlier one", heartbeat: now() - 100 })],
    ["in another container", () => leave({ space: "pid:[1]", heartbeat: now() - 100 })],
  ])("%s is taken over, and that is said", (_, before) => {
    before();
    const lock = take();
    expect(said).toEqual([expect.stringMatching(/this flight takes over$/)]);
    lock.check();
    lock.release();
    expect(readdirSync(join(run, "control")).filter((name) => /lock/.test(name))).toEqual([]);
  });
});

describe("a flight on its way", () => {
  it.each([
    ["in a process that lives", () => leave({ pid: somebody(), born: bornOf(other!.pid!) })],
    [
      "that hasn't been heard of, as its process is stopped",
      () => leave({ heartbeat: now() - 900 }),
    ],
    ["in another container, with our own number", () => leave({ space: "pid:[1]" })],
    ["on another host with our host's name", () => leave({ boot: "another" })],
    ["on another host", () => leave({ boot: "another", host: "elsewhere" })],
    ["of version 0.1", () => leaveOld({ pid: somebody(), heartbeat: now() + 1 })],
  ])("%s is left alone", (_, before) => {
    before();
    const files = readdirSync(join(run, "control"));
    expect(take).toThrow(expect.objectContaining({ code: "run-in-progress" }));
    expect(readdirSync(join(run, "control"))).toEqual(files);
  });

  it("is left alone before its first heartbeat too", () => {
    leave({});
    rmSync(join(run, "control/alive.json"));
    expect(take).toThrow(expect.objectContaining({ code: "run-in-progress" }));
  });

  it("is heard, whatever the clock of its machine says", async () => {
    const elsewhere = { boot: "another", host: "elsewhere", heartbeat: now() - 3600 };
    leave(elsewhere);
    const waiting = refuseLivingFlight(run, 200);
    leave({ ...elsewhere, beat: 8 });
    await expect(waiting).rejects.toMatchObject({ code: "run-in-progress" });
    leave(elsewhere);
    await refuseLivingFlight(run, 200);
  });

  it.runIf(process.getuid?.() === 0)("is left alone by who can't look into its mailbox", () => {
    leave({});
    chmodSync(run, 0o777);
    chmodSync(join(run, "control"), 0o700);
    process.seteuid!(65534);
    try {
      expect(presenceOf(run)).toMatchObject({ state: "hidden" });
      expect(take).toThrow(expect.objectContaining({ code: "not-ours" }));
    } finally {
      process.seteuid!(0);
    }
  });
});

describe("of many that take hold of one run", () => {
  it("one gets it", () => {
    const first = take();
    for (let i = 0; i < 5; i += 1) expect(take).toThrow(/is flown by process/);
    first.release();
    take().release();
  });

  it("one gets it also where the server's word of that is lost", () => {
    const { linkSync } = fs;
    fs.linkSync = (from, to) => {
      linkSync(from, to);
      throw Object.assign(new Error("EEXIST: file already exists"), { code: "EEXIST" });
    };
    syncBuiltinESMExports();
    try {
      const lock = take();
      lock.check();
      expect(take).toThrow(/is flown by process/);
      lock.release();
    } finally {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
    }
  });
});

describe("a flight that was taken for ended", () => {
  const checkpoint = (lock: RunLock) => {
    const folder = new RunFolder(run, "abcdefgh");
    folder.heldBy({ lock, say: () => {} });
    return folder.saveCheckpoint("model_1.pt", Uint8Array.of(1));
  };

  it("writes nothing more once another flies, or has landed", async () => {
    const lock = take();
    await checkpoint(lock);
    rmSync(join(run, "model_1.pt"));
    // Whatever stands in the other's lock.
    leave({ pid: { toString: 1 }, host: ["\u001b[2J"] });
    await expect(checkpoint(lock)).rejects.toMatchObject({ code: "taken-over" });
    for (const name of ["alive", "lock"]) rmSync(join(run, "control", `${name}.json`));
    await expect(checkpoint(lock)).rejects.toMatchObject({ code: "taken-over" });
    expect(readdirSync(run)).toEqual(["control"]);
    lock.release();
  });

  it("leaves the other's lock where it is", () => {
    const lock = take();
    leave({});
    lock.release();
    expect(readFileSync(join(run, "control/lock.json"), "utf8")).toContain("theirs");
  });

  it("is not one whose folder was deleted: the lock is made anew", () => {
    const lock = take();
    rmSync(join(run, "control"), { recursive: true });
    lock.check();
    expect(take).toThrow(/is flown by process/);
  });
});

/** As `/proc` has it. */
function bornOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}
