import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { sealed, sealOf } from "../../policies/checkpoint/seal.ts";
import fc from "../properties.ts";

const shipped = new URL("../../policies/teachers/hover-rsl_rl-5.4.2.pt", import.meta.url);
const plain = new Uint8Array(readFileSync(shipped));
const whole = sealed(plain);
const folder = mkdtempSync(join(tmpdir(), "firstsolo-seal-"));
const path = join(folder, "model_1.pt");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (bytes: Uint8Array) => {
  writeFileSync(path, bytes);
  return readCheckpointFile(path);
};

describe("a sealed checkpoint", () => {
  it("is read as the one without a seal, which is read too", async () => {
    expect([sealOf(plain), sealOf(whole), sealOf(sealed(whole))]).toEqual([
      "none",
      "whole",
      "whole",
    ]);
    expect(await read(whole)).toEqual(await read(plain));
    expect(sealed(whole)).toEqual(whole);
  });

  it("with any bit changed is refused, also where no member's sum would tell", async () => {
    // Half of them where the archive ends and the seal is.
    const [first, last] = [whole.length - 110, 8 * whole.length - 1];
    const anywhere = fc.integer({ min: 0, max: last });
    const bit = fc.oneof(anywhere, fc.integer({ min: 8 * first, max: last }));
    const changed = fc.asyncProperty(bit, async (at) => {
      const bytes = whole.slice();
      bytes[at >> 3]! ^= 1 << (at & 7);
      await expect(read(bytes)).rejects.toMatchObject({ name: "CheckpointError" });
    });
    await fc.assert(changed, { numRuns: 150, seed: 1 });
  });

  it("cut anywhere is refused", async () => {
    const length = fc.integer({ min: 0, max: whole.length - 1 });
    const cut = fc.asyncProperty(length, async (to) => {
      await expect(read(whole.slice(0, to))).rejects.toMatchObject({ name: "CheckpointError" });
    });
    await fc.assert(cut, { numRuns: 60, seed: 2 });
  });
});

describe("what is no archive", () => {
  it("is left as it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(sealed(bytes)).toEqual(bytes);
      }),
      { numRuns: 50, seed: 3 },
    );
  });
});
