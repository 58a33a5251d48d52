import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parityKinds } from "../../src/algorithms/parity-kinds.ts";
import { startEngine } from "../../src/engine/start.ts";
import {
  compareArrays,
  compareFigures,
  type ParityKind,
} from "../../src/learning/parity/reference.ts";
import { describeParity, replayFile } from "../../src/learning/parity/run-parity.ts";
import { readSafetensors } from "../../src/learning/safetensors.ts";

beforeAll(() => startEngine("auto"));

const replay = (path: string) =>
  replayFile({ name: path.split("/").at(-1)!, read: () => readFile(path) }, parityKinds);

interface Damaged {
  readonly metadata: Record<string, string>;
  readonly arrays: Record<string, { shape: number[]; data: Float32Array | Uint8Array }>;
}

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

  it("of which a part is missing or misshapen is refused, by the part's name", async () => {
    const said = async (path: string, damage: (file: Damaged) => void) => {
      const file = readSafetensors(await readFile(`test/data/${path}.safetensors`), path);
      const damaged = { where: "x", metadata: { ...file.metadata }, arrays: { ...file.arrays } };
      damage(damaged);
      const kind = parityKinds.find((one) => !("form" in one) && one.recognises(damaged));
      return (kind as ParityKind).replay(damaged, {}).then(
        () => "nothing",
        (error: Error) => error.message,
      );
    };
    const flat = Float32Array.from([1]);
    const td3 = "offline_rl/td3_bc";
    const name = "after1.actor.net.0.bias";
    expect(await said(td3, ({ arrays }) => delete arrays[name])).toBe(`x holds no '${name}'.`);
    const misshapen = ({ arrays }: Damaged) => {
      arrays[name] = { shape: [1], data: flat };
    };
    expect(await said(td3, misshapen)).toBe(`x holds [1], not [32], as '${name}'.`);
    const none = ({ arrays }: Damaged) => {
      for (const key of Object.keys(arrays)) if (key.startsWith("after")) delete arrays[key];
    };
    expect(await said(td3, none)).toBe("x holds no weights behind any update.");
    expect(await said("parity/mlp-clip", none)).toBe("the file holds no weights 'after0.…'.");
    const say = (key: string, text: string) => (file: Damaged) => {
      file.metadata[key] = text;
    };
    expect(await said(td3, say("metrics", "[{}, 3]"))).toMatch(/no figures .* in 'metrics': 1 /);
    expect(await said("parity/mlp-clip", say("gradient_length", "-7"))).toMatch(
      /^The file says -7 for 'gradient_length'/,
    );
    expect(await said("parity/mlp-clip", say("optimizer", "lion"))).toMatch(/"rmsprop"/);
    const dones = ({ arrays }: Damaged) => delete arrays["rollout1.dones"];
    expect(await said("parity/mlp-clip", dones)).toMatch(/'rollout1.dones' missing, expected/);
    const half = ({ arrays }: Damaged) => {
      arrays["batch1.terminals"] = { shape: [32], data: new Float32Array(32).fill(0.5) };
    };
    expect(await said(td3, half)).toMatch(/holds 0.5 in 'batch1.terminals', expected 0 or 1/);
  });

  it("of another precision is refused by its name", () => {
    const header = '{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}';
    const bytes = Buffer.alloc(8 + header.length + 8);
    bytes.writeUInt32LE(header.length);
    bytes.write(header, 8);
    expect(() => readSafetensors(bytes, "x")).toThrow(/'x' is F64; F32 \(float32\) and U8/);
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
