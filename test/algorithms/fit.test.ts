import { expect, it } from "vitest";
import type { EnvSpec } from "../../protocol/spec.ts";
import { groupsWidth } from "../../src/algorithms/fit.ts";

it.each([
  [["critic", "actor"], "policy", "actor"],
  [["privileged_state", "state"], "policy", "state"],
  [["critic", "policy", "policy_2"], "polcy", "policy"],
  [["critic", "scan"], "nothing", "scan"],
  [["critic"], "policy", "critic"],
])("of %j instead of %s it proposes %s", (groups, missing, proposed) => {
  const observations = Object.fromEntries(groups.map((name) => [name, { shape: [4] }]));
  const spec = { task: "t", observations } as unknown as EnvSpec;
  const attempt = () => groupsWidth("teacher", [missing], spec);
  expect(attempt).toThrow(
    expect.objectContaining({ hint: expect.stringContaining(`[${proposed}]`) }),
  );
});
