/** The screen of the real program in a real terminal: most of it on one run, from its first frame to its last page. */
import { describe, expect, test, vi } from "vitest";
import { openAirfield, requestsOf, runIn } from "./real-run.ts";

vi.setConfig({ testTimeout: 60_000 });
const { training, sink, inTerminal } = openAirfield();

const header = (line: string) => line.startsWith("firstsolo ·");
const count = (lines: readonly string[], wanted: (line: string) => boolean) =>
  lines.filter(wanted).length;

const noise = sink("noise", "if (iteration % 10 === 0) console.log('noise ' + iteration);");

describe("a run on the screen", () => {
  const { root, words } = training("--ui", "tui", noise);
  const terminal = inTerminal(words, { columns: 120, rows: 40 });

  test("is in one frame, with what else is printed above it", async () => {
    await terminal.until(
      (screen) => screen.includes("● flying") && terminal.output.includes("noise 0"),
    );
    expect(terminal.cursorHidden).toBe(true);
    expect(terminal.output).toContain("[38;5;");
    expect(count(terminal.screen, header)).toBe(1);
  });

  test("obeys keys and answers them", async () => {
    terminal.press("p");
    await terminal.until((screen) => screen.includes("‖ paused") && screen.includes("p resume"));
    terminal.press("?");
    await terminal.until((screen) => screen.includes("save a checkpoint after this iteration"));
    terminal.press("l");
    await terminal.until((screen) => screen.includes("Simulator's log  l or Esc: back"));
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
  });

  test("resized to any size leaves one whole frame, and what was above it stays", async () => {
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [61, 17],
      [100, 40],
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
    expect(count(terminal.everything, (line) => line === "noise 0")).toBe(1);
  });

  test("becomes the plain stream with what was missed by t, and the screen again", async () => {
    terminal.press("t");
    await terminal.until((screen) => screen.includes("t: back to the screen"));
    await terminal.until(() => {
      const text = terminal.everything.join("\n");
      return text.slice(text.indexOf("t: back to the screen")).includes("Mean behavior loss");
    });
    terminal.press("t");
    await terminal.until((screen) => screen.includes("● flying") && screen.includes("Loss (log)"));
    const lines = terminal.everything;
    const back = lines.findIndex((line) => line.includes("t: back to the screen"));
    const told = lines.flatMap((line, i) => {
      const iteration = /Learning iteration (\d+)\/100000/.exec(line)?.[1];
      return iteration === undefined ? [] : [{ iteration: Number(iteration), missed: i < back }];
    });
    const first = told[0]!.iteration;
    expect(told.map(({ iteration }) => iteration)).toEqual(told.map((_, i) => first + i));
    expect(new Set(told.map(({ missed }) => missed))).toEqual(new Set([true, false]));
  });

  test("ends by Ctrl-C with its last page, and gives the terminal back", async () => {
    terminal.press("\u0003");
    expect(await terminal.ended).toEqual({ code: 130, restored: true });
    expect(terminal.cursorHidden).toBe(false);
    const run = runIn(root)!;
    expect(terminal.everything.join("\n")).toMatch(/● stopped after \d+ of 100000 iterations/);
    expect(terminal.paragraphs).toContain(`Go on    firstsolo train --resume ${run}`);
    expect(requestsOf(run)).toEqual([
      ["pause", "key p", true],
      ["resume", "key p", true],
      ["next-phase", "key n", true],
      ["stop", "SIGINT", true],
    ]);
  });
});

test("a terminal too small for the screen still shows how it goes, with NO_COLOR in none, and breaks no path", async () => {
  const { root, words } = training("--ui", "tui");
  const terminal = inTerminal(words, { columns: 40, rows: 6, env: { NO_COLOR: "1" } });
  await terminal.until((screen) => screen.includes("teacher flies") && screen.includes("p pause"));
  terminal.press("s");
  expect(await terminal.ended).toEqual({ code: 0, restored: true });
  expect(terminal.output).not.toMatch(/\[(3\d|38;5;\d+|38;2;[\d;]+|9\d)m/);
  const run = runIn(root)!;
  for (const line of [`Run      ${run}`, `Judge    firstsolo eval ${run}`]) {
    expect(terminal.paragraphs).toContain(line);
  }
});

test("SIGTERM lands the run, in one frame below what else was printed, and the terminal is given back", async () => {
  const terminal = inTerminal(training("--ui", "tui", noise).words, { columns: 80, rows: 24 });
  await terminal.until(
    (screen) => screen.includes("● flying") && terminal.output.includes("noise 10"),
  );
  terminal.signal("SIGTERM");
  expect(await terminal.ended).toEqual({ code: 130, restored: true });
  expect(terminal.cursorHidden).toBe(false);
  const all = terminal.everything;
  // However many frames there were, one is left, with what else was printed above it, whole and in order.
  expect(count(all, header)).toBe(1);
  const noises = all.flatMap((line) => /^noise (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  expect(noises.length).toBeGreaterThan(0);
  expect(noises).toEqual(noises.map((_, i) => i * 10));
  expect(all.lastIndexOf(`noise ${noises.at(-1)}`)).toBeLessThan(all.findIndex(header));
  // What was there before the screen can still be scrolled to: nothing clears the terminal.
  for (const wipe of ["[2J", "[3J", "[?1049h"]) expect(terminal.output).not.toContain(wipe);
});

test("after an exception that nobody catches the terminal is given back, and its message can be read", async () => {
  const late = "setTimeout(() => { throw new Error('thrown on purpose'); });";
  const { words } = training("--ui", "tui", sink("thrower", `if (iteration === 3) ${late}`));
  const terminal = inTerminal(words, { columns: 80, rows: 24 });
  const { code, restored } = await terminal.ended;
  expect(code).not.toBe(0);
  expect(restored).toBe(true);
  expect(terminal.cursorHidden).toBe(false);
  expect(terminal.everything.join("\n")).toContain("thrown on purpose");
});
