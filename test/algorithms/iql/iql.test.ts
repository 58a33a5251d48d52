import { describe, expect, it } from "vitest";
import { createIql } from "../../../src/algorithms/iql/learner.ts";
import { iqlParity } from "../../../src/algorithms/iql/parity.ts";
import { iqlSettings } from "../../../src/algorithms/iql/settings.ts";
import { flights, offlineLaws, site, stage } from "../offline-laws.ts";
import { offlineParity } from "../offline-parity.ts";

const small = { actor_hidden_dims: [16, 16], critic_hidden_dims: [16, 16] };
const make = (changes: object = {}, at = site) =>
  createIql(iqlSettings.parse({ ...small, ...changes }), at);

offlineLaws("IQL", { make: (at) => make({}, at), bootstraps: true, variant: true });
offlineLaws("deterministic IQL with LayerNorm", {
  make: (at) => make({ iql_deterministic: true, layer_norm: true }, at),
  ...{ bootstraps: true, variant: true },
});

offlineParity(iqlParity, {
  files: ["iql", "iql-fast-deterministic"],
  others: [
    ["iql-fast-deterministic", "iql_tau", "0.8"],
    ["iql", "beta", "3.3"],
    ["iql-fast-deterministic", "discount", "0.98"],
    ["iql-fast-deterministic", "tau", "0.06"],
    ["iql-fast-deterministic", "max_steps", "30"],
    ["iql-fast-deterministic", "vf_lr", "4e-3"],
  ],
});

describe("IQL", () => {
  it("lets the actor's step size fall with the run where no number of updates is set", async () => {
    const learner = make();
    const rate = async (progress: number) => {
      const metrics = await learner.update(flights(1, 16), { ...stage, progress });
      return metrics["Loss/actor_learning_rate"];
    };
    expect(await rate(0)).toBeCloseTo(3e-4, 9);
    expect(await rate(0.5)).toBeCloseTo(1.5e-4, 9);
    expect(await rate(1)).toBeCloseTo(0, 9);
    learner.dispose();
  });

  it("lets that rise again behind the updates it was to fall in, as torch's schedule does", async () => {
    const learner = make({ max_steps: 3, actor_learning_rate: 0.01 });
    const rates = [];
    for (let k = 1; k <= 7; k += 1) {
      const metrics = await learner.update(flights(1, 16), stage);
      rates.push(Number(metrics["Loss/actor_learning_rate"]!.toFixed(9)));
    }
    expect(rates).toEqual([0.01, 0.0075, 0.0025, 0, 0.0025, 0.0075, 0.01]);
    learner.dispose();
  });
});
