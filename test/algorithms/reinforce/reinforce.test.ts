import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReinforce } from "../../../src/algorithms/reinforce/learner.ts";
import { reinforceSettings } from "../../../src/algorithms/reinforce/settings.ts";
import { openFlights } from "../../../src/datasets/open-flights.ts";
import { withRewardsToGo } from "../../../src/datasets/rewards-to-go.ts";
import { learnerLaws } from "../../learning/learner-laws.ts";
import { synthesise, trainHere } from "../offline/offline-run.ts";
import { flights, site, stage } from "../offline-laws.ts";

const make = (changes: object = {}, at = site) =>
  createReinforce(reinforceSettings.parse({ actor_hidden_dims: [12], ...changes }), at);

learnerLaws("REINFORCE", {
  make: (kind) => make({}, kind === "fresh" ? { ...site, seed: 99 } : site),
  experience: (steps) => flights(steps, 16),
  ...{ stage, ownsPolicies: true },
});

describe("REINFORCE on recorded flights", () => {
  const work = mkdtempSync(join(tmpdir(), "firstsolo-reinforce-"));
  const data = join(work, "flights.hdf5");
  beforeAll(() => synthesise(data, { episodes: 3, actionStd: 0.5 }));
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("is given what an episode brought from each step on, whichever part of it is read", async () => {
    const opened = await openFlights(data);
    const [single, sums, part] = [50, 50, 7].map((count) => new Float32Array(count)) as [
      ...[Float32Array, Float32Array, Float32Array],
    ];
    opened.read("rewards", { episode: 1, from: 0, count: 50 }, single, 0);
    const summed = withRewardsToGo(opened, 0.9);
    summed.read("rewards", { episode: 1, from: 0, count: 50 }, sums, 0);
    summed.read("rewards", { episode: 1, from: 20, count: 5 }, part, 2);
    expect(sums[49]).toBe(single[49]);
    for (let i = 0; i < 49; i += 1) {
      expect(sums[i]).toBeCloseTo(single[i]! + 0.9 * sums[i + 1]!, 4);
    }
    expect([...part]).toEqual([0, 0, ...sums.slice(20, 25)]);
    opened.close();
  });

  it("wants sums at its discount, and a run of it learns from them", async () => {
    const learner = make({ discount: 0.5 });
    expect(learner.needs.rewardsToGo).toBe(0.5);
    learner.dispose();
    const mean = async (discount: number) => {
      const { exitCode, rows } = await trainHere(join(work, "logs"), [
        ...["algorithm.class_name=reinforce", `dataset=${data}`, "algorithm.batch_size=64"],
        ...["algorithm.actor_hidden_dims=[8]", `algorithm.discount=${discount}`],
        ...["updates_per_iteration=2", "max_iterations=1"],
      ]);
      expect(exitCode).toBe(0);
      return Math.abs(rows[0]!["Value/return_mean"]!);
    };
    // Rewards are of size 5 and mean 0: of many steps the sums are larger than of one.
    expect(await mean(1)).toBeGreaterThan(2 * (await mean(0)));
  });

  it("goes where returns were high, and away from where they were low without an end", async () => {
    const learner = make({ learning_rate: 3e-3 });
    const [steps, rows] = [30, 32];
    const given = flights(steps, rows);
    const rewards = Float32Array.from({ length: steps * rows }, (_, i) => {
      return given.arrays.actions![3 * i]! > 2 ? 1 : -1;
    });
    const experience = { steps, numEnvs: rows, arrays: { ...given.arrays, rewards } };
    const first = await learner.update(experience, stage);
    for (let i = 0; i < 3; i += 1) await learner.update(experience, stage);
    const last = await learner.update(experience, stage);
    expect(last["Loss/actor"]).toBeLessThan(first["Loss/actor"]! - 0.1);
    const observations = { policy: new Float32Array(3), wind: new Float32Array(2) };
    const frame = { observations, started: new Uint8Array(1) };
    const { actions } = await learner.policies.student!.act(frame, []);
    expect(actions[0]).toBeGreaterThan(2.5);
    learner.dispose();
  });
});
