import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMlp } from "../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { Normaliser } from "../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import { Random } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";
import { startEngine } from "../../src/engine/start.ts";

let random = new Random(1);

beforeAll(() => startEngine("auto"));
beforeEach(() => {
  random = new Random(1);
});

/** Its actions are its observations. */
function mirror(reads: readonly string[], width: number): NetworkPolicy {
  const identity = Float32Array.from({ length: width * width }, (_, i) => +(i % (width + 1) === 0));
  const weights = {
    "mlp.0.weight": { shape: [width, width], data: identity },
    "mlp.0.bias": { shape: [width], data: new Float32Array(width) },
  };
  const sizes = { inputWidth: width, outputWidth: width, hidden: [], activation: "identity" };
  return new NetworkPolicy({ network: createMlp({ ...sizes, weights }), reads });
}

function recurrent(type: "gru" | "lstm"): NetworkPolicy {
  const network = createRecurrent({
    inputWidth: 3,
    outputWidth: 2,
    hidden: [5],
    activation: "elu",
    random: random.uniform,
    rnn: { type, width: 4, layers: 2 },
  });
  return new NetworkPolicy({ network, reads: ["policy"], normaliser: new Normaliser(3) });
}

const noise = (length: number) => Float32Array.from({ length }, random.normal);
const frameOf = (rows: number, started: readonly number[] = []): Frame => ({
  observations: { policy: noise(3 * rows) },
  started: Uint8Array.from({ length: rows }, (_, row) => started[row] ?? 0),
});

describe("observations", () => {
  it("of several groups stand side by side, in the order the policy reads them", async () => {
    const policy = mirror(["b", "a"], 3);
    const observations = {
      a: Float32Array.of(1, 2),
      b: Float32Array.of(10, 11, 20, 21),
      c: noise(9),
    };
    const { actions } = await policy.act({ observations, started: new Uint8Array(2) }, []);
    expect(Array.from(actions)).toEqual([10, 11, 1, 20, 21, 2]);
  });

  it("are not written to", async () => {
    const frame = frameOf(4, [1, 1, 1, 1]);
    const before = Array.from(frame.observations.policy ?? []);
    await recurrent("gru").act(frame, recurrent("gru").initialMemory(4));
    expect(Array.from(frame.observations.policy ?? [])).toEqual(before);
  });

  it("may be changed by their giver after the step", async () => {
    const policy = mirror(["policy"], 3);
    const frame = frameOf(2);
    const before = Array.from(frame.observations.policy ?? []);
    const flight = policy.act(frame, []);
    frame.observations.policy?.fill(0);
    expect(Array.from((await flight).actions)).toEqual(before);
  });

  it("without the group that is read are refused, naming those that are there", async () => {
    const attempt = mirror(["teacher"], 3).act(frameOf(2), []);
    await expect(attempt).rejects.toMatchObject({
      code: "missing-group",
      message: expect.stringMatching(/"teacher".*policy/),
    });
  });

  it.each(["__proto__", "toString"])("of the group %s are refused", async (group) => {
    const attempt = mirror([group], 3).act(frameOf(2), []);
    await expect(attempt).rejects.toMatchObject({ code: "missing-group" });
  });

  it("of another width are refused, naming group and widths", async () => {
    const attempt = mirror(["policy"], 5).act(frameOf(2), []);
    await expect(attempt).rejects.toMatchObject({
      code: "observation-width",
      message: expect.stringMatching(/policy: 3.*width 5/),
    });
  });
});

describe.each(["gru", "lstm"] as const)("memory of a %s", (type) => {
  it("starts as zeros, one array per state", () => {
    const memory = recurrent(type).initialMemory(3);
    expect(memory).toHaveLength(type === "gru" ? 2 : 4);
    for (const state of memory) expect(state).toEqual(new Float32Array(12));
  });

  it("is forgotten where an episode starts, and only there", async () => {
    const policy = recurrent(type);
    const { memory } = await policy.act(frameOf(3), policy.initialMemory(3));
    const frame = frameOf(3, [0, 1, 0]);
    const kept = memory.map((state) => state.slice());
    const flown = await policy.act(frame, memory);
    const going = await policy.act({ ...frame, started: new Uint8Array(3) }, memory);
    const fresh = await policy.act(frame, policy.initialMemory(3));
    const row = (actions: Float32Array, i: number) =>
      Array.from(actions.subarray(2 * i, 2 * i + 2));
    expect(row(flown.actions, 0)).toEqual(row(going.actions, 0));
    expect(row(flown.actions, 1)).toEqual(row(fresh.actions, 1));
    expect(row(flown.actions, 2)).toEqual(row(going.actions, 2));
    expect(row(going.actions, 1)).not.toEqual(row(fresh.actions, 1));
    expect(memory).toEqual(kept);
  });

  it("of another shape is refused", async () => {
    const policy = recurrent(type);
    const attempt = policy.act(frameOf(3), policy.initialMemory(2));
    await expect(attempt).rejects.toMatchObject({ code: "memory-mismatch" });
    await expect(policy.act(frameOf(3), [])).rejects.toMatchObject({ code: "memory-mismatch" });
  });
});

describe("act", () => {
  it("gives the same bits for the same frame and memory", async () => {
    const policy = recurrent("lstm");
    const frame = frameOf(50);
    const memory = policy.initialMemory(50).map((state) => noise(state.length));
    const first = await policy.act(frame, memory);
    for (let i = 0; i < 5; i++) expect(await policy.act(frame, memory)).toEqual(first);
  });

  it("leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    const policy = recurrent("gru");
    let memory = policy.initialMemory(3);
    ({ memory } = await policy.act(frameOf(3), memory));
    const flying = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) ({ memory } = await policy.act(frameOf(3, [i % 2]), memory));
    expect(tf.memory().numTensors).toBe(flying);
    policy.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("sees through the normaliser as it is now", async () => {
    const network = mirror(["policy"], 3).network;
    const normaliser = new Normaliser(3);
    const policy = new NetworkPolicy({ network, normaliser, reads: ["policy"] });
    const frame = {
      observations: { policy: Float32Array.of(1, 2, 3) },
      started: new Uint8Array(1),
    };
    const before = await policy.act(frame, []);
    normaliser.update(Float32Array.of(1, 2, 3));
    const after = await policy.act(frame, []);
    expect(before.actions[2]).toBeCloseTo(3 / 1.01);
    expect(Array.from(after.actions)).toEqual([0, 0, 0]);
    policy.dispose();
  });
});

it("a normaliser of another width than the network's is refused", () => {
  const { network } = mirror(["policy"], 3);
  const make = () => new NetworkPolicy({ network, normaliser: new Normaliser(4), reads: [] });
  expect(make).toThrow(expect.objectContaining({ code: "normaliser-width" }));
});
