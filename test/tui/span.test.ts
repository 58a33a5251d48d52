import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { columnsOf, fitText } from "../../src/tui/view/span.ts";

describe("the columns of a text", () => {
  it("are those that string-width gives, for every character up to U+FFFF", () => {
    const wrong: string[] = [];
    for (let code = 0x20; code < 0xd800; code++) {
      const character = String.fromCodePoint(code);
      if (columnsOf(character) !== stringWidth(character)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ["hover ⣿ 0.012 → 0.008", 21],
    ["日本語", 6],
    ["é", 1],
    ["🚁", 2],
    ["👩‍🚀", 2],
    ["", 0],
  ])("%j takes %i", (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
});

describe("a text that is too long", () => {
  it("is cut between characters as people see them, never within one", () => {
    expect(fitText("ab👩‍🚀cd", 5)).toBe("ab👩‍🚀…");
    expect(fitText("ab👩‍🚀cd", 4)).toBe("ab…");
    expect(fitText("日本語", 5)).toBe("日本…");
    expect(fitText("abc", 3)).toBe("abc");
    expect(fitText("abc", 0)).toBe("");
  });
});
