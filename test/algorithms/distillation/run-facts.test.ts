import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRun } from "../../../src/algorithms/distillation/run-checkpoint.ts";
import { startEngine } from "../../../src/engine/start.ts";
import type { RunState } from "../../../src/running/run-state.ts";
import fc from "../../properties.ts";
import { goOn, runOf, type SmallRun, setUp } from "../../running/small-run.ts";
import { changed, factsOf, outcomeOf, places, withFacts } from "../changed-facts.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-facts-"));
const path = join(folder, "model_2.pt");
const recurrent = ["policy.rnn_type=gru", "policy.rnn_hidden_dim=4", "max_iterations=3"];
const settings = [...recurrent, "algorithm.buffer_size=200", "num_envs=6"];

let run: SmallRun;
let bytes: Uint8Array;
let facts: string;
beforeAll(async () => {
  await startEngine("auto", { threads: 1 });
  run = await setUp(settings);
  const { saved } = await runOf(run, {});
  const { state } = saved.at(-1)!;
  bytes = await run.assembled.write(state as RunState);
  facts = factsOf(bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads the checkpoint with other facts in it, and puts a run where they say. */
async function resumeWith(text: string): Promise<void> {
  writeFileSync(path, withFacts(bytes, text));
  const { state } = await readRun(path);
  await goOn(run, state);
}

const outcome = (text: string) => outcomeOf(resumeWith(text));

/** Left out by those that don't need them; or as many as there were, which no other fact says. */
const optional =
  /^(student|teacher)\.(head|history)$|^buffer$|^flight\.episodes\.(training|student|teacher)\.\d+$|^flight\.cockpit\.flownByTeacher\.\d+$/;

describe("the facts of a checkpoint", () => {
  it("as they were written are accepted", async () => {
    expect(await outcome(facts)).toBe("accepted");
  });

  it("are refused by name when any of them is missing", async () => {
    const required = places(JSON.parse(facts)).filter((at) => !optional.test(at.join(".")));
    expect(required.length).toBeGreaterThan(60);
    for (const at of required) {
      expect([at, await outcome(changed(facts, at, undefined))]).toEqual([at, "refused"]);
    }
  });

  it("with anything in the place of anything never end in an internal error", async () => {
    const wrong = fc.constantFrom(null, "x", -1, 0.5, true, [], {}, [null], 1e300, 2 ** 53, "NaN");
    const where = fc.constantFrom(...places(JSON.parse(facts)));
    const property = fc.asyncProperty(
      where,
      fc.oneof(wrong, fc.json({ maxDepth: 2 })),
      async (at, value) => {
        expect(["accepted", "refused"]).toContain(await outcome(changed(facts, at, value)));
      },
    );
    await fc.assert(property, { numRuns: 150, seed: 4 });
  });

  it("with an object in the place of a number, or the other way round, are refused", async () => {
    const all = places(JSON.parse(facts)).filter((at) => at.length > 0);
    for (const at of all) {
      expect([at, await outcome(changed(facts, at, { not: "it" }))]).toEqual([at, "refused"]);
    }
  });

  it("of another iteration than the file's are refused", async () => {
    for (const iteration of [0, 1, 2, 4, 10 ** 9]) {
      const other = changed(facts, ["flight", "progress", "iteration"], iteration);
      expect(await outcome(other)).toBe("refused");
    }
  });

  it("name the file and the fact", async () => {
    const refusal = await resumeWith(changed(facts, ["flight", "progress"], {})).catch(
      (error) => error,
    );
    expect(refusal).toMatchObject({
      code: "bad-checkpoint",
      message: expect.stringContaining(path),
    });
    expect(refusal.message).toContain("flight.progress.iteration");
  });
});
