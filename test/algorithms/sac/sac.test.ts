import { describe, expect, it } from "vitest";
import { sac } from "../../../src/algorithms/sac/algorithm.ts";
import { createSac } from "../../../src/algorithms/sac/learner.ts";
import { sacSettings } from "../../../src/algorithms/sac/settings.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { learnerLaws } from "../../learning/learner-laws.ts";
import { flights, site, stage } from "../offline-laws.ts";

const small = { actor_hidden_dims: [12], critic_hidden_dims: [12] };
const make = (changes: object = {}, at = site) =>
  createSac(sacSettings.parse({ ...small, ...changes }), at);

learnerLaws("SAC", {
  make: (kind) => make({}, kind === "fresh" ? { ...site, seed: 99 } : site),
  experience: (steps) => flights(steps, 16),
  ...{ stage, ownsPolicies: true },
});

describe("SAC on recorded flights", () => {
  it("says that it is a negative baseline, and what to take instead", () => {
    const given = { overrides: ["algorithm.class_name=sac", "dataset=x.hdf5"] };
    const said = resolveConfig(given).notices.join("\n");
    expect(said).toMatch(/negative baseline.*expected to fail.*rebrac/);
    expect(sac.summary).toMatch(/negative baseline/);
  });

  it("weighs entropy by what it learns: less where the policy is freer than wanted", async () => {
    const weight = async (target_entropy: number) => {
      const learner = make({ target_entropy, actor_learning_rate: 1e-2 });
      const metrics = await learner.update(flights(20, 16), stage);
      learner.dispose();
      return metrics["Policy/alpha"]!;
    };
    expect(await weight(-30)).toBeLessThan(0.95);
    expect(await weight(30)).toBeGreaterThan(1.05);
  });
});
