import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../protocol/codec.ts";
import { decodeReply } from "../../protocol/messages.ts";
import { visibleLine, visibleText, visibleTree, wordsOf } from "../../protocol/visible.ts";
import { readRequest } from "../../sim-adapters/serve/read-request.ts";
import fc from "../properties.ts";

const epoch = "eeeeeeee";

describe("foreign text", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "\\x1b[31mred\\x1b[0m"],
    ["\u001b]52;c;cGF5\u0007", "\\x1b]52;c;cGF5\\x07"],
    ["a\rb", "a\\x0db"],
    ["\u009b2J", "\\x9b2J"],
    ["abc\u202ecba", "abc\\u202ecba"],
    ["zero\u200bwidth", "zero\\u200bwidth"],
    ["two\nlines\tand a tab", "two\\nlines\\tand a tab"],
    ["half \ud83d of a pair", "half \\ud83d of a pair"],
  ])("%j is shown as %s", (text, shown) => {
    expect(visibleLine(text)).toBe(shown);
  });

  it("that is harmless stays as it is", () => {
    for (const text of ["höhe 3 m²", "ロボット", "🚁 quad", "a \\x1b that is visible", ""]) {
      expect(visibleLine(text)).toBe(text);
    }
    expect(visibleText("two\nlines\tand")).toBe("two\nlines\tand");
  });

  it("never holds a control afterwards, and is left alone by a second look", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const seen = visibleLine(text);
        expect([...seen].every((c) => c >= " " && !(c >= "\u007f" && c <= "\u009f"))).toBe(true);
        expect(visibleLine(seen)).toBe(seen);
      }),
    );
  });

  it("is made of any value, in bounded words", () => {
    const tower = Array.from({ length: 50_000 }).reduce<unknown>((below) => [below], "x");
    const twice = Array.from({ length: 40 }).reduce<unknown>((below) => [below, below], "x");
    const thrower = {
      get message(): string {
        throw new Error("no");
      },
    };
    const wild = [
      ...[
        { toString: false },
        Object.create(null),
        tower,
        twice,
        2n ** 70n,
        Symbol("s"),
        undefined,
      ],
      ...[() => 1, new Proxy({}, { ownKeys: () => [1] as never }), "\u001b[2J".repeat(9000)],
      ...[Object.assign(new Error("x"), { message: { toString: 1 } }), thrower, -0, [{ a: "b" }]],
    ];
    for (const value of wild) {
      for (const most of [1, 20, 1000]) {
        const words = wordsOf(value, most);
        expect(words.length).toBeLessThanOrEqual(6 * most);
        expect(words).not.toBe("");
        expect(visibleLine(words)).toBe(words);
      }
    }
    expect(wordsOf(new Error("two\nlines"))).toBe("two\\nlines");
    expect(wordsOf([1, { a: "b" }])).toBe("[ 1, { a: 'b' } ]");
  });

  it("is a version of the protocol too: refused, whatever it is", () => {
    for (const major of ["1", { toString: 1 }, [[[]]], "\u001b[2J"]) {
      const frames = encodeMessage({
        type: "hello",
        seq: 1,
        protocol: { major, minor: 0 },
      } as never);
      const read = () => readRequest(frames, () => {});
      expect(read).toThrow(expect.objectContaining({ code: "version-mismatch" }));
    }
  });

  it("in whatever place of a reply comes out visible", () => {
    const bad = "x\u001b[2Jy";
    const spec = {
      task: bad,
      num_envs: 1,
      control_period: 0.1,
      max_episode_steps: 1,
      autoreset: "same_step",
      observations: { policy: { dtype: "<f4", shape: [1], names: [bad], units: [bad] } },
      action: { dtype: "<f4", shape: [1], names: [bad], low: [0], high: [1] },
      capabilities: [bad],
    };
    const party = { name: bad, version: bad };
    const welcome = {
      type: "welcome",
      protocol: { major: 1, minor: 0 },
      server: party,
      spec,
      spec_hash: bad,
      settings: { a: bad },
      notices: [bad],
    };
    const replies = [
      welcome,
      {
        type: "error",
        code: "busy",
        message: bad,
        hint: bad,
        field: bad,
        retryable: true,
        fatal: false,
      },
      { type: "progress", stage: bad, elapsed: 1, message: bad },
      { type: "result", log: { [bad]: 1 }, timing: { [bad]: 1 } },
    ];
    for (const reply of replies) {
      const { header } = decodeReply(encodeMessage({ ...reply, seq: 1, epoch }));
      expect(JSON.stringify(header)).not.toContain("\\u001b");
      expect(JSON.stringify(header)).toContain("\\\\x1b[2J");
    }
  });

  it("leaves numbers, flags and nothing alone", () => {
    const tree = { a: [1, true, null, { b: 0.5 }] };
    expect(visibleTree(tree)).toEqual(tree);
  });
});
