import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { createMlp } from "../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { startEngine } from "../../src/engine/start.ts";
import { checkActivations } from "./activation-laws.ts";
import { errorOf, shippedExample, shippedTeachers, teachersFolder } from "./examples.ts";

beforeAll(() => startEngine("wasm"));

describe("on the wasm backend", () => {
  it.each(shippedTeachers)("%s flies as in PyTorch, to 1e-5", async (name) => {
    const { policy } = await loadTeacher(join(teachersFolder, `${name}.pt`));
    expect(await errorOf(policy, shippedExample(name))).toBeLessThan(1e-5);
    policy.dispose();
  });

  it("every row gets every bias", async () => {
    const weights = {
      "mlp.0.weight": { shape: [3, 2], data: new Float32Array(6) },
      "mlp.0.bias": { shape: [3], data: Float32Array.of(1, 2, 3) },
    };
    const network = createMlp({
      inputWidth: 2,
      outputWidth: 3,
      hidden: [],
      activation: "elu",
      weights,
    });
    const policy = new NetworkPolicy({ network, reads: ["policy"] });
    const frame = { observations: { policy: new Float32Array(6) }, started: new Uint8Array(3) };
    const { actions } = await policy.act(frame, []);
    expect(Array.from(actions)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    policy.dispose();
    expect(tf.memory().numTensors).toBe(0);
  });

  checkActivations();
});
