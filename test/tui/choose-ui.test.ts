import { describe, expect, test } from "vitest";
import { chooseUi, type UiSurroundings } from "../../src/tui/choose-ui.ts";
import { ScreenError } from "../../src/tui/screen-error.ts";

const terminal: UiSurroundings = {
  stdin: { isTTY: true },
  stdout: { isTTY: true, columns: 60, rows: 16 },
  env: { TERM: "xterm-256color" },
};

describe("auto", () => {
  test("is the screen on a terminal of 60×16", () => {
    expect(chooseUi("auto", terminal)).toBe("tui");
  });

  const lacks: readonly (readonly [string, UiSurroundings])[] = [
    ["a pipe", { ...terminal, stdout: { columns: 80, rows: 24 } }],
    ["keys from a file", { ...terminal, stdin: {} }],
    ["CI", { ...terminal, env: { TERM: "xterm", CI: "true" } }],
    ["a dumb terminal", { ...terminal, env: { TERM: "dumb" } }],
    ["59 columns", { ...terminal, stdout: { isTTY: true, columns: 59, rows: 16 } }],
    ["15 rows", { ...terminal, stdout: { isTTY: true, columns: 60, rows: 15 } }],
  ];
  for (const [name, surroundings] of lacks) {
    test(`is plain text with ${name}`, () => {
      expect(chooseUi("auto", surroundings)).toBe("plain");
    });
  }

  test("takes CI=false for no CI", () => {
    expect(chooseUi("auto", { ...terminal, env: { CI: "false" } })).toBe("tui");
  });
});

describe("by name", () => {
  test("plain, jsonl and none are what they are, on any terminal", () => {
    for (const ui of ["plain", "jsonl", "none"] as const) expect(chooseUi(ui, terminal)).toBe(ui);
  });

  test("the screen is shown in CI and in a small terminal, where a person asked for it", () => {
    const small = { ...terminal, stdout: { isTTY: true, columns: 20, rows: 5 }, env: { CI: "1" } };
    expect(chooseUi("tui", small)).toBe("tui");
  });

  test("the screen without a terminal is an error that says why and what to do", () => {
    const piped = () => chooseUi("tui", { ...terminal, stdout: {} });
    expect(piped).toThrow(ScreenError);
    expect(piped).toThrow(/standard output/);
    expect(() => chooseUi("tui", { ...terminal, stdin: {} })).toThrow(/standard input/);
    expect(() => chooseUi("tui", { ...terminal, env: { TERM: "dumb" } })).toThrow(/TERM=dumb/);
  });

  test("an unknown one names the known", () => {
    const wrong = () => chooseUi("ncurses" as never, terminal);
    expect(wrong).toThrow(
      expect.objectContaining({ code: "unknown-ui", hint: expect.stringContaining("plain") }),
    );
  });
});
