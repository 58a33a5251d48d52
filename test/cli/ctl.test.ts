import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeEvent, encodeRow } from "../../src/metrics/files/jsonl-row.ts";
import { RequestQueue } from "../../src/running/requests.ts";
import { ControlMailbox, postRequest } from "../../src/runs/control.ts";
import { presenceOf, putJson, readAlive } from "../../src/runs/control-files.ts";
import { locateRun } from "../../src/runs/locate-run.ts";
import { RunError } from "../../src/runs/run-error.ts";
import { WatchSource } from "../../src/tui/watch-source.ts";
import { openAirfield, requestsOf, runIn } from "../tui/real-run.ts";
import { rowOf, startEvent, timeOf } from "../tui/scripted-run.ts";

vi.setConfig({ testTimeout: 120_000 });

const { program, training, inTerminal } = openAirfield();
const children: ChildProcess[] = [];
const boxes: ControlMailbox[] = [];

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.close();
});

const newFolder = () => mkdtempSync(join(tmpdir(), "firstsolo-ctl-"));
const fail = (line: string) => {
  throw new Error(line);
};

function openBox(run: string, steering = new RequestQueue()): ControlMailbox {
  const box = ControlMailbox.open(run, steering, { onFailure: fail });
  boxes.push(box);
  return box;
}

function run(args: readonly string[], cwd = process.cwd()) {
  const child = spawn(process.execPath, args, { cwd });
  children.push(child);
  const printed = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    printed.stdout += data;
  });
  child.stderr.on("data", (data) => {
    printed.stderr += data;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, ...printed }));
  });
  return { child, ended };
}

const ctl = (...args: readonly string[]) => run([program, "ctl", ...args]).ended;

/** A real run, from its first iteration on, and its folder. */
async function takeOff() {
  const { root, words } = training("--ui", "none");
  const flown = run([program, ...words]);
  const flying = () => {
    const path = runIn(root);
    return path !== undefined && (readAlive(path)?.iteration ?? 0) > 0;
  };
  await vi.waitFor(() => expect(flying()).toBe(true), { timeout: 30_000, interval: 50 });
  return { ...flown, path: runIn(root)! };
}

describe("ctl, watch and a run in progress", () => {
  let flown: Awaited<ReturnType<typeof takeOff>>;
  beforeAll(async () => {
    flown = await takeOff();
  }, 60_000);

  test("a watcher shows it, steers it, and leaves it alone when it goes", async () => {
    const { path } = flown;
    const watcher = inTerminal(["watch", path], { columns: 100, rows: 30 });
    await watcher.until((screen) => screen.includes("● flying") && screen.includes("q quit"));
    watcher.press("p");
    await watcher.until(
      (screen) => screen.includes("‖ paused") && screen.includes("key p of a watcher"),
    );
    watcher.press("p");
    await watcher.until((screen) => screen.includes("● flying"));
    watcher.press("q");
    expect(await watcher.ended).toEqual({ code: 0, restored: true });
    expect(watcher.everything.join("\n")).toContain("in progress after");
    const before = readAlive(path)?.iteration;
    await vi.waitFor(() => expect(readAlive(path)?.iteration).toBeGreaterThan(before!), 10_000);
  });

  test("a second run in the same folder is refused", () => {
    const second = () => ControlMailbox.open(flown.path, new RequestQueue(), { onFailure: fail });
    expect(second).toThrow(RunError);
    expect(second).toThrow(`process ${flown.child.pid}`);
  });

  test("every request is carried out, answered and recorded; refusals give their reason", async () => {
    const { path } = flown;
    expect(await ctl(path, "pause")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("pause: done"),
    });
    expect(await ctl(path, "pause")).toMatchObject({
      code: 1,
      stderr: "firstsolo: pause refused: the flight is paused already\n",
    });
    expect((await ctl(path, "resume")).code).toBe(0);
    expect((await ctl(path, "next-phase")).code).toBe(0);
    const again = await ctl(path, "next-phase");
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("controls already") });
    const checkpoint = join(path, "model_0.pt");
    expect((await ctl(checkpoint, "checkpoint")).code).toBe(0);
    expect((await ctl(path, "stop")).code).toBe(0);
    expect((await flown.ended).code).toBe(0);
    expect(requestsOf(path)).toEqual([
      ["pause", "key p of a watcher", true],
      ["resume", "key p of a watcher", true],
      ["pause", "ctl", true],
      ["pause", "ctl", false],
      ["resume", "ctl", true],
      ["next-phase", "ctl", true],
      ["next-phase", "ctl", false],
      ["checkpoint", "ctl", true],
      ["stop", "ctl", true],
    ]);
    expect(readdirSync(join(path, "control"))).toEqual([]);
    const late = await ctl(path, "pause");
    expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining("is not in progress") });
  });
});

