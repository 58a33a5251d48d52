import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RequestQueue } from "../../src/running/requests.ts";
import { ControlMailbox, postRequest } from "../../src/runs/control.ts";
import { readAlive } from "../../src/runs/control-files.ts";

let run = "";
let box: ControlMailbox;
let steering: RequestQueue;
const said: string[] = [];

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "firstsolo-mailbox-"));
  steering = new RequestQueue();
  said.length = 0;
  box = ControlMailbox.open(run, steering, { onFailure: (line) => void said.push(line) });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await box.close();
  rmSync(run, { recursive: true, force: true });
});

const id = (n: number) => `000000000-00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const request = (n: number) => join(run, "control", `request-${id(n)}.json`);
let clock = 1e6;
const look = () => {
  clock += 1e6;
  box.poll(clock);
};
const pause = JSON.stringify({ request: "pause", by: "x" });

describe("what is no file in the mailbox", () => {
  it.each([
    ["a pipe", (path: string) => execFileSync("sh", ["-c", `mkfifo "$0"`, path])],
    ["a folder", (path: string) => mkdirSync(join(path, "deep"), { recursive: true })],
    ["a link", (path: string) => symlinkSync("/dev/zero", path)],
  ])("is named once and passed over: %s", (_, put) => {
    put(request(1));
    put(request(2));
    writeFileSync(request(3), pause);
    look();
    look();
    expect(steering.take()?.request).toBe("pause");
    expect(said).toEqual([expect.stringMatching(/request-0.*is no file: it and its like/)]);
  });
});

describe("orders", () => {
  it("have a bound; those beyond are told so, and the files go", () => {
    for (let n = 0; n < 2000; n += 1) writeFileSync(request(n), pause);
    for (let looks = 0; looks < 20; looks += 1) look();
    const names = readdirSync(join(run, "control"));
    expect(names.filter((name) => name.startsWith("request-"))).toHaveLength(64);
    expect(names.length).toBeLessThan(64 + 600);
    let asked = 0;
    while (steering.take()) asked += 1;
    expect(asked).toBe(16);
    const last = readFileSync(join(run, "control", `answer-${id(1999)}.json`), "utf8");
    expect(last).toMatch(/refused: \d+ requests wait already/);
  });
});

describe("a clock that jumps back an hour", () => {
  it("makes nobody deaf, and no heartbeat stale", async () => {
    const before = readAlive(run)!;
    const real = Date.now();
    vi.spyOn(Date, "now").mockImplementation(() => real - 3_600_000);
    const posted = postRequest(run, "pause", "test");
    await vi.waitFor(() => expect(steering.take()?.request).toBe("pause"), 3000);
    await vi.waitFor(() => expect(readAlive(run)!.beat).toBeGreaterThan(before.beat!), 3000);
    expect(readAlive(run)!.heartbeat).toBeLessThan(before.heartbeat - 3000);
    expect(posted.withdraw()).toBe(false);
  });
});

describe("a mailbox that can't be kept for a while", () => {
  it("says so once, and works again", () => {
    rmSync(join(run, "control"), { recursive: true });
    writeFileSync(join(run, "control"), "in the way");
    look();
    look();
    rmSync(join(run, "control"));
    look();
    writeFileSync(request(1), pause);
    look();
    expect(steering.take()?.request).toBe("pause");
    expect(said).toEqual([
      expect.stringContaining("the run goes on without it"),
      expect.stringContaining("works again"),
    ]);
  });
});

describe("the mailbox", () => {
  it("is its owner's alone", () => {
    const folder = join(run, "control");
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });
});
