import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parityKinds } from "../../src/algorithms/parity-kinds.ts";
import { startEngine } from "../../src/engine/start.ts";
import { compareArrays, compareFigures } from "../../src/learning/parity/reference.ts";
import { describeParity, replayFile } from "../../src/learning/parity/run-parity.ts";

beforeAll(() => startEngine("auto"));

const replay = (path: string) =>
  replayFile({ name: path.split("/").at(-1)!, read: () => readFile(path) }, parityKinds);

describe("a file of recorded updates", () => {
  it("is taken for what it holds, whatever it is called", async () => {
    const kinds = [];
    for (const path of ["parity/mlp-clip", "offline_rl/td3_bc"]) {
      const bytes = await readFile(`test/data/${path}.safetensors`);
      const report = await replayFile({ name: "x", read: async () => bytes }, parityKinds);
      expect(report).toMatchObject({ passed: true, file: "x" });
      expect(describeParity(report)).toMatch(
        /^ok {3}x \(\w+, \d updates\): weights off by \d\.\de-\d of \S+ at \S+, update \d; figures off by/,
      );
      kinds.push(report.kind);
    }
    expect(kinds).toEqual(["distillation", "td3_bc"]);
  });

  it("of no known kind, unreadable or damaged is a failure that says why", async () => {
    const unknown = await replay("policies/teachers/README.md");
    expect(unknown).toMatchObject({ passed: false });
    expect(describeParity(unknown)).toMatch(/^FAIL README.md: a header of/);
    expect((await replay("/nowhere")).error).toMatch(/ENOENT/);
    const bytes = await readFile("test/data/offline_rl/td3_bc.safetensors");
    const at = bytes.indexOf('"algorithm":"td3_bc"');
    expect(at).toBeGreaterThan(0);
    bytes.write('"algorithm":"dqn_xx"', at);
    const recorded = parityKinds.filter((kind) => !("form" in kind));
    const other = await replayFile({ name: "x", read: async () => bytes }, parityKinds);
    expect(describeParity(other)).toBe(
      `FAIL x is of 'dqn_xx'; recorded updates of ${recorded.map(({ name }) => name).join(", ")} can be repeated.`,
    );
  });

  it("that is off fails, and says by how much and where", async () => {
    const bytes = await readFile("test/data/offline_rl/td3_bc-fast-freq1.safetensors");
    const at = bytes.indexOf('"alpha":"10.0"');
    expect(at).toBeGreaterThan(0);
    bytes.write('"alpha":"10.1"', at);
    const report = await replayFile({ name: "x", read: async () => bytes }, parityKinds);
    expect(report).toMatchObject({ passed: false, kind: "td3_bc", metrics: { at: "actor_loss" } });
    expect(report.metrics!.error).toBeGreaterThan(1e-3);
    expect(describeParity(report)).toMatch(/^FAIL x \(td3_bc, 6 updates\): weights off by/);
  });
});

describe("what is missing or not a number", () => {
  const array = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });

  it("is infinitely off, and the worst is named", () => {
    const expected = { a: array(1, 2), b: array(3) };
    expect(compareArrays({ a: array(1, 2.5), b: array(3) }, expected)).toEqual({
      ...{ error: 0.5, at: "a[1]" },
    });
    expect(compareArrays({ a: array(1, 2) }, expected)).toEqual({ error: Infinity, at: "b[0]" });
    expect(compareArrays({ a: array(1, Number.NaN), b: array(3) }, expected).at).toBe("a[1]");
    expect(compareFigures({ x: 101, y: 0.5 }, { x: 100, y: 0.45 })).toEqual({
      ...{ error: expect.closeTo(0.05, 9), at: "y" },
    });
    expect(compareFigures({ x: 100 }, { x: 100, y: 0 })).toEqual({ error: Infinity, at: "y" });
  });
});
