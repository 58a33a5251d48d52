import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectDataset } from "../../src/cli/inspect-dataset.ts";
import { bestEpisodes } from "../../src/datasets/best-episodes.ts";
import { MomentSum } from "../../src/datasets/moments.ts";
import { flightStatistics } from "../../src/datasets/statistics.ts";
import { type FlightFiles, makeFlightFiles, withFlights } from "./flight-files.ts";

let files: FlightFiles;
beforeAll(async () => {
  files = await makeFlightFiles();
});
afterAll(() => files.remove());

const close = (got: Iterable<number>, expected: readonly number[]) => {
  for (const [i, value] of [...got].entries()) {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-9 * (1 + Math.abs(expected[i]!)));
  }
};

describe("Statistics", () => {
  it("are NumPy's, in double precision, in one pass", () =>
    withFlights(files.path("d4rl-long.hdf5"), (flights) => {
      const numpy = JSON.parse(readFileSync(files.path("stats.json"), "utf8"));
      const { groups, actions, rewards, returns, steps } = flightStatistics(flights);
      expect(steps).toBe(numpy.steps);
      close(groups.policy!.mean, numpy.obs_mean);
      close(groups.policy!.std, numpy.obs_std);
      close(actions.std, numpy.action_std);
      close(actions.min, numpy.action_min);
      close(rewards!.mean, [numpy.reward_mean]);
      close(rewards!.std, [numpy.reward_std]);
      close([returns!.mean, returns!.meanDiscounted], [numpy.mean_return, numpy.mean_discounted]);
      close(
        [returns!.largestDiscounted, returns!.smallestDiscounted],
        [numpy.largest, numpy.smallest],
      );
    }));

  it("keep a small spread beside a large mean, in any pieces", () => {
    const values = Float64Array.from({ length: 3000 }, (_, i) => 1e9 + Math.sin(i));
    const whole = new MomentSum(1);
    whole.add(values, 3000);
    const pieces = new MomentSum(1);
    for (let at = 0; at < 3000; at += 7)
      pieces.add(values.subarray(at, at + 7), Math.min(7, 3000 - at));
    expect(whole.done().std[0]).toBeCloseTo(Math.SQRT1_2, 3);
    expect(pieces.done().std[0]).toBeCloseTo(whole.done().std[0]!, 6);
    expect(new MomentSum(2).done().mean[0]).toBeNaN();
  });

  it("are those of the chosen episodes, observations and discount", () =>
    withFlights(files.path("plain"), (flights) => {
      const { groups, rewards, returns } = flightStatistics(flights, {
        episodes: [1],
        discount: 0.5,
      });
      close(groups.policy!.mean, [1003, 1003.125, 1003.25]);
      close(rewards!.mean, [4]);
      expect(returns).toMatchObject({ mean: 28, best: 28, worst: 28 });
      close([returns!.meanDiscounted], [1 + 2 / 2 + 3 / 4 + 4 / 8 + 5 / 16 + 6 / 32 + 7 / 64]);
      expect(returns!.largestDiscounted).toBeCloseTo(5 + 6 / 2 + 7 / 4, 9);
    }));
});

describe("The best episodes", () => {
  it("are those with the highest discounted returns, in the file's order", () =>
    withFlights(files.path("d4rl-long.hdf5"), (flights) => {
      const numpy = JSON.parse(readFileSync(files.path("stats.json"), "utf8"));
      expect([...bestEpisodes(flights, 0.1, { discount: 0.99 })]).toEqual(numpy.best_tenth);
    }));

  it("are at least one, and all of them where all are wanted", () =>
    withFlights(files.path("d4rl.hdf5"), (flights) => {
      expect([...bestEpisodes(flights, 0.01)]).toEqual([1]);
      expect([...bestEpisodes(flights, 1)]).toEqual([0, 1, 2]);
      expect(() => bestEpisodes(flights, 0)).toThrow(/A share of 0/);
    }));
});

describe("inspect", () => {
  it("shows what a person wants to know", async () => {
    const text = await inspectDataset(files.path("d4rl.hdf5"));
    expect(text).toContain("D4RL layout");
    expect(text).toMatch(/episodes +3, 16 steps/);
    expect(text).toMatch(/returns +mean 17.67, best 28, worst 10/);
    expect(text).toMatch(/ends +33.3 % deaths, 33.3 % time-outs, 33.3 % unfinished/);
    expect(text).toMatch(/successors +the next observation; 2 steps have none/);
    expect(text).toMatch(/notes +teacher_actions \[2\]/);
  });

  it("counts what is not finite instead of refusing it, and says where", async () => {
    const text = await inspectDataset(files.path("nan-observation.hdf5"));
    expect(text).toMatch(
      /NOT FINITE +obs\/policy: 1 rows, the first in episode 1, step 2, component 1/,
    );
  });

  it("has the same as JSON", async () => {
    const json = JSON.parse(await inspectDataset(files.path("plain"), { json: true }));
    expect(json).toMatchObject({
      layout: "minari",
      episodes: 3,
      steps: 16,
      returns: { most: 28, least: 10 },
      withoutSuccessor: 0,
      groups: { policy: { width: 3 } },
    });
    expect(json.actions.mean).toHaveLength(2);
  });
});