describe("ctl", () => {
  test("a run that was killed is not in progress, and its number says so", async () => {
    const { child, ended, path } = await takeOff();
    child.kill("SIGKILL");
    await ended;
    const { code, stderr } = await ctl(path, "stop");
    expect(code).toBe(2);
    expect(stderr).toContain(`its process ${child.pid} is gone`);
    expect(stderr).toContain("--resume");
  });

  test("wrong usage is explained", async () => {
    const path = newFolder();
    writeFileSync(join(path, "metrics.jsonl"), "");
    expect(await ctl(path, "fly-away")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("next-phase"),
    });
    expect(await ctl(join(path, "nothing"), "pause")).toMatchObject({ code: 2 });
    expect(await ctl(path, "pause", "--timeout", "soon")).toMatchObject({ code: 2 });
  });
});

describe("the mailbox", () => {
  test("what nobody answers in time is withdrawn, and never carried out", async () => {
    const path = newFolder();
    writeFileSync(join(path, "metrics.jsonl"), "");
    mkdirSync(join(path, "control"));
    // A process that lives, and never looks into its mailbox.
    const alive = { pid: process.pid, host: hostname(), started: 1, iteration: null };
    putJson(join(path, "control", "alive.json"), { ...alive, heartbeat: Date.now() / 1000 });
    const { code, stderr } = await ctl(path, "stop", "--timeout", "0.3");
    expect(code).toBe(1);
    expect(stderr).toContain("withdrawn");
    expect(readdirSync(join(path, "control"))).toEqual(["alive.json"]);
  });

  test("a heartbeat from another machine counts by its age alone", () => {
    const path = newFolder();
    mkdirSync(join(path, "control"));
    const beat = (age: number) =>
      putJson(join(path, "control", "alive.json"), {
        pid: 1,
        host: "elsewhere",
        started: 1,
        iteration: 3,
        heartbeat: 1000 - age,
      });
    beat(5);
    expect(presenceOf(path, 1000).state).toBe("flying");
    beat(90);
    expect(presenceOf(path, 1000)).toMatchObject({
      state: "ended",
      why: expect.stringContaining("90 s ago"),
    });
  });

  test("requests are taken in the order they were made, however many", async () => {
    const path = newFolder();
    const steering = new RequestQueue();
    const box = openBox(path, steering);
    const wanted = ["pause", "resume", "pause", "checkpoint", "resume", "stop"] as const;
    for (const request of wanted) {
      postRequest(path, request, "test");
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    box.poll(Date.now() + 1e6);
    expect(wanted.map(() => steering.take()?.request)).toEqual(wanted);
  });

  test("what is still open when the flight ends is refused", async () => {
    const path = newFolder();
    const box = openBox(path);
    const taken = postRequest(path, "pause", "test");
    box.poll(Date.now() + 1e6);
    const unread = postRequest(path, "pause", "test");
    await box.close();
    expect(taken.answer()).toBe("refused: the run has ended");
    expect(unread.answer()).toBe("refused: the run has ended");
    expect(existsSync(join(path, "control", "alive.json"))).toBe(false);
  });

  test("rubbish in the folder is answered or ignored, and never reaches the loop", () => {
    const path = newFolder();
    const steering = new RequestQueue();
    const box = openBox(path, steering);
    const id = (n: number) => `000000000-00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    const put = (n: number, text: string) =>
      writeFileSync(join(path, "control", `request-${id(n)}.json`), text);
    put(1, "{");
    put(2, "[]");
    put(3, JSON.stringify({ request: "self-destruct", by: "x" }));
    put(4, JSON.stringify({ request: "pause", by: "x", padding: "x".repeat(10_000) }));
    put(5, JSON.stringify({ request: "pause", by: `a\u001b[2J${"b".repeat(500)}` }));
    writeFileSync(join(path, "control", "request-..json"), "{}");
    box.poll(Date.now() + 1e6);
    const asked = steering.take();
    expect(asked?.by).toBe(`a [2J${"b".repeat(55)}`);
    expect(steering.take()).toBeUndefined();
    for (const n of [1, 2, 3, 4]) {
      const answer = JSON.parse(
        readFileSync(join(path, "control", `answer-${id(n)}.json`), "utf8"),
      );
      expect(answer.outcome).toContain("refused");
    }
  });

  test("nothing keeps a process alive that has only a mailbox", async () => {
    const path = newFolder();
    const module = join(dirname(program), "../../dist/src/runs/control.js");
    const code = `const { ControlMailbox } = await import(${JSON.stringify(module)});
      ControlMailbox.open(${JSON.stringify(path)}, { ask() {} }, { onFailure() {} });`;
    expect(await run(["--input-type=module", "-e", code]).ended).toMatchObject({
      code: 0,
      stderr: "",
    });
  });
});

describe("which run is meant", () => {
  test("a folder, a file in it, an experiment's newest, or the newest of all", async () => {
    const root = newFolder();
    const runs = ["a/2026-01-01", "a/2026-01-02", "b/2025-01-01"].map((name) => join(root, name));
    for (const path of runs) {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, "events.jsonl"), "");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(locateRun(runs[0], root)).toBe(runs[0]);
    expect(locateRun(join(runs[0]!, "events.jsonl"), root)).toBe(runs[0]);
    expect(locateRun(join(root, "a"), root)).toBe(runs[1]);
    expect(locateRun(undefined, root)).toBe(runs[2]);
    appendFileSync(join(runs[0]!, "events.jsonl"), "{}\n");
    expect(locateRun(undefined, root)).toBe(runs[0]);
    expect(() => locateRun(undefined, join(root, "none"))).toThrow(/no run in/);
  });
});

describe("reading along", () => {
  const plan = { iterations: 20, switchAt: 5, path: "/runs/one" };
  const row = (iteration: number) =>
    `${encodeRow({ iteration, time: timeOf(iteration), metrics: rowOf(iteration, plan) })}\n`;

  test("rows and events come in the order they happened; half a line waits for its end", () => {
    const path = newFolder();
    const [metrics, events] = [join(path, "metrics.jsonl"), join(path, "events.jsonl")];
    const source = new WatchSource(path);
    expect(source.read()).toEqual([]);
    const event = { type: "phase-switch", iteration: 1, time: timeOf(0) + 0.01, message: "" };
    writeFileSync(
      events,
      `${encodeEvent(startEvent(plan))}\nnot an event\n${encodeEvent(event)}\n`,
    );
    writeFileSync(metrics, `${row(0)}${row(1)}${row(2).slice(0, 40)}`);
    const kinds = () =>
      source
        .read()
        .map((a) => (a.kind === "row" ? a.iteration : a.kind === "event" && a.event.type));
    expect(kinds()).toEqual(["start", 0, "phase-switch", 1]);
    expect(kinds()).toEqual([]);
    appendFileSync(metrics, row(2).slice(40));
    expect(kinds()).toEqual([2]);
    // Resumed from before iteration 1: the file was cut and goes on from there.
    truncateSync(metrics, row(0).length);
    expect(kinds()).toEqual([0]);
    appendFileSync(metrics, row(1));
    expect(kinds()).toEqual([1]);
  });

  test("a long run comes in parts, whole", () => {
    const path = newFolder();
    const text = Array.from({ length: 4000 }, (_, i) => row(i)).join("");
    writeFileSync(join(path, "metrics.jsonl"), text);
    const source = new WatchSource(path);
    const seen: number[] = [];
    for (let part = source.read(); part.length > 0; part = source.read()) {
      seen.push(...part.flatMap((action) => (action.kind === "row" ? action.iteration : [])));
    }
    expect(seen).toEqual(Array.from({ length: 4000 }, (_, i) => i));
  });

  test("a run that has ended is printed through a pipe as it was, without a code for terminals", async () => {
    const path = newFolder();
    writeFileSync(
      join(path, "metrics.jsonl"),
      Array.from({ length: 20 }, (_, i) => row(i)).join(""),
    );
    writeFileSync(join(path, "events.jsonl"), `${encodeEvent(startEvent(plan))}\n`);
    const { code, stdout } = await run([program, "watch", path]).ended;
    expect(code).toBe(0);
    expect(stdout).toContain("Learning iteration 19/20");
    expect(stdout).toContain("Phase Iteration: 14/15 (Phase 2)");
    expect(stdout).not.toContain("\u001b");
  });
});
