import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { bytesOf, readRun } from "../../../src/algorithms/offline/run-checkpoint.ts";
import { createTd3Bc } from "../../../src/algorithms/td3_bc/learner.ts";
import { td3BcSettings } from "../../../src/algorithms/td3_bc/settings.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { changed, factsOf, outcomeOf, places, withFacts } from "../changed-facts.ts";
import { flights, site, stage } from "../offline-laws.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-facts-"));
const path = join(folder, "model_2.pt");
let bytes: Uint8Array;
let facts: string;

beforeAll(async () => {
  await startEngine("auto");
  const settings = { actor_hidden_dims: [8], critic_hidden_dims: [8] };
  const learner = createTd3Bc(td3BcSettings.parse(settings), site);
  await learner.update(flights(2, 4), stage);
  const words = [1, 2, 3, 4] as const;
  const sampling = {
    ...{ drawable: 100, epoch: 0, strip: 0, drawn: 8 },
    random: { epoch: words, window: words, now: words },
  };
  const source = { sampling, flown: { episodes: 4, steps: 100, rewards: -2.5 } };
  const state = {
    progress: { iteration: 3, environmentSteps: 0, seconds: 1, best: null },
    plan: null,
    source: { facts: source, bytes: {} },
    learner: await learner.save(),
    watch: [{ seen: 1 }],
  };
  bytes = await bytesOf(state, {
    algorithm: "td3_bc",
    student: learner.policies.student as NetworkPolicy,
    graph: await learner.graph(),
  });
  facts = factsOf(bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const outcome = (text: string) => {
  writeFileSync(path, withFacts(bytes, text));
  return outcomeOf(readRun(path));
};

describe("the facts of a run that learned from recorded flights", () => {
  it("as they were written are accepted", async () => {
    expect(await outcome(facts)).toBe("accepted");
  });

  it("are refused when any of them is missing, or is of another kind", async () => {
    // What monitors have seen is theirs; that not every rate is written is version 0.1's; groups are the data's.
    const free = /^run\.watch|learningRate$|^actor\.reads\.\d$|^run\.counters\.optimisers\/\w+$/;
    const all = places(JSON.parse(facts)).filter((at) => !free.test(at.join(".")));
    expect(all.length).toBeGreaterThan(30);
    for (const at of all) {
      expect([at, await outcome(changed(facts, at, undefined))]).toEqual([at, "refused"]);
      const other = at.length === 0 ? [] : { not: "it" };
      expect([at, await outcome(changed(facts, at, other))]).toEqual([at, "refused"]);
    }
  });

  it("of another iteration than the file's are refused", async () => {
    const other = changed(facts, ["run", "progress", "iteration"], 2);
    expect(await outcome(other)).toBe("refused");
  });
});
