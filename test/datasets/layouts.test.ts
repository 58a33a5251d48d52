import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordedFlights } from "../../src/datasets/recorded-flights.ts";
import { Transitions } from "../../src/datasets/transitions.ts";
import { type FlightFiles, makeFlightFiles, rowsOf, withFlights } from "./flight-files.ts";

let files: FlightFiles;
beforeAll(async () => {
  files = await makeFlightFiles();
});
afterAll(() => files.remove());

/** What make_flights.py puts at a step. */
const observation = (episode: number, step: number, width = 3) =>
  Array.from({ length: width }, (_, c) => 1000 * episode + step + c / 8);

/** Draws so many that each step comes, and gives one of each by its first component. */
function drawAll(
  flights: RecordedFlights,
  needs: Partial<ConstructorParameters<typeof Transitions>[1]> = {},
) {
  const wanted = { groups: ["policy"], successors: ["policy"], notes: [], ...needs };
  const transitions = new Transitions(flights, wanted, { batch: 500, seed: 3 });
  const { arrays } = transitions.draw(1);
  const found = new Map<number, Record<string, readonly number[]>>();
  for (let row = 0; row < 500; row += 1) {
    const pick = Object.entries(arrays).map(([name, values]) => {
      const width = values.length / 500;
      return [name, [...values.subarray(row * width, (row + 1) * width)]] as const;
    });
    const step = Object.fromEntries(pick);
    found.set(step["obs/policy"]![0]!, step);
  }
  return { found, facts: transitions.facts };
}

