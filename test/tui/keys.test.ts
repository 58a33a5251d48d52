import { expect, test } from "vitest";
import { initialState, type ScreenState } from "../../src/tui/state/screen-state.ts";
import { keysIn, newKeyboard, press } from "../../src/tui/terminal/keys.ts";

const flying: ScreenState = { ...initialState, status: "flying" };
const board = newKeyboard(false);

test("p pauses a flight and resumes a paused one", () => {
  expect(press("p", board, flying).deed).toEqual({ kind: "ask", request: "pause", by: "key p" });
  const paused: ScreenState = { ...flying, status: "paused" };
  expect(press("p", board, paused).deed).toMatchObject({ request: "resume" });
});

test("n asks first: only y hands the controls over", () => {
  const asking = press("n", board, flying);
  expect(asking.deed).toBeUndefined();
  expect(asking.board.asking).toBe(true);
  expect(press("y", asking.board, flying).deed).toMatchObject({
    request: "next-phase",
    by: "key n",
  });
  for (const key of ["n", "x", "\u001b", "s"]) {
    const { board: after, deed } = press(key, asking.board, flying);
    expect(deed).toBeUndefined();
    expect(after.asking).toBe(false);
  }
  expect(press("y", board, flying).deed).toBeUndefined();
});

test("a key that is off says why", () => {
  const second: ScreenState = { ...flying, stage: { ...flying.stage, index: 1 } };
  expect(press("n", board, second)).toMatchObject({
    board: { remark: "✗ n is off: the student has the controls already", asking: false },
  });
  const landed: ScreenState = { ...flying, status: "landed" };
  expect(press("s", board, landed).deed).toBeUndefined();
  expect(press("s", board, landed).board.remark).toContain("landed");
});

test("Ctrl-C interrupts a flight, also while something is asked, and only leaves a watcher", () => {
  expect(press("\u0003", board, flying).deed).toEqual({ kind: "interrupt" });
  expect(press("\u0003", { ...board, asking: true }, flying).deed).toEqual({ kind: "interrupt" });
  expect(press("\u0003", newKeyboard(true), flying).deed).toEqual({ kind: "quit" });
});

test("q is only a key for a watcher", () => {
  expect(press("q", board, flying).deed).toBeUndefined();
  expect(press("q", newKeyboard(true), flying).deed).toEqual({ kind: "quit" });
});

test("? and l open and close their page, Esc closes any", () => {
  const help = press("?", board, flying).board;
  expect(help.overlay).toBe("help");
  expect(press("?", help, flying).board.overlay).toBe("none");
  expect(press("l", help, flying).board.overlay).toBe("log");
  expect(press("\u001b", help, flying).board.overlay).toBe("none");
});

test("keys that arrive together are all taken; arrows and pasted text are none", () => {
  expect(keysIn("ny")).toEqual(["n", "y"]);
  expect(keysIn("\u001b")).toEqual(["\u001b"]);
  expect(keysIn("\u001b[A")).toEqual([]);
  expect(keysIn("please stop now")).toEqual([]);
  expect(keysIn("\u001b[A\u0003")).toEqual(["\u0003"]);
  expect(keysIn("pasted text with \u0003 in it")).toEqual(["\u0003"]);
});
