import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { compileWith } from "../../src/engine/compile/compile.ts";
import { startEngine } from "../../src/engine/start.ts";
import { isOff, type ParityKind, type ReferenceFile } from "../../src/learning/parity/reference.ts";
import { readSafetensors } from "../../src/learning/safetensors.ts";

export function referenceFile(name: string): ReferenceFile {
  const where = `test/data/offline_rl/${name}.safetensors`;
  return { ...readSafetensors(readFileSync(where), where), where };
}

interface ParityCases {
  readonly files: readonly string[];
  /** A file and a setting said otherwise: no such update was recorded. */
  readonly others: readonly (readonly [file: string, key: string, value: string])[];
  /** How many updates a file holds, and behind which of them the weights. Default: 6; 1, 2 and 6. */
  readonly updates?: number;
  readonly weighed?: readonly number[];
}

/** A reference program's updates are repeated, and others are not taken for them. */
export function offlineParity(kind: ParityKind, parity: ParityCases): void {
  const { files, others, updates: count = 6, weighed = [1, 2, 6] } = parity;
  beforeAll(() => startEngine("auto"));

  describe(`recorded updates of ${kind.name}`, () => {
    const modes = ["off", "on", "verify"] as const;
    const cases = files.flatMap((name) => modes.map((mode) => [name, mode] as const));
    it.each(cases)("are reproduced: %s, compile %s", async (name, mode) => {
      const file = referenceFile(name);
      const before = tf.memory().numTensors;
      expect(kind.recognises(file)).toBe(true);
      const updates = await kind.replay(file, { compile: compileWith(mode) });
      expect(updates).toHaveLength(count);
      const there = updates.filter(({ weights }) => weights !== undefined);
      expect(there.map(({ update }) => update)).toEqual(weighed);
      for (const update of updates) {
        expect(update.weights?.error ?? 0).toBeLessThan(1e-6);
        expect(update.metrics!.error).toBeLessThan(5e-6);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each(others)(
      "are not reproduced with another setting: %s %s %s",
      async (name, key, value) => {
        const file = referenceFile(name);
        expect(file.metadata).toHaveProperty([key]);
        const metadata = { ...file.metadata, [key]: value };
        const updates = await kind.replay({ ...file, metadata }, {});
        expect(updates.some((update) => isOff(update, kind.tolerance))).toBe(true);
      },
    );
  });
}