describe("flights in the layout of D4RL", () => {
  it("are episodes by terminals and time-outs, apart", () =>
    withFlights(files.path("d4rl.hdf5"), ({ layout, episodes, steps, spec }) => {
      expect(layout).toBe("d4rl");
      expect(steps).toBe(16);
      expect([...episodes.lengths]).toEqual([5, 7, 4]);
      expect(episodes.endings).toEqual(["terminated", "truncated", "unfinished"]);
      expect([...episodes.returns]).toEqual([15, 28, 10]);
      expect(spec.groups).toEqual({ policy: { width: 3, kept: "float32" } });
      expect(spec.notes).toEqual({ teacher_actions: { width: 2, kept: "float32" } });
    }));

  it("give every step the observation that followed it, and none the next episode's", () =>
    withFlights(files.path("d4rl.hdf5"), (flights) => {
      const { found, facts } = drawAll(flights);
      expect(facts).toMatchObject({ drawable: 14, leftOut: 2, repeated: 1 });
      expect(found.size).toBe(14);
      // The clock cut episode 1 at its step 6, the file's end episode 2 at its step 3.
      expect(found.has(1006)).toBe(false);
      expect(found.has(2003)).toBe(false);
      for (const [key, step] of found) {
        const [episode, t] = [Math.floor(key / 1000), key % 1000];
        const death = episode === 0 && t === 4;
        expect(step["next/policy"]).toEqual(observation(episode, death ? t : t + 1));
        expect(step.terminated).toEqual([death ? 1 : 0]);
        expect(step.truncated).toEqual([0]);
        expect(step.rewards).toEqual([1 + t]);
        expect(step.actions).toEqual(observation(episode, t, 2).map((x) => -x));
      }
    }));

  it("leave no step out for a learner that needs no successors", () =>
    withFlights(files.path("d4rl.hdf5"), (flights) => {
      const { found, facts } = drawAll(flights, { successors: [], notes: ["teacher_actions"] });
      expect(facts).toMatchObject({ drawable: 16, leftOut: 0, repeated: 0 });
      expect(found.get(1006)?.truncated).toEqual([1]);
      expect(found.get(1006)).not.toHaveProperty("next/policy");
      expect(found.get(2003)?.["notes/teacher_actions"]).toEqual([4006, 4006.25]);
    }));

  it("use next_observations where they are recorded, compressed and in double precision", () =>
    withFlights(files.path("d4rl-next.hdf5"), (flights) => {
      const { found, facts } = drawAll(flights);
      expect(facts).toMatchObject({ drawable: 16, leftOut: 0, repeated: 0 });
      expect(found.get(1006)?.["next/policy"]).toEqual(observation(1, 7));
      expect(found.get(1006)?.truncated).toEqual([1]);
      expect(found.get(4)?.["next/policy"]).toEqual(observation(0, 5));
    }));

  it("find the time-outs that nobody recorded, by successors that are not the next row", () =>
    withFlights(files.path("d4rl-big-endian.hdf5"), (flights) => {
      expect([...flights.episodes.lengths]).toEqual([5, 7, 4]);
      expect(flights.episodes.endings).toEqual(["terminated", "truncated", "unfinished"]);
      expect(flights.remarks.join()).toContain("no timeouts");
      expect(drawAll(flights).found.get(1006)?.truncated).toEqual([1]);
    }));

  it("say so where time-outs can't be known", () =>
    withFlights(files.path("d4rl-no-timeouts.hdf5"), ({ remarks, episodes }) => {
      expect(episodes.endings).toEqual(["terminated", "unfinished"]);
      expect(remarks.join()).toContain("can't be told");
    }));

  it("may be half precision, or a tree with images as bytes", async () => {
    await withFlights(files.path("d4rl-half.hdf5"), (flights) => {
      const rows = rowsOf(flights, "obs/policy", { episode: 0, count: 5, width: 3 });
      expect(rows).toEqual([0, 1, 2, 3, 4].map((step) => observation(0, step)));
    });
    await withFlights(files.path("d4rl-tree.hdf5"), (flights) => {
      expect(flights.spec.groups["camera/rgb"]).toMatchObject({ width: 12, kept: "uint8" });
      const { found } = drawAll(flights, { groups: ["policy", "camera/rgb"] });
      expect(found.get(1)?.["obs/camera/rgb"]?.slice(0, 3)).toEqual([12, 13, 14]);
    });
  });

  it("give the next step's action where a learner asks for it", () =>
    withFlights(files.path("d4rl-next.hdf5"), (flights) => {
      const { found, facts } = drawAll(flights, { notes: ["next_actions"] });
      // Nobody knows what would have been done after the clock, or the file's end; after a death it's masked.
      expect(facts).toMatchObject({ drawable: 14, leftOut: 2 });
      expect(found.get(1005)?.["notes/next_actions"]).toEqual([-1006, -1006.125]);
      expect(found.get(4)?.["notes/next_actions"]).toEqual([-4, -4.125]);
    }));

  it("may be one single episode", () =>
    withFlights(files.path("d4rl-one.hdf5"), (flights) => {
      expect([...flights.episodes.lengths]).toEqual([3]);
      expect(drawAll(flights).found.size).toBe(2);
    }));
});

