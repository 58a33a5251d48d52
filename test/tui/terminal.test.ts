import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { RealTerminal } from "./real-terminal.ts";

const flight = fileURLToPath(new URL("./scripted-flight.ts", import.meta.url));
const open: RealTerminal[] = [];
vi.setConfig({ testTimeout: 120_000 });

afterEach(() => {
  for (const terminal of open.splice(0)) terminal.kill();
});

function fly(settings: object, columns = 80, rows = 24, env = {}): RealTerminal {
  const terminal = new RealTerminal(flight, [JSON.stringify(settings)], { columns, rows, env });
  open.push(terminal);
  return terminal;
}

const header = (line: string) => line.startsWith("firstsolo");
const count = (lines: readonly string[], wanted: (line: string) => boolean) =>
  lines.filter(wanted).length;

test("a run from its first frame to the summary, in one frame, with the terminal given back", async () => {
  const terminal = fly({ iterations: 100_000, every: 25, noise: 10 });
  await terminal.until(
    (screen) => screen.includes("● flying") && terminal.output.includes("noise"),
  );
  expect(terminal.cursorHidden).toBe(true);
  terminal.press("s");
  expect(await terminal.ended).toEqual({ code: 0, restored: true });
  expect(terminal.cursorHidden).toBe(false);
  const all = terminal.everything;
  // However many frames there were, one is left, with what else was printed above it, whole and in order.
  expect(count(all, header)).toBe(1);
  const noise = all.filter((line) => line.startsWith("noise"));
  expect(noise.length).toBeGreaterThan(0);
  expect(noise).toEqual(noise.map((_, i) => `noise ${i * 10}`));
  expect(all.indexOf(noise.at(-1)!)).toBeLessThan(all.findIndex(header));
  expect(all.join("\n")).toMatch(/● stopped after \d+ of 100000 iterations/);
  expect(terminal.output).toContain("[38;5;");
  // What was there before the screen can still be scrolled to: nothing clears the terminal.
  for (const wipe of ["[2J", "[3J", "[?1049h"]) expect(terminal.output).not.toContain(wipe);
});

test("keys reach the flight and are answered; the first Ctrl-C lands it", async () => {
  const path = mkdtempSync(join(tmpdir(), "firstsolo-tui-"));
  const terminal = fly({ iterations: 100_000, switchAt: 50_000, every: 20, path });
  await terminal.until((screen) => screen.includes("● flying"));
  terminal.press("p");
  await terminal.until((screen) => screen.includes("‖ paused") && screen.includes("p resume"));
  terminal.press("?");
  await terminal.until((screen) => screen.includes("save a checkpoint after this iteration"));
  terminal.press("l");
  await terminal.until((screen) => screen.includes("simulator line 2 red"));
  terminal.press("\u001b");
  await terminal.until((screen) => screen.includes("Loss (log)"));
  terminal.press("p");
  await terminal.until((screen) => screen.includes("● flying"));
  terminal.press("n");
  await terminal.until((screen) => screen.includes("y yes"));
  terminal.press("x");
  await terminal.until((screen) => screen.includes("stay where they are"));
  terminal.press("ny");
  await terminal.until((screen) => screen.includes("2/2 student flies"));
  terminal.press("n");
  await terminal.until((screen) => screen.includes("n is off: the student has the controls"));
  terminal.press("\u001b[A");
  terminal.press("\u0003");
  expect(await terminal.ended).toEqual({ code: 0, restored: true });
  const events = readFileSync(join(path, "events.jsonl"), "utf8").trim().split("\n");
  const requests = events.map((line) => JSON.parse(line)).filter(({ type }) => type === "request");
  expect(requests.map(({ request, by }) => `${request}, ${by}`)).toEqual([
    "pause, key p",
    "resume, key p",
    "next-phase, key n",
    "stop, SIGINT",
  ]);
  expect(terminal.everything.join("\n")).toContain(`Go on    firstsolo train --resume ${path}`);
});

test("t gives the plain stream with what was missed, and the screen back", async () => {
  const terminal = fly({ iterations: 100_000, every: 100 }, 100, 40);
  await terminal.until((screen) => /\b\d{1,2}\/100000/.test(screen));
  terminal.press("t");
  await terminal.until((screen) => screen.includes("t: back to the screen"));
  await terminal.until((screen) => screen.includes("Mean behavior loss"));
  const text = terminal.everything.join("\n");
  const title = (i: number) => text.indexOf(`Learning iteration ${i}/100000`);
  expect(title(0)).toBeGreaterThan(-1);
  expect(title(1)).toBeGreaterThan(title(0));
  expect(title(0)).toBeLessThan(text.indexOf("t: back to the screen"));
  terminal.press("t");
  await terminal.until((screen) => screen.includes("● flying") && screen.includes("Loss (log)"));
  terminal.press("s");
  expect(await terminal.ended).toEqual({ code: 0, restored: true });
});

test("resized to any size, one whole frame is left and what was above it stays", async () => {
  const terminal = fly({ iterations: 100_000, every: 20, noise: 40 }, 120, 40);
  await terminal.until(
    (screen) => screen.includes("● flying") && terminal.output.includes("noise"),
  );
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
    [61, 17],
    [100, 30],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.until((screen) => {
      const lines = screen.split("\n");
      const keys = lines.findIndex((line) => line.startsWith("p pause"));
      const top = lines.findIndex(header);
      return top >= 0 && keys - top === rows - 2 && lines[top]!.length === columns;
    });
    expect(count(terminal.screen, header)).toBe(1);
    expect(terminal.screen.at(-1)).toBe("");
  }
  terminal.press("s");
  await terminal.ended;
  expect(count(terminal.everything, (line) => line === "noise 0")).toBe(1);
});

test("a screen that fails says so and goes on as the plain stream; the run doesn't notice", async () => {
  const terminal = fly({ iterations: 100_000, every: 50, brokenLog: true }, 100, 40);
  await terminal.until((screen) => screen.includes("● flying"));
  terminal.press("l");
  await terminal.until(() => terminal.output.includes("The screen failed (no log today)"));
  await terminal.until((screen) => screen.includes("Mean behavior loss"));
  terminal.press("s");
  expect(await terminal.ended).toEqual({ code: 0, restored: true });
  expect(terminal.everything.join("\n")).toMatch(/● stopped after \d+ of/);
});

test("a terminal too small for the screen still shows how it goes, with NO_COLOR in none", async () => {
  const terminal = fly({ iterations: 100_000, every: 20 }, 40, 6, { NO_COLOR: "1" });
  await terminal.until((screen) => screen.includes("teacher flies") && screen.includes("p pause"));
  terminal.press("s");
  expect((await terminal.ended).restored).toBe(true);
  expect(terminal.output).not.toMatch(/\[(3\d|38;5;\d+|38;2;[\d;]+|9\d)m/);
});

test("SIGTERM ends the process, and the terminal is given back", async () => {
  const terminal = fly({ iterations: 100_000 });
  await terminal.until((screen) => screen.includes("● flying"));
  terminal.signal("SIGTERM");
  expect(await terminal.ended).toEqual({ code: -15, restored: true });
  expect(terminal.cursorHidden).toBe(false);
});

test("after an exception that nobody catches the terminal is given back, and its message can be read", async () => {
  const terminal = fly({ iterations: 100_000, every: 20, throwAt: 40 });
  expect(await terminal.ended).toEqual({ code: 1, restored: true });
  expect(terminal.cursorHidden).toBe(false);
  expect(terminal.everything.join("\n")).toContain("thrown on purpose");
});
