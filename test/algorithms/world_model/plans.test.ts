import { describe, expect, it } from "vitest";
import {
  mainStage,
  planFacts,
  updatesOf,
  WorldModelPlan,
} from "../../../src/algorithms/world_model/plans.ts";
import { planNames, worldModelSettings } from "../../../src/algorithms/world_model/settings.ts";
import { checkOwners } from "../../../src/learning/check-owners.ts";

/** A group of no parameters: what is claimed of it is looked at. */
const group = (name: string, owner: string) => ({ name, owner, parameters: [] });

const factsOf = (said: Readonly<Record<string, unknown>>) =>
  planFacts(worldModelSettings.parse(said));

const losses = {
  env: ["loss_bis", "loss_rp", "loss_value", "loss_reward"],
  action: "loss_action",
} as const;

describe("a plan of a world model", () => {
  it("says by its name what is trained when, and by which weights", () => {
    const told = planNames.map((plan) => {
      const { warmup, envWeight, policyWeight, cut, gradientScale, separate } = factsOf({ plan });
      return [plan, warmup, envWeight, policyWeight, cut, gradientScale, separate];
    });
    expect(told).toEqual([
      ["joint", 0, 1, 1, "none", 1, false],
      ["warmup", 10, 1, 1, "none", 1, false],
      ["freeze", 10, 1, 1, "dynamics", 1, false],
      ["separate", 0, 1, 1, "representation", 1, true],
      ["weighted", 0, 1, 0.2, "none", 1, false],
      ["recommended", 10, 2, 1, "none", 1, false],
      ["gradient_scale", 0, 1, 1, "none", 0.5, false],
    ]);
  });

  it("is overruled by what is said besides", () => {
    expect(factsOf({ plan: "weighted", env_loss_weight: 5 })).toMatchObject({
      ...{ envWeight: 5, policyWeight: 1 },
    });
    expect(factsOf({ plan: "freeze", freeze: "representation" }).cut).toBe("representation");
    expect(factsOf({ plan: "recommended", warmup_epochs: 3, env_loss_weight: 4 })).toMatchObject({
      ...{ warmup: 3, envWeight: 4 },
    });
    expect(factsOf({ plan: "joint", dynamics_gradient_scale: 0 }).gradientScale).toBe(0);
  });

  it("goes from the warm-up to its main stage once, and says so", () => {
    const plan = new WorldModelPlan(factsOf({ plan: "recommended", warmup_epochs: 2 }), 5);
    const seen = Array.from({ length: 5 }, (_, iteration) => plan.at(iteration));
    expect(seen.map(({ stage }) => [stage.name, stage.index, stage.iteration])).toEqual([
      ...[
        ["warm-up", 0, 0],
        ["warm-up", 0, 1],
      ],
      ...[
        ["joint", 1, 0],
        ["joint", 1, 1],
        ["joint", 1, 2],
      ],
    ]);
    expect(seen.map(({ entered }) => entered?.why)).toEqual([
      ...[undefined, undefined, "plan", undefined, undefined],
    ]);
    expect(seen[2]!.entered!.message).toMatch(/loss_action × 1, the environment's losses × 2/);
    expect(seen[2]!.stage.settings).toEqual({ env_loss_weight: 2, policy_loss_weight: 1 });
    const again = new WorldModelPlan(factsOf({ plan: "recommended", warmup_epochs: 2 }), 5);
    again.load(plan.save());
    expect(again.at(4).entered).toBeUndefined();
  });

  it("keeps to the laws of owners, whatever is said", () => {
    for (const plan of planNames) {
      for (const freeze of [null, "dynamics", "representation"]) {
        const facts = factsOf({ plan, freeze });
        const groups = (["representation", "dynamics", "prediction", "heads"] as const).map(
          (name) => group(name, facts.separate && name === "prediction" ? "policy" : "model"),
        );
        const updates = updatesOf(facts, losses);
        const all = { groups, updates, losses: [...losses.env, losses.action] };
        expect(() => checkOwners(all, ["warm-up", mainStage(facts)])).not.toThrow();
      }
    }
  });
});

describe("an update that is a share of another", () => {
  const groups = [group("net", "net")];
  const whole = { name: "both", owner: "net", terms: ["a", "b"], claims: { net: "step" } } as const;
  const part = {
    name: "part",
    owner: "none",
    partOf: "both",
    terms: ["b"],
    claims: { net: "pass" },
  } as const;

  it("steps nothing, and adds up only what that one does", () => {
    const check = (change: object) => () =>
      checkOwners({ groups, updates: [whole, { ...part, ...change }], losses: ["a", "b", "c"] });
    expect(check({})).not.toThrow();
    expect(check({ partOf: "none" })).toThrow(/share \(b\) of 'none', but there is none/);
    expect(check({ terms: ["c"] })).toThrow(/adds up a, b/);
    expect(check({ partOf: "part" })).toThrow(/'part' is a share/);
    expect(check({ owner: "net", claims: { net: "step" } })).toThrow(/claims to step 'net'/);
  });
});
