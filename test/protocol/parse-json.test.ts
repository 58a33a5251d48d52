import { expect, it } from "vitest";
import { parseJson } from "../../protocol/parse-json.ts";
import fc from "../properties.ts";

it("reads whatever JSON writes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const text = JSON.stringify(value);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
  for (const text of [
    '"[[[\\\\"',
    '{"a\\"[": "]\\\\\\""}',
    `"${"[".repeat(500)}"`,
    `[${"[],".repeat(500)}1]`,
  ]) {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  }
});

it.each([
  ["nothing but opening brackets", "[".repeat(16_000_000)],
  ["objects in objects", '{"a":'.repeat(3_000_000)],
  ["lists that are closed", "[".repeat(101) + "]".repeat(101)],
  ["more letters than may be", `"${"x".repeat(17 << 20)}"`],
  ["a text without an end", `["${"\\\\".repeat(100_000)}`],
  ["nothing", ""],
])("refuses %s at once", (_, text) => {
  const before = [process.cpuUsage(), process.memoryUsage().rss] as const;
  expect(() => parseJson(text)).toThrow(SyntaxError);
  const { user, system } = process.cpuUsage(before[0]);
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(process.memoryUsage().rss - before[1]).toBeLessThan(100 << 20);
});
