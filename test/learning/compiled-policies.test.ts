import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { createMlp } from "../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { Normaliser } from "../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import type { Flown, Memory } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import { compileWith } from "../../src/engine/compile/compile.ts";
import { startEngine } from "../../src/engine/start.ts";
import { CompiledPolicies, compiledPolicy } from "../../src/learning/compiled-policies.ts";

await startEngine("auto");

const random = new Random(5);
const sizes = { outputWidth: 2, hidden: [16], activation: "elu", random: random.uniform };

/** A student with a memory that sees less, through statistics; a teacher that sees all. */
function pilots(): [student: NetworkPolicy, teacher: NetworkPolicy] {
  const rnn = { type: "lstm", width: 8, layers: 2 } as const;
  const student = new NetworkPolicy({
    network: createRecurrent({ ...sizes, inputWidth: 3, rnn }),
    normaliser: new Normaliser(3),
    reads: ["seen"],
  });
  const network = createMlp({ ...sizes, inputWidth: 5 });
  return [student, new NetworkPolicy({ network, reads: ["seen", "hidden"] })];
}

const normal = (length: number) => Float32Array.from({ length }, random.normal);
const frames = Array.from({ length: 6 }, (_, t) => ({
  observations: { seen: normal(21), hidden: normal(14) },
  started: Uint8Array.from({ length: 7 }, (_, row) => (t === 0 || row === t ? 1 : 0)),
}));

describe("policies that act in one call", () => {
  it.each(["on", "off", "verify"] as const)(
    "do what each does by itself, compile %s",
    async (mode) => {
      const policies = pilots();
      const before = tf.memory().numTensors;
      const together = new CompiledPolicies(compileWith(mode), policies);
      const alone = policies.map((policy) => compiledPolicy(policy, compileWith(mode)));
      const start = () => policies.map((policy) => policy.initialMemory(7));
      let [own, shared, single]: Memory[][] = [start(), start(), start()];
      for (const [t, frame] of frames.entries()) {
        // The statistics and the weights go on changing.
        policies[0].normaliser!.update(frame.observations.seen);
        for (const { value } of policies[1].network.parameters) {
          tf.tidy(() => value.assign(tf.mul(value, 1 + t / 10)));
        }
        const flown: Flown[] = [];
        for (const [i, policy] of policies.entries()) flown.push(await policy.act(frame, own![i]!));
        const both = await together.act(frame, shared!);
        expect(both).toEqual(flown);
        const each = await Promise.all(alone.map((policy, i) => policy.act(frame, single![i]!)));
        expect(each).toEqual(flown);
        [own, shared, single] = [flown, both, each].map((all) => all.map(({ memory }) => memory));
      }
      together.dispose();
      for (const policy of alone) policy.dispose();
      // The normaliser's two, which it loads anew when its statistics change.
      expect(tf.memory().numTensors).toBe(before + 2);
      for (const policy of policies) policy.dispose();
    },
  );

  it("say what does not fit, as each does by itself", async () => {
    const policies = pilots();
    const together = new CompiledPolicies(compileWith("on"), policies);
    await expect(together.act(frames[0]!, [[], []])).rejects.toMatchObject({
      code: "memory-mismatch",
    });
    together.dispose();
    for (const policy of policies) policy.dispose();
  });
});
