import { describe, expect, it } from "vitest";
import type { WholeEpisodes } from "../../src/datasets/whole-episodes.ts";
import { Windows } from "../../src/datasets/windows.ts";

/** Two episodes of 4 and 3 steps: observations count up from 0 and from 100, rewards are 1, 2, 4, 8. */
const whole: WholeEpisodes = {
  ...{ width: 1, actionWidth: 1 },
  observations: Float32Array.of(0, 1, 2, 3, 4, 100, 101, 102, 103),
  actions: Float32Array.of(10, 11, 12, 13, 20, 21, 22),
  rewards: Float32Array.of(1, 2, 4, 8, 1, 2, 4),
  places: [
    { observation: 0, step: 0, steps: 4, observed: 5, terminated: true },
    { observation: 5, step: 4, steps: 3, observed: 4, terminated: false },
  ],
};

const options = {
  ...{ length: 2, history: 2, ahead: 2, discount: 0.5, seen: 1, predicted: [0], batch: 3, seed: 1 },
  padding: Float32Array.of(-1),
};

describe("windows of recorded flights", () => {
  it("lie inside one episode, with what came before and what comes after", () => {
    const windows = new Windows(whole, options);
    const { steps, numEnvs, arrays } = windows.spread(10);
    // Beginnings 0, 1, 2 of the first, 0 and 1 of the second.
    expect([steps, numEnvs, windows.count]).toEqual([1, 5, 5]);
    const rows = (name: string) => {
      const all = Array.from(arrays[`window/${name}`]!);
      return Array.from({ length: 5 }, (_, i) =>
        all.slice(i * (all.length / 5), (i + 1) * (all.length / 5)),
      );
    };
    expect(rows("observations")).toEqual([
      [-1, 0],
      [0, 1],
      [1, 2],
      [-1, 100],
      [100, 101],
    ]);
    expect(rows("predicted")[2]).toEqual([2, 3, 4]);
    expect(rows("actions")[1]).toEqual([11, 12, 13]);
    expect(rows("acted")).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 0],
      [1, 1, 1],
      [1, 1, 0],
    ]);
    expect(rows("rewards")[3]).toEqual([1, 2]);
    // A death ends what can be hoped for, the clock does not.
    expect(rows("returns")[2]).toEqual([4 + 0.5 * 8, 8, 0]);
    expect(rows("bootstrap")[2]).toEqual([0, 0, 0]);
    expect(rows("returns")[4]).toEqual([2 + 0.5 * 4, 4, 0]);
    expect(rows("bootstrap")[4]).toEqual([0.25, 0.5, 1]);
    expect(rows("later")[4]).toEqual([102, 103, 102, 103, 102, 103]);
    expect(rows("later")[0]).toEqual([1, 2, 2, 3, 3, 4]);
  });

  it("are the same for the same seed, and go on where they were", () => {
    const [a, b] = [new Windows(whole, options), new Windows(whole, options)];
    expect(b.draw(4)).toEqual(a.draw(4));
    const state = JSON.parse(JSON.stringify(a.save()));
    const next = a.draw(2);
    const c = new Windows(whole, { ...options, seed: 5 });
    c.load(state);
    expect(c.draw(2)).toEqual(next);
    expect(() => c.load({ ...state, windows: 6 })).toThrow(/among 6 windows, these flights have 5/);
  });

  it("that no episode is long enough for are refused", () => {
    expect(() => new Windows(whole, { ...options, length: 5 })).toThrow(/the longest has 4/);
  });
});
