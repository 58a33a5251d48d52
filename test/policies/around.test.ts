import { describe, expect, it } from "vitest";
import { around } from "../../policies/around.ts";
import type { Policy } from "../../policies/policy.ts";

describe("a policy around another", () => {
  // `Required`: whoever gives policies a field more is asked here whether a wrapper hands it on.
  const inner: Required<Policy> = {
    reads: ["camera", "joints"],
    observationWidth: 21,
    actionWidth: 2,
    shapes: { camera: [2, 3, 2] },
    initialMemory: (numEnvs) => [new Float32Array(numEnvs)],
    act: async ({ started }, memory) => ({ actions: new Float32Array(started.length * 2), memory }),
    dispose: () => {},
  };

  it("is the other in all that isn't said, and nothing else", () => {
    const dispose = () => {};
    const outer = around(inner, { act: inner.act, dispose });
    expect({ ...outer, initialMemory: inner.initialMemory }).toEqual({ ...inner, dispose });
    expect(outer.initialMemory(3)).toEqual([new Float32Array(3)]);
  });

  it("has no shapes where the other has none, and its own width where it says so", () => {
    const { shapes: _, ...plain } = inner;
    const outer = around(plain, { actionWidth: 1, act: inner.act, dispose: inner.dispose });
    expect(outer).not.toHaveProperty("shapes");
    expect(outer.actionWidth).toBe(1);
  });
});
