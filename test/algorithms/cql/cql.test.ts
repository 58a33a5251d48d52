import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { Random } from "../../../policies/random.ts";
import { createCql } from "../../../src/algorithms/cql/learner.ts";
import { cqlParity } from "../../../src/algorithms/cql/parity.ts";
import { gap } from "../../../src/algorithms/cql/penalty.ts";
import { cqlSettings } from "../../../src/algorithms/cql/settings.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { orthogonal } from "../../../src/learning/offline/initialisers.ts";
import { sample } from "../../../src/learning/offline/tanh-gaussian.ts";
import { isOff } from "../../../src/learning/parity/reference.ts";
import { offlineLaws, site } from "../offline-laws.ts";
import { offlineParity, referenceFile } from "../offline-parity.ts";

const small = { actor_hidden_dims: [16, 16], critic_hidden_dims: [16, 16], cql_n_actions: 3 };
const make = (changes: object = {}, at = site) =>
  createCql(cqlSettings.parse({ ...small, ...changes }), at);

// The penalty values actions drawn at s′, whether the episode went on there or not.
const targetFigures = ["Loss/td_1", "Loss/td_2"];
const long = true;
offlineLaws("CQL", { make: (at) => make({}, at), bootstraps: true, long, targetFigures });
offlineLaws("CQL with a multiplier, fixed entropy and the best of several next actions", {
  make: (at) =>
    make(
      {
        ...{ use_automatic_entropy_tuning: false, alpha_multiplier: 0.2, backup_entropy: true },
        ...{ cql_target_action_gap: 0.8, cql_max_target_backup: true, layer_norm: true },
        cql_importance_sample: false,
      },
      at,
    ),
  ...{ bootstraps: true, long, targetFigures },
});

offlineParity(cqlParity, {
  files: ["cql", "cql-fast", "cql-lagrange-no-entropy-tuning"],
  others: [
    ["cql-fast", "cql_alpha", "5.1"],
    ["cql-fast", "cql_temp", "1.1"],
    ["cql-fast", "cql_importance_sample", "false"],
    ["cql-fast", "backup_entropy", "true"],
    ["cql-fast", "target_entropy", "-2"],
    ["cql-fast", "target_update_period", "2"],
    ["cql-lagrange-no-entropy-tuning", "cql_target_action_gap", "0.7"],
    ["cql-lagrange-no-entropy-tuning", "alpha_multiplier", "0.3"],
  ],
});

