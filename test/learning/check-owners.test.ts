import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/start.ts";
import { type Claims, checkOwners } from "../../src/learning/check-owners.ts";
import { Owner } from "../../src/learning/owner.ts";
import type { Update } from "../../src/learning/owners.ts";
import { group } from "./tiny-learner.ts";

beforeAll(() => startEngine("auto"));

const groups = () => [
  group("critic", "critic", [1, 2]),
  group("actor", "actor", [3]),
  group("critic_target", "ema", [1, 2]),
  group("encoder", "frozen", [4]),
];
const criticUpdate: Update = {
  name: "critic",
  owner: "critic",
  terms: ["critic"],
  claims: { critic: "step", actor: "zero" },
};
const actorUpdate: Update = {
  name: "actor",
  owner: "actor",
  terms: ["actor", "bc"],
  claims: { critic: "pass", actor: "step" },
};
const sound = (): Claims => ({
  groups: groups(),
  updates: [criticUpdate, actorUpdate],
  losses: ["critic", "actor", "bc"],
});
const changed = (changes: Partial<Claims>): Claims => ({ ...sound(), ...changes });

describe("before the first step", () => {
  it("nothing is said against claims that hold together", () => {
    expect(() => checkOwners(sound())).not.toThrow();
    expect(() => checkOwners(sound(), ["offline"])).not.toThrow();
  });

  it.each<[string, string, () => Claims, RegExp]>([
    [
      "a trainable group that no update steps",
      "orphan",
      () => changed({ updates: [{ ...criticUpdate }] }),
      /'actor'/,
    ],
    [
      "a step of another owner's group",
      "leak",
      () =>
        changed({
          updates: [{ ...criticUpdate, claims: { critic: "step", actor: "step" } }, actorUpdate],
        }),
      /'actor', which is 'actor'/,
    ],
    [
      "a step of an EMA copy",
      "leak",
      () =>
        changed({
          updates: [
            { ...criticUpdate, claims: { ...criticUpdate.claims, critic_target: "step" } },
            actorUpdate,
          ],
        }),
      /'critic_target', which is 'ema'/,
    ],
    [
      "a group of the stepping owner said not to move",
      "leak",
      () =>
        changed({
          groups: [...groups(), group("head", "critic", [5])],
          updates: [
            { ...criticUpdate, claims: { ...criticUpdate.claims, head: "pass" } },
            { ...actorUpdate, claims: { ...actorUpdate.claims, head: "zero" } },
          ],
        }),
      /steps all of its groups/,
    ],
    [
      "an update that steps nothing",
      "starved",
      () =>
        changed({
          updates: [
            { ...criticUpdate, owner: "planner", claims: { critic: "zero", actor: "zero" } },
            actorUpdate,
          ],
        }),
      /steps? no group/,
    ],
    [
      "a claim that is missing",
      "bad-claims",
      () => changed({ updates: [{ ...criticUpdate, claims: { critic: "step" } }, actorUpdate] }),
      /nothing of the group 'actor'/,
    ],
    [
      "a claim of nobody",
      "bad-claims",
      () =>
        changed({
          updates: [
            { ...criticUpdate, claims: { ...criticUpdate.claims, critc: "zero" } },
            actorUpdate,
          ],
        }),
      /'critc'/,
    ],
    [
      "a term that is no loss",
      "bad-claims",
      () => changed({ updates: [{ ...criticUpdate, terms: ["critics"] }, actorUpdate] }),
      /'critics'; losses are critic, actor, bc/,
    ],
    [
      "an update without terms",
      "bad-claims",
      () => changed({ updates: [{ ...criticUpdate, terms: [] }, actorUpdate] }),
      /terms \[\]/,
    ],
  ])("%s is an error: %s", (_, code, claims, message) => {
    const refused = expect(() => checkOwners(claims()));
    refused.toThrow(message);
    expect(() => checkOwners(claims())).toThrow(expect.objectContaining({ code }));
  });

  it("a parameter in two groups is a leak", () => {
    const [critic, ...rest] = groups();
    const twin = { ...critic!, name: "twin", owner: "ema" };
    expect(() => checkOwners(changed({ groups: [critic!, twin, ...rest] }))).toThrow(
      /leak: the parameter 'critic.weight' belongs to the groups 'critic' and 'twin'/,
    );
  });

  it("a group stepped only in stages that the plan lacks is an orphan", () => {
    const late = { ...actorUpdate, stages: ["joint"] };
    const claims = changed({ updates: [criticUpdate, late] });
    expect(() => checkOwners(claims, ["warm-up", "joint"])).not.toThrow();
    expect(() => checkOwners(claims, ["warm-up"])).toThrow(
      /orphan: no update steps the group 'actor' in the stages warm-up/,
    );
  });
});

describe("an owner", () => {
  it("that no group names is starved", () => {
    expect(() => new Owner("planner", groups(), { learningRate: 1 })).toThrow(
      expect.objectContaining({ code: "starved" }),
    );
  });
});
