import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser, normaliserStateIn } from "../../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import { readParityCase, replayParity } from "../../../src/algorithms/distillation/parity.ts";
import { type CompileMode, compileWith } from "../../../src/engine/compile/compile.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { readSafetensors, type Safetensors } from "../../../src/learning/safetensors.ts";

beforeAll(() => startEngine("auto"));

const load = (name: string) =>
  readSafetensors(readFileSync(`test/data/parity/${name}.safetensors`), name);

async function replay(file: Safetensors, changes: object = {}, mode: CompileMode = "off") {
  const parity = readParityCase(file, true);
  const mlp = {
    inputWidth: parity.observationWidth,
    outputWidth: parity.actionWidth,
    hidden: parity.hidden,
    activation: parity.activation,
    weights: parity.weights,
  };
  const rnn = { type: parity.rnnType || "gru", width: parity.rnnHidden, layers: parity.rnnLayers };
  const network = parity.rnnType ? createRecurrent({ ...mlp, rnn } as never) : createMlp(mlp);
  const normaliser = parity.normalised
    ? new Normaliser(parity.observationWidth, normaliserStateIn(parity.weights))
    : undefined;
  const policy = new NetworkPolicy({ network, normaliser, reads: ["policy"] });
  const settings = { ...parity.settings, ...changes };
  const updates = await replayParity(file, { ...parity, settings }, policy, compileWith(mode));
  policy.dispose();
  return updates;
}

it("clips nothing where the longest gradient is 0, which rsl_rl takes for none", async () => {
  const file = load("mlp-mse-adam");
  const updates = await replay({ ...file, metadata: { ...file.metadata, max_grad_norm: "0.0" } });
  expect(updates.every(({ passed }) => passed)).toBe(true);
});

describe("rsl_rl's own updates", () => {
  const names = [
    "mlp-mse-adam",
    "mlp-clip",
    "mlp-huber-normalised",
    "gru-dones",
    "lstm-dones-clip",
    "window-straddles-epochs",
    "gru-leftover-14x3-10",
    "lstm-leftover-17x2-5-dones-clip",
    "lstm-2layer-leftover-11x1-4",
    "mlp-norm-12x2-6-rsl551",
    "gru-norm-huber-15x1-6-rsl551",
  ];
  // One of each network: `verify` says of all the same, that no number of a call is frozen.
  const verified = [
    "window-straddles-epochs",
    "gru-norm-huber-15x1-6-rsl551",
    "lstm-2layer-leftover-11x1-4",
  ];
  const cases = [
    ...(["off", "on"] as const).flatMap((mode) => names.map((name) => [name, mode] as const)),
    ...verified.map((name) => [name, "verify"] as const),
  ];
  it.each(cases)("are reproduced: %s, compile %s", async (name, mode) => {
    const before = tf.memory().numTensors;
    const updates = await replay(load(name), {}, mode);
    expect(updates).toHaveLength(3);
    for (const update of updates) expect(update).toMatchObject({ passed: true });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ["mlp-clip", { max_grad_norm: null }],
    ["mlp-huber-normalised", { loss_type: "mse" }],
    ["mlp-mse-adam", { gradient_length: 7 }],
    ["gru-dones", { num_learning_epochs: 1 }],
    ["gru-leftover-14x3-10", { drop_leftover_steps: false }],
    ["mlp-norm-12x2-6-rsl551", { normaliser_update: 5.4 }],
    ["mlp-huber-normalised", { normaliser_update: 5.5 }],
  ])("are not reproduced with another setting: %s %o", async (name, changes) => {
    const updates = await replay(load(name), changes);
    expect(updates.some((update) => !update.passed)).toBe(true);
  });

  it.each([
    ["mlp-norm-12x2-6-rsl551", 5.5],
    ["gru-norm-huber-15x1-6-rsl551", 5.5],
    ["mlp-huber-normalised", 5.4],
  ])("say by their statistics when the normaliser learned: %s", (name, expected) => {
    const { rsl_rl_version: _, source: __, ...metadata } = load(name).metadata;
    const { settings } = readParityCase({ ...load(name), metadata }, true);
    expect(settings.normaliser_update).toBe(expected);
  });

  it("are not reproduced when episode ends are forgotten", async () => {
    const file = load("gru-dones");
    const arrays = { ...file.arrays };
    for (const u of [0, 1, 2]) {
      const dones = arrays[`rollout${u}.dones`]!;
      arrays[`rollout${u}.dones`] = { ...dones, data: new Uint8Array(dones.data.length) };
    }
    const updates = await replay({ ...file, arrays });
    expect(updates.every((update) => update.passed)).toBe(false);
  });
});

describe("a damaged file", () => {
  const bytes = new Uint8Array(readFileSync("test/data/parity/mlp-clip.safetensors"));

  it("is refused by name, wherever it is cut", () => {
    for (const length of [0, 7, 8, 100, 3000, bytes.length - 1]) {
      expect(() => readSafetensors(bytes.subarray(0, length), "cut.safetensors")).toThrow(
        /^cut\.safetensors: /,
      );
    }
  });

  it("is refused when its header lies about a size", () => {
    const lie = Buffer.from(bytes);
    const at = lie.indexOf("[32, 9]");
    expect(at).toBeGreaterThan(0);
    lie.write("[33, 9]", at);
    expect(() => readSafetensors(lie, "lie")).toThrow(/'initial.mlp.0.weight' is F32 \[33,9\]/);
  });
});