describe("flights that Minari wrote", () => {
  it.each(["plain", "plain/data", "plain/data/main_data.hdf5"])("are read as %s", (path) =>
    withFlights(files.path(path), (flights) => {
      expect(flights.layout).toBe("minari");
      expect([...flights.episodes.lengths]).toEqual([5, 7, 4]);
      expect(flights.episodes.endings).toEqual(["terminated", "truncated", "unfinished"]);
      expect([...flights.episodes.returns]).toEqual([15, 28, 10]);
      expect(flights.spec.action).toMatchObject({ low: [-2, -2], high: [1, Infinity] });
      expect(Object.keys(flights.spec.notes)).toEqual(["deep/driver", "teacher_actions"]);
    }),
  );

  it("have a successor at every step, also at the last", () =>
    withFlights(files.path("plain"), (flights) => {
      const { found, facts } = drawAll(flights);
      expect(facts).toMatchObject({ drawable: 16, leftOut: 0, repeated: 0 });
      for (const [key, step] of found) {
        const [episode, t] = [Math.floor(key / 1000), key % 1000];
        expect(step["next/policy"]).toEqual(observation(episode, t + 1));
      }
      expect(found.get(1006)).toMatchObject({ terminated: [0], truncated: [1] });
      expect(found.get(4)).toMatchObject({ terminated: [1], truncated: [0] });
      expect(found.get(2003)).toMatchObject({ terminated: [0], truncated: [0] });
    }));

  it("have a group for each array of a tree, and groups made of several", async () => {
    await withFlights(files.path("tree"), ({ spec }) => {
      expect(Object.keys(spec.groups).sort()).toEqual(["inner/goal", "policy"]);
    });
    const groups = { both: ["policy", "inner/goal"] };
    await withFlights(
      files.path("tree"),
      (flights) => {
        expect(flights.spec.groups.both?.width).toBe(6);
        const { found } = drawAll(flights, { groups: ["policy", "both"], successors: ["both"] });
        const goal = observation(1, 2).map((x) => x + 0.5);
        expect(found.get(1002)?.["obs/both"]).toEqual([...observation(1, 2), ...goal]);
        expect(found.get(1006)?.["next/both"]?.slice(0, 3)).toEqual(observation(1, 7));
      },
      { groups },
    );
  });
});

describe("flights in the layout of robomimic and Isaac Lab", () => {
  it("are demonstrations by number, with a group for each observation", () =>
    withFlights(files.path("robomimic.hdf5"), (flights) => {
      expect(flights.layout).toBe("robomimic");
      expect([...flights.episodes.lengths]).toEqual([5, 7]);
      expect(flights.spec.groups).toMatchObject({ policy: { width: 3 }, eef_pos: { width: 1 } });
      expect(Object.keys(flights.spec.notes)).toEqual(["states/robot/joint_pos"]);
      const { found } = drawAll(flights, { notes: ["states/robot/joint_pos"] });
      expect(found.get(1003)?.["notes/states/robot/joint_pos"]?.[0]).toBe(3009);
    }));

  it.each([
    ["robomimic.hdf5", ["terminated", "terminated"]],
    ["robomimic-truncated.hdf5", ["terminated", "truncated"]],
    ["robomimic-failed.hdf5", ["terminated", "truncated"]],
    ["robomimic-horizon.hdf5", ["terminated", "truncated"]],
    ["robomimic-bare.hdf5", ["unfinished", "unfinished"]],
  ] as const)("in %s end as %j", (name, endings) =>
    withFlights(files.path(name), (flights) => {
      expect(flights.episodes.endings).toEqual(endings);
      if (!flights.spec.hasRewards) return;
      const { found } = drawAll(flights, { successors: [] });
      const last = found.get(1006)!;
      expect(last.terminated).toEqual([endings[1] === "terminated" ? 1 : 0]);
      expect(last.truncated).toEqual([endings[1] === "truncated" ? 1 : 0]);
    }),
  );

  it("have the recorded successor where there is one", () =>
    withFlights(files.path("robomimic-next.hdf5"), (flights) => {
      const { found } = drawAll(flights, { successors: ["policy", "eef_pos"] });
      expect(found.get(1006)?.["next/policy"]).toEqual(observation(1, 7));
      expect(found.get(1006)?.["next/eef_pos"]).toEqual([10_070]);
    }));

  it("serve imitation without rewards, and nobody else", () =>
    withFlights(files.path("robomimic-bare.hdf5"), (flights) => {
      expect(drawAll(flights, { successors: [] }).found.get(4)).not.toHaveProperty("rewards");
      expect(() => drawAll(flights)).toThrow(/no rewards/);
    }));
});

it("A layout may be forced", async () => {
  const wrong = withFlights(files.path("plain"), () => undefined, { layout: "d4rl" });
  await expect(wrong).rejects.toMatchObject({
    code: "missing-array",
    message: expect.stringContaining("has no actions; at the top: episode_0, episode_1, episode_2"),
  });
});
