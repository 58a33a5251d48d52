import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parityKinds } from "../../../src/algorithms/parity-kinds.ts";
import { describeParity, replayFile } from "../../../src/learning/parity/run-parity.ts";

const text = readFileSync("test/data/mcts/mctx.json", "utf8");
type Case = Record<string, unknown> & { result: Record<string, unknown> };

const replay = (content: string) =>
  replayFile({ name: "x", read: async () => new TextEncoder().encode(content) }, parityKinds);

/** The first of the searches, changed. */
function changed(change: (one: Case) => void): Promise<{ passed: boolean; error?: string }> {
  const document = JSON.parse(text);
  const [one] = document.cases as [Case];
  change(one);
  return replay(JSON.stringify({ cases: [one] }));
}

describe("searches that mctx recorded", () => {
  it("come out with the same counts and actions, and the same values", async () => {
    const report = await replay(`\n ${text}`);
    expect(report).toMatchObject({ passed: true, kind: "mctx", counts: { error: 0 } });
    expect(report.updates).toHaveLength(20);
    expect(report.metrics!.error).toBeLessThan(2e-6);
    expect(describeParity(report)).toMatch(
      /^ok {3}x \(mctx, 20 searches\): figures off by \de?\S+ of 0.00002 at \S+, search \d+; counts off by 0/,
    );
  });

  const differing: Readonly<Record<string, (one: Case) => void>> = {
    "a count": ({ result }) => Object.assign(result, { visit_counts: [0, 4, 4, 0, 0] }),
    "the action": ({ result }) => Object.assign(result, { action: 1 }),
    "a value": ({ result }) => Object.assign(result, { root_value: -0.7489 }),
    "an action said to be unvisited": ({ result }) =>
      Object.assign(result, { qvalues: [null, null, -0.5192357301712036, null, null] }),
    "the weight of the prior": (one) => Object.assign(one, { pb_c_init: 0.2 }),
    "the depth": (one) => Object.assign(one, { max_depth: 1 }),
    "the bounds of the values": (one) =>
      Object.assign(one, { qtransform: "by_min_max", min_value: -2, max_value: 9 }),
    "what is forbidden": (one) => Object.assign(one, { invalid_actions: [0, 0, 1, 0, 0] }),
  };
  for (const [what, change] of Object.entries(differing)) {
    it(`are told apart by ${what}`, async () => {
      const report = await changed(change);
      expect(report).toMatchObject({ passed: false });
      expect(report.error).toBeUndefined();
    });
  }

  const broken: Readonly<Record<string, readonly [(one: Case) => void, RegExp]>> = {
    "a table without a state": [(one) => (one.reward as unknown[]).pop(), /'reward': a list of 7/],
    "a row without an action": [
      (one) => (one.discount as unknown[][])[3]!.pop(),
      /'discount\[3\]': a list of 4, expected 5/,
    ],
    "a state that isn't there": [
      (one) => Object.assign((one.next_state as unknown[][])[0]!, { 2: 8 }),
      /'next_state\[0\]\[2\]': 8, expected a state/,
    ],
    "text for a number": [(one) => Object.assign(one, { pb_c_init: "2.5" }), /'pb_c_init': "2.5"/],
    "half a simulation": [(one) => Object.assign(one, { num_simulations: 7.5 }), /7.5, expected/],
    "no depth": [(one) => delete one.max_depth, /'max_depth': missing/],
    "no bounds": [
      (one) => Object.assign(one, { qtransform: "by_min_max" }),
      /'min_value': missing/,
    ],
    "bounds the wrong way": [
      (one) => Object.assign(one, { qtransform: "by_min_max", min_value: 1, max_value: 1 }),
      /'max_value': 1, expected above/,
    ],
    "another transform": [(one) => Object.assign(one, { qtransform: "by_rank" }), /"by_rank"/],
    "nothing allowed": [
      (one) => Object.assign(one, { invalid_actions: [1, 1, 1, 1, 1] }),
      /forbidding every action/,
    ],
    noise: [(one) => Object.assign(one, { dirichlet_fraction: 0.25 }), /can't be repeated/],
    "no result": [(one) => Object.assign(one, { result: null }), /search 1, result for/],
  };
  for (const [what, [change, message]] of Object.entries(broken)) {
    it(`are refused by name with ${what}`, async () => {
      const report = await changed(change);
      expect(report).toMatchObject({ passed: false });
      expect(report.error).toMatch(message);
      expect(report.error).toMatch(/^x says in search 1/);
    });
  }

  it("of a document that is cut, empty or of another kind are refused", async () => {
    expect((await replay(text.slice(0, 5000))).error).toMatch(/^x is no whole JSON document/);
    expect((await replay("{}")).error).toMatch(/a JSON document of nothing; .* of mctx/);
    expect((await replay('{"cases": [{"a": 1}]}')).error).toMatch(/JSON document of cases/);
    expect((await replay('{"cases": [1, {"num_simulations": 1}]}')).error).toMatch(/search 1/);
  });
});
