import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultOf, inputOf, type Target } from "../../bench/fuzz/target.ts";
import { type TargetName, targets } from "../../bench/fuzz/targets.ts";
import { readyPython } from "../python-env.ts";

/** What once was neither read nor refused as it should be: `TARGET-DIGEST.bin`. */
const corpus = join(import.meta.dirname, "../data/fuzz");
const known = existsSync(corpus) ? readdirSync(corpus) : [];
const tries = 60;

// For the Python server: the Python that was made for the tests.
beforeAll(() => {
  process.env.FIRSTSOLO_BENCH_PYTHON = readyPython("sim");
});

describe.each(Object.keys(targets) as TargetName[])("bytes from strangers: %s", (name) => {
  let target: Target;
  afterAll(() => target?.close?.());

  it("are read, or refused with words and the next move", async () => {
    target = await targets[name]();
    for (const file of known.filter((file) => file.startsWith(`${name}-`))) {
      const bytes = new Uint8Array(readFileSync(join(corpus, file)));
      expect([file, await faultOf(target, bytes)]).toEqual([file, undefined]);
    }
    const whole = target.corpus();
    expect(whole.length).toBeGreaterThan(0);
    for (let i = 0; i < tries; i += 1) {
      const bytes = inputOf(target, whole, { name, seed: 7, index: i });
      expect([i, await faultOf(target, bytes)]).toEqual([i, undefined]);
    }
  });

  it("that are whole are taken", async () => {
    for (const bytes of target.corpus()) expect(await faultOf(target, bytes)).toBe(undefined);
  });
});

it("a fault is seen: other errors, and those without the next move", async () => {
  const broken = (error: unknown): Target => ({
    title: "",
    corpus: () => [],
    take: () => {
      throw error;
    },
  });
  expect(await faultOf(broken(new TypeError("x is undefined")), new Uint8Array())).toMatch(
    "TypeError",
  );
  expect(await faultOf(broken("a text"), new Uint8Array())).toBe("a text");
});