describe("CQL", () => {
  beforeAll(() => startEngine("auto"));

  it("refuses a file that begins with imitation, which draws afresh", async () => {
    const file = referenceFile("cql");
    const metadata = { ...file.metadata, bc_steps: "3" };
    await expect(cqlParity.replay({ ...file, metadata }, {})).rejects.toThrow(/bc_steps/);
  });

  it("knows how likely the actions are that it draws", async () => {
    // Of one component with μ = 0.3, σ = e^−0.5: the density on (−1, 1) must integrate to 1.
    const network = createMlp({
      ...{ inputWidth: 1, outputWidth: 2, hidden: [], activation: "relu" },
      weights: {
        "mlp.0.weight": { shape: [2, 1], data: new Float32Array(2) },
        "mlp.0.bias": { shape: [2], data: Float32Array.of(0.3, 0.5) },
      },
    });
    const [multiplier, offset] = [1, -1].map((value) => tf.variable(tf.tensor1d([value])));
    const actor = { network, multiplier: multiplier!, offset: offset!, maxAction: 1 };
    const noise = Float32Array.from({ length: 1601 }, (_, i) => (i - 800) / 100);
    const states = tf.zeros([noise.length, 1]) as tf.Tensor2D;
    const drawn = sample(actor, states, tf.tensor2d(noise, [noise.length, 1]));
    const [actions, logProb] = [await drawn.actions.data(), await drawn.logProb.data()];
    let mass = 0;
    for (let i = 1; i < noise.length; i += 1) {
      const mean = (Math.exp(logProb[i]!) + Math.exp(logProb[i - 1]!)) / 2;
      mass += mean * (actions[i]! - actions[i - 1]!);
    }
    expect(mass).toBeCloseTo(1, 3);
    expect(actions[800]).toBeCloseTo(Math.tanh(0.3), 6);
  });

  it("pays nothing where all actions are worth the same, but for the density of uniform ones", async () => {
    const settings = cqlSettings.parse({ cql_importance_sample: false, cql_temp: 2 });
    const same = tf.fill([2, 3], 5) as tf.Tensor2D;
    const none = { actions: tf.zeros([2, 3, 1]), logProb: tf.zeros([2, 3]) };
    const unseen = { random: tf.zeros([2, 3, 1]) as tf.Tensor3D, next: none, current: none };
    const values = { random: same, next: same, current: same };
    const seen = tf.tensor1d([5, 5]);
    const found = (await gap(seen, values, { unseen, settings }).data())[0]!;
    // temp · log of the ten equal ones.
    expect(found).toBeCloseTo(2 * Math.log(10), 5);
    const weighted = { ...settings, cql_importance_sample: true, cql_temp: 1 };
    const other = (await gap(seen, values, { unseen, settings: weighted }).data())[0]!;
    expect(other).toBeCloseTo(Math.log(3 * 2 + 6), 5);
  });

  it("counts each state's gap within the bounds it is given, and trains nothing beyond them", async () => {
    const clipped = { cql_clip_diff_min: -0.5, cql_clip_diff_max: 2 };
    const settings = cqlSettings.parse({ cql_importance_sample: false, ...clipped });
    const none = { actions: tf.zeros([3, 1, 1]), logProb: tf.zeros([3, 1]) };
    const unseen = { random: tf.zeros([3, 1, 1]) as tf.Tensor3D, next: none, current: none };
    const low = tf.fill([3, 1], -20) as tf.Tensor2D;
    const values = { random: tf.tensor2d([[1], [9], [-9]]), next: low, current: low };
    const of = (seen: tf.Tensor) => gap(seen as tf.Tensor1D, values, { unseen, settings });
    const seen = tf.tensor1d([0, 0, 0]);
    // log(e + 1), 9 cut to 2, and log(e^-9 + 1).
    const parts = [Math.log(Math.E + 1), 2, Math.log(1 + Math.exp(-9))];
    expect((await of(seen).data())[0]).toBeCloseTo(parts.reduce((sum, one) => sum + one) / 3, 5);
    const slopes = await tf.grad(of)(seen).data();
    expect(slopes[0]).toBeCloseTo((1 / (Math.E + 1) - 1) / 3, 5);
    expect(slopes[1]).toBe(0);
  });

  it("takes no bound from a file that says an infinite one, and refuses settings out of range", async () => {
    const file = referenceFile("cql-lagrange-no-entropy-tuning");
    const replay = (metadata: Record<string, string>) =>
      cqlParity.replay({ ...file, metadata: { ...file.metadata, ...metadata } }, {});
    const open = { cql_clip_diff_min: "-Infinity", cql_clip_diff_max: "Infinity" };
    const updates = await replay(open);
    expect(updates.some((update) => isOff(update, cqlParity.tolerance))).toBe(false);
    const clipped = await replay({ ...open, cql_clip_diff_max: "1.5" });
    expect(clipped.some((update) => isOff(update, cqlParity.tolerance))).toBe(true);
    await expect(replay({ cql_n_actions: "0" })).rejects.toMatchObject({
      code: "bad-parity-file",
      message: expect.stringMatching(/has a setting out of range, cql_n_actions: Too small/),
    });
  });

  it("starts its critics from orthogonal rows", () => {
    const random = new Random(1).uniform;
    for (const [inputs, outputs] of [
      [8, 5],
      [5, 8],
    ] as const) {
      const { weight, bias } = orthogonal(1)({ inputs, outputs, last: false, random });
      expect([...bias]).toEqual(new Array(outputs).fill(0));
      const at = (row: number, column: number) => weight[row * inputs + column]!;
      const count = Math.min(inputs, outputs);
      for (let i = 0; i < count; i += 1) {
        for (let k = 0; k < count; k += 1) {
          let product = 0;
          for (let n = 0; n < Math.max(inputs, outputs); n += 1) {
            product += inputs >= outputs ? at(i, n) * at(k, n) : at(n, i) * at(n, k);
          }
          expect(product).toBeCloseTo(i === k ? 2 : 0, 5);
        }
      }
    }
  });
});
