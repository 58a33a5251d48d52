import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTorchFile, writeTorchFile } from "../../../policies/checkpoint/torch-file.ts";
import type { TorchDict } from "../../../policies/checkpoint/torch-value.ts";
import { readRun } from "../../../src/algorithms/distillation/run-checkpoint.ts";
import { startEngine } from "../../../src/engine/start.ts";
import type { RunState } from "../../../src/running/run-state.ts";
import { goOn, runOf, type SmallRun, setUp } from "../../running/small-run.ts";

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
  facts = String(ownOf(readTorchFile(bytes) as TorchDict).get("facts"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ownOf(file: TorchDict): TorchDict {
  return (file.get("infos") as TorchDict).get("firstsolo") as TorchDict;
}

/** Reads the checkpoint with other facts in it, and puts a run where they say. */
async function resumeWith(changed: string): Promise<void> {
  const file = readTorchFile(bytes) as TorchDict;
  (ownOf(file) as Map<string, unknown>).set("facts", changed);
  writeFileSync(path, writeTorchFile(file));
  const { state } = await readRun(path);
  await goOn(run, state);
}

type Key = string | number;

/** Every place in a value, as the keys that lead there. */
function places(value: unknown, at: readonly Key[] = []): (readonly Key[])[] {
  if (typeof value !== "object" || value === null) return [at];
  const keys: Key[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [at, ...keys.flatMap((key) => places((value as never)[key], [...at, key]))];
}

/** The same with another value in a place; `undefined` takes the place out. */
function changed(at: readonly Key[], value: unknown): string {
  if (at.length === 0) return JSON.stringify(value) ?? "";
  const whole = JSON.parse(facts);
  const parent = at.slice(0, -1).reduce((inner, key) => inner[key], whole);
  const last = at.at(-1)!;
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return JSON.stringify(whole);
}

const outcome = (text: string) =>
  resumeWith(text).then(
    () => "accepted",
    (error) => (typeof error.hint === "string" ? "refused" : error),
  );

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
      expect([at, await outcome(changed(at, undefined))]).toEqual([at, "refused"]);
    }
  });

  it("with anything in the place of anything never end in an internal error", async () => {
    const wrong = fc.constantFrom(null, "x", -1, 0.5, true, [], {}, [null], 1e300, 2 ** 53, "NaN");
    const where = fc.constantFrom(...places(JSON.parse(facts)));
    const property = fc.asyncProperty(
      where,
      fc.oneof(wrong, fc.json({ maxDepth: 2 })),
      async (at, value) => {
        expect(["accepted", "refused"]).toContain(await outcome(changed(at, value)));
      },
    );
    await fc.assert(property, { numRuns: 150, seed: 4 });
  });

  it("with an object in the place of a number, or the other way round, are refused", async () => {
    const all = places(JSON.parse(facts)).filter((at) => at.length > 0);
    for (const at of all) {
      expect([at, await outcome(changed(at, { not: "it" }))]).toEqual([at, "refused"]);
    }
  });

  it("of another iteration than the file's are refused", async () => {
    for (const iteration of [0, 1, 2, 4, 10 ** 9]) {
      const other = changed(["flight", "progress", "iteration"], iteration);
      expect(await outcome(other)).toBe("refused");
    }
  });

  it("name the file and the fact", async () => {
    const refusal = await resumeWith(changed(["flight", "progress"], {})).catch((error) => error);
    expect(refusal).toMatchObject({
      code: "bad-checkpoint",
      message: expect.stringContaining(path),
    });
    expect(refusal.message).toContain("flight.progress.iteration");
  });
});
