import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { probeCompile } from "../../../src/engine/compile/probe.ts";
import { startEngine } from "../../../src/engine/start.ts";

it("says what compiling costs and brings, and leaves no tensor", async () => {
  await startEngine("cpu");
  const before = tf.memory().numTensors;
  const facts = probeCompile()!;
  expect(facts.firstMilliseconds).toBeGreaterThan(0);
  // 60 ms on a quiet machine; the bar is 300.
  expect(facts.firstMilliseconds).toBeLessThan(1500);
  expect(facts.compiledMilliseconds).toBeLessThan(facts.eagerMilliseconds);
  expect(tf.memory().numTensors).toBe(before);
});
