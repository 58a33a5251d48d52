import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { BeliefConfig } from "../../policies/beliefs/belief.ts";
import { GruBelief } from "../../policies/beliefs/gru-belief.ts";
import { codesOf } from "../../policies/beliefs/turn-codes.ts";
import { UserBelief } from "../../policies/beliefs/user-belief.ts";
import { createTurnNetwork } from "../../policies/networks/turn-network.ts";
import type { Policy } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import { createRanker } from "../../policies/rankers/create-ranker.ts";
import { RankedPolicy } from "../../policies/rankers/ranked-policy.ts";
import { startEngine } from "../../src/engine/start.ts";

beforeAll(async () => {
  await startEngine("auto");
});

const config: BeliefConfig = {
  ...{ belief: "gru", stateWidth: 5, observationWidth: 6, turns: 4, hidden: 7 },
};
const random = new Random(2);
const itemData = Float32Array.from({ length: 9 * 2 }, random.normal);

function networkOf(seed = 3) {
  const items = tf.tidy(() => tf.variable(tf.tensor2d(itemData.slice(), [9, 2]), false));
  const draw = new Random(seed);
  const made = { turns: 4, slots: 3, hidden: 7, stateWidth: 5, items, random: draw.uniform };
  return createTurnNetwork(made);
}

/** `[rows, 6]`: three different items and clicks. */
function seen(rows: number, at: number): Float32Array {
  const draw = new Random(100 + at);
  return Float32Array.from({ length: rows * 6 }, (_, i) => {
    const slot = i % 6;
    return slot < 3 ? 3 * slot + Math.floor(3 * draw.uniform()) : Math.round(draw.uniform());
  });
}

describe("a belief over the latest turns", () => {
  it("is what its network makes of those turns, oldest first, and nothing of those before", async () => {
    const network = networkOf();
    const belief = new GruBelief(config, network);
    let memory = belief.reset(2);
    const states = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const started = Uint8Array.of(turn === 0 ? 1 : 0, turn === 0 || turn === 3 ? 1 : 0);
      const frame = { observations: { policy: seen(2, turn) }, started };
      const believed = await belief.encode(frame, memory);
      memory = believed.memory;
      states.push(believed.state);
    }
    // Row 0 saw turns 2 to 5; row 1 began at 3, whose slate was never shown.
    const row = (turn: number, which: number) => seen(2, turn).subarray(6 * which, 6 * which + 6);
    const codes = (turns: readonly number[], which: number) =>
      turns.flatMap((turn) => [...codesOf(row(turn, which), 3, () => false)]);
    const windows = [...codes([2, 3, 4, 5], 0), ...new Array(6).fill(0), ...codes([4, 5], 1)];
    const expected = tf.tidy(() =>
      network.forward(tf.tensor2d(windows, [2, 12]), []).outputs.dataSync(),
    );
    for (const [i, value] of expected.entries()) expect(states[5]![i]).toBeCloseTo(value, 6);
  });

  it("gives the same state before any turn, whatever is shown at first", async () => {
    const belief = new GruBelief(config, networkOf());
    const first = async (at: number) => {
      const frame = { observations: { policy: seen(1, at) }, started: Uint8Array.of(1) };
      return (await belief.encode(frame, belief.reset(1))).state;
    };
    expect(await first(1)).toEqual(await first(2));
  });

  it("comes back as it was saved", async () => {
    const [one, other] = [3, 4].map((seed) => new GruBelief(config, networkOf(seed)));
    other!.load(await one!.save());
    const frame = { observations: { policy: seen(3, 7) }, started: new Uint8Array(3) };
    const expected = await one!.encode(frame, one!.reset(3));
    expect(await other!.encode(frame, other!.reset(3))).toEqual(expected);
  });
});

describe("belief, agent and ranker", () => {
  const ranker = () => {
    const sizes = { items: 9, itemWidth: 2, slots: 3, latentWidth: 2, seed: 1 };
    const about = { ranker: "TopK", embeddings: "mf", task: "t", dataset: "d" } as const;
    return createRanker({ ...about, ...sizes }, itemData);
  };
  const agent = (observationWidth: number, actionWidth: number): Policy => ({
    ...{ reads: ["state"], observationWidth, actionWidth, initialMemory: () => [] },
    act: async ({ observations, started }) => {
      const state = observations.state as Float32Array;
      const rows = started.length;
      const width = state.length / rows;
      const actions = Float32Array.from({ length: rows * actionWidth }, (_, i) => {
        return state[Math.floor(i / actionWidth) * width + (i % actionWidth)]!;
      });
      return { actions, memory: [] };
    },
    dispose: () => {},
  });

  it("fly together: a user's state becomes a slate", async () => {
    const belief = new UserBelief({
      ...config,
      belief: "user",
      stateWidth: 4,
      observationWidth: 4,
    });
    const policy = new RankedPolicy({ belief, agent: agent(4, 2), ranker: ranker() });
    const frame = {
      observations: { user: Float32Array.of(1, 0, 9, 9) },
      started: Uint8Array.of(1),
    };
    const { actions } = await policy.act(frame, policy.initialMemory(1));
    const order = [...new Array(9).keys()].sort((a, b) => itemData[2 * b]! - itemData[2 * a]!);
    expect([...actions]).toEqual(order.slice(0, 3));
    expect([policy.observationWidth, policy.actionWidth]).toEqual([4, 3]);
  });

  it("are refused with both widths where they differ", () => {
    const belief = new GruBelief(config, networkOf());
    const pair = (of: Policy) => () => new RankedPolicy({ belief, agent: of, ranker: ranker() });
    expect(pair(agent(4, 2))).toThrow(/states of 5 numbers, the agent takes 4/);
    expect(pair(agent(5, 20))).toThrow(/latents of 20 numbers, the ranker TopK takes 2/);
  });
});
