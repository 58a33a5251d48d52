import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { plainConsole } from "../../src/metrics/console/plain-console.ts";
import { openScreen } from "../../src/tui/open-screen.ts";
import { rowOf, startEvent } from "./scripted-run.ts";

/** A terminal that keeps what it is told. */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  readonly columns = 100;
  readonly rows = 30;
  output = "";

  write(text: string): boolean {
    this.output += text;
    return true;
  }
}

/** The keys of one. */
class Keys extends EventEmitter {
  readonly isTTY = true;
  raw = false;
  setRawMode(raw: boolean) {
    this.raw = raw;
    return this;
  }
  ref() {}
  unref() {}
  resume() {}
  pause() {}
}

const run = { iterations: 300, switchAt: 100, path: "/runs/one" };

function open(simulatorLog: () => readonly string[]) {
  const [terminal, keys] = [new Terminal(), new Keys()];
  const plan = { maxIterations: 300, switchAt: 100, start: { iteration: 0, seconds: 0 } };
  const screen = openScreen({
    steering: { ask: () => undefined },
    plain: plainConsole({ ...plan, write: (text) => void terminal.write(text) }),
    onInterrupt: () => undefined,
    simulatorLog,
    stdout: terminal as unknown as NodeJS.WriteStream,
    stdin: keys as unknown as NodeJS.ReadStream,
    env: {},
  });
  screen.event(startEvent(run));
  screen.write(0, rowOf(0, run));
  return { screen, terminal, keys };
}

test("a screen that fails says so and goes on as the plain stream; the run doesn't notice", async () => {
  const { screen, terminal, keys } = open(() => {
    throw new Error("no log today");
  });
  keys.emit("data", "l");
  await vi.waitFor(
    () => expect(terminal.output).toContain("The screen failed (no log today)"),
    5000,
  );
  screen.write(1, rowOf(1, run));
  expect(terminal.output).toContain("Learning iteration 1/300");
  await screen.close();
  expect(terminal.output).toMatch(/● stopped after 2 of 300 iterations/);
  expect(keys.raw).toBe(false);
});

test("what comes after the last page is not shown, and a second last page neither", async () => {
  const { screen, terminal } = open(() => []);
  await screen.close();
  const { output } = terminal;
  screen.write(1, rowOf(1, run));
  screen.event({ type: "landed", iteration: 1, time: 1, message: "late" });
  await screen.close();
  expect(terminal.output).toBe(output);
});

test("a log's colours are left out, and its other codes can be seen", async () => {
  const { screen, terminal, keys } = open(() => ["\u001b[31mred\u001b[0m \u001b[2Jgone"]);
  keys.emit("data", "l");
  await vi.waitFor(() => expect(terminal.output).toContain("red \\x1b[2Jgone"), 5000);
  await screen.close();
});
