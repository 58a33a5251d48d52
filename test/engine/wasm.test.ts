import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { startEngine } from "../../src/engine/start.ts";
import { regression, wrongGradients } from "./learns.ts";

describe("the wasm fallback", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine("wasm");
  });

  it("says what computes", () => {
    expect(engine).toMatchObject({ backend: "wasm", device: "wasm", threads: 1 });
    expect(engine).not.toHaveProperty("source");
    expect(tf.getBackend()).toBe("wasm");
  });

  it("gives every operation's gradient, though tfjs-node is not there to register them", async () => {
    expect(await wrongGradients()).toEqual([]);
  });

  it("learns, and leaves no tensor behind", async () => {
    const { first, last, left } = await regression(120);
    expect(last).toBeLessThan(first / 10);
    expect(left).toBe(0);
  });
});
