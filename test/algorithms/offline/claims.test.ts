import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Assembled } from "../../../src/algorithms/algorithm.ts";
import type { Motion, Update } from "../../../src/learning/owners.ts";
import { synthesise, trainHere } from "./offline-run.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-offline-"));
const [sound, narrow] = [join(work, "sound.hdf5"), join(work, "narrow.hdf5")];
beforeAll(async () => {
  await synthesise(sound, { episodes: 8, actionStd: 0.5 });
  await synthesise(narrow, { episodes: 40, actionStd: 0.05 });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const tiny = [
  "algorithm.class_name=td3_bc",
  ...["algorithm.actor_hidden_dims=[16,16]", "algorithm.critic_hidden_dims=[16,16]"],
  ...["algorithm.batch_size=32", "updates_per_iteration=4", "max_iterations=2"],
  // To compile takes longer than the few updates of most of these runs.
  "compile=off",
];

const train = (overrides: readonly string[], change?: (assembled: Assembled) => Assembled) =>
  trainHere(join(work, "logs"), [...tiny, `dataset=${sound}`, ...overrides], change);

/** The same learner, which says of one update what isn't so. */
function claiming(name: string, claims: Readonly<Record<string, Motion>>) {
  return (assembled: Assembled): Assembled => {
    const { learner } = assembled;
    const claimed = (update: Update): Update =>
      update.name === name ? { ...update, claims: { ...update.claims, ...claims } } : update;
    const liar = {
      ...{ needs: learner.needs, groups: learner.groups, policies: learner.policies },
      updates: learner.updates.map(claimed),
      update: learner.update.bind(learner),
      save: () => learner.save(),
      load: learner.load.bind(learner),
      dispose: () => learner.dispose(),
    };
    return { ...assembled, learner: liar };
  };
}

function flowIn(run: string) {
  return JSON.parse(readFileSync(join(run, "gradient_flow.json"), "utf8"));
}

describe("the report of gradients at the start of a run", () => {
  it("says for each update and group what was claimed and measured, and stands in the run folder", async () => {
    const { exitCode, events, run } = await train(["checks.report_gradients=2"]);
    const flow = flowIn(run);
    const told = events.filter(({ type }) => type === "gradient-flow");
    expect([exitCode, flow.passed, told.length]).toEqual([0, true, 1]);
    expect(flow.entries).toHaveLength(8);
    expect(flow.entries[0]).toMatchObject({ update: "critic", claim: "step", measured: 2 });
    expect(String(told[0]!.table).split("\n")).toHaveLength(9);
    expect(told[0]).toMatchObject({
      iteration: 0,
      faults: 0,
      path: join(run, "gradient_flow.json"),
    });
  });

  it("is left out where nobody asks for it", async () => {
    const { events, run } = await train(["checks.report_gradients=0"]);
    expect(events.map(({ type }) => type)).not.toContain("gradient-flow");
    expect(readdirSync(run)).not.toContain("gradient_flow.json");
  });

  it("changes no weight: the figures of the next iterations are the same to the bit", async () => {
    const figures = async (measured: number) => {
      const { rows } = await train([`checks.report_gradients=${measured}`, "compile=on"]);
      return rows.map((row) => [row["Loss/critic"], row["Loss/actor"], row["Value/q_mean"]]);
    };
    expect(await figures(3)).toEqual(await figures(0));
  });

  const wrong = [
    ["leak", claiming("actor", { critic: "zero" }), [], "checks.allow_leaks=true"],
    ["starved", claiming("critic", { actor: "step" }), [], "checks.allow_starved=true"],
    ["orphan", undefined, ["algorithm.critic_learning_rate=1e-300"], "checks.allow_orphans=true"],
  ] as const;
  it.each(wrong)("ends the run at a %s, unless that is allowed", async (word, lie, more, allow) => {
    const refused = await train(more, lie);
    expect([refused.exitCode, refused.error.code]).toEqual([2, word]);
    expect(refused.error.message).toMatch(
      new RegExp(`^The gradients don't flow as claimed. ${word}: `),
    );
    expect(refused.rows).toEqual([]);
    expect(flowIn(refused.run).passed).toBe(false);
    const told = refused.events.find(({ type }) => type === "gradient-flow");
    expect(told!.message).toMatch(word);
    const allowed = await train([...more, allow], lie);
    expect([allowed.exitCode, allowed.rows.length]).toEqual([0, 2]);
    expect(flowIn(allowed.run).passed).toBe(false);
  });
});

describe("a value function on its way to infinity", () => {
  /** What makes it quick: slow copies that are not slow, and large steps. */
  const exploding = [
    ...[`dataset=${narrow}`, "algorithm.layer_norm=false", "algorithm.alpha=2.5"],
    ...["algorithm.discount=0.9", "algorithm.tau=0.5", "algorithm.policy_freq=1"],
    ...["algorithm.critic_learning_rate=0.01", "algorithm.actor_learning_rate=0.01"],
    ...["updates_per_iteration=30", "max_iterations=5", "checks.report_gradients=0"],
    "compile=on",
  ];

  it("is told, with its figures and the next move, and the run goes on", async () => {
    const { exitCode, events, rows } = await train(exploding);
    const alarm = events.find(({ type, level }) => type === "monitor" && level === "alarm");
    expect([exitCode, rows.length]).toEqual([0, 5]);
    expect(alarm).toMatchObject({ monitor: "divergence", metric: "Value/q_abs_mean" });
    expect(alarm!.message).toMatch(
      /^Value\/q_abs_mean is .*no return can exceed .*LayerNorm in the critic/,
    );
  });

  it("ends the run where it is told so, in 4 and with a checkpoint to look at", async () => {
    const { exitCode, error, run, rows } = await train([...exploding, "checks.on_divergence=stop"]);
    expect([exitCode, error.code]).toEqual([4, "diverged"]);
    expect(error.hint).toMatch(/LayerNorm.*on_divergence/);
    expect(rows.length).toBeLessThan(5);
    expect(readdirSync(run)).toContain("model_0.pt");
  });

  it("stays sound with LayerNorm on the same data and settings", async () => {
    const { events } = await train([...exploding, "algorithm.layer_norm=true"]);
    expect(events.filter(({ level }) => level === "alarm")).toEqual([]);
  });
});
