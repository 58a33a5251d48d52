import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worldModel } from "../../../src/algorithms/world_model/algorithm.ts";
import { readAnyCheckpoint } from "../../../src/cli/inspect-run.ts";
import { specOf, synthesise, trainHere } from "../offline/offline-run.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-world-"));
const flights = join(work, "flights.hdf5");
const small = [
  ...["algorithm.class_name=world_model", `dataset=${flights}`, "max_iterations=3"],
  ...["algorithm.plan=recommended", "algorithm.warmup_epochs=1", "algorithm.latent=8"],
  ...["algorithm.hidden_dims=[16]", "algorithm.pre_len=3", "algorithm.action_levels=5"],
  ...[
    "algorithm.batch_size=64",
    "algorithm.learning_rate=0.01",
    "algorithm.search_simulations=40",
    "algorithm.pb_c_init=5",
  ],
  ...["updates_per_iteration=20", "save_interval=1", "algorithm.level_spacing=even"],
];
let run: Awaited<ReturnType<typeof trainHere>>;

beforeAll(async () => {
  await synthesise(flights, { episodes: 12, actionStd: 0.6 });
  run = await trainHere(work, small);
}, 600_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("a run of a world model", () => {
  it("logs each loss beside its weight, and what the model foresees of flights that are held out", () => {
    expect(run.error).toBeUndefined();
    const [first, second, last] = run.rows;
    const env = ["loss_obs", "loss_value", "loss_reward"];
    for (const name of env) {
      expect(first).toMatchObject({ [`Weight/${name}`]: 1 });
      expect(last).toMatchObject({ [`Weight/${name}`]: 2 });
      expect(last![`Loss/${name}`]).toBeGreaterThan(0);
    }
    expect(first).not.toHaveProperty(["Loss/loss_action"]);
    expect(last).toMatchObject({ "Weight/loss_action": 1 });
    for (const name of ["obs_mae", "obs_persistence", "obs_skill", "reward_mae", "value_mae"]) {
      expect(last![`Eval/val_${name}`]).toBeTypeOf("number");
    }
    // Nothing but the mean can be foreseen of noise, which is better than the last noise.
    expect(last!["Eval/val_obs_skill"]).toBeGreaterThan(0.1);
    // Of the mean alone it would be above 4.
    expect(last!["Eval/val_reward_mae"]).toBeLessThan(1.5);
    const stage = run.events.find(({ type }) => type === "stage");
    expect(stage).toMatchObject({ iteration: 1, why: "plan", stage: { name: "joint", index: 1 } });
    expect(second!["Plan/env_loss_weight"]).toBe(2);
  });

  it("measures the gradients of both stages", () => {
    const { passed, entries, unmeasured } = JSON.parse(
      readFileSync(join(run.run, "gradient_flow.json"), "utf8"),
    );
    expect([passed, unmeasured]).toEqual([true, []]);
    expect(entries).toContainEqual(
      expect.objectContaining({
        update: "policy",
        group: "dynamics",
        flow: "flows",
        verdict: "ok",
      }),
    );
  });

  it("is told of by inspect, though no file of it is a single network", async () => {
    const described = await readAnyCheckpoint(join(run.run, "model_2.pt"));
    if (described.kind !== "described") throw new Error(`it is ${described.kind}`);
    expect([described.algorithm, described.iteration]).toEqual(["world_model", 3]);
    const facts = Object.fromEntries(described.facts);
    expect(facts).toMatchObject({ plan: "recommended", state: "mlp → 8; hidden layers 16" });
    // Observations and the layer's weights and biases, twice.
    const width = Number(facts.reads!.split(" ")[0]);
    expect(facts.representation).toBe(`${width * 16 + 16 + 16 * 8 + 8} parameters`);
  });

  it("leaves checkpoints whose policy flies, and plans for what pays", async () => {
    const [name = ""] = readdirSync(join(run.run)).filter((file) => file.startsWith("model_2"));
    const saved = await worldModel.read(join(run.run, name));
    expect(saved.state.progress.iteration).toBe(3);
    const frame = {
      observations: { policy: Float32Array.of(0.1, -0.2, 0.3, 0.5, 0.5, -1) },
      started: Uint8Array.of(1, 1),
    };
    const told: Record<string, number>[] = [];
    for (const planner of ["mcts", "one_step", undefined]) {
      const { student } = await worldModel.policies(saved, specOf({}), {
        ...(planner !== undefined && { planner }),
        tell: (figures) => told.push({ ...figures }),
      });
      const { actions } = await student!.act(frame, student!.initialMemory(2));
      for (const action of actions) expect(Math.abs(action)).toBeLessThanOrEqual(1);
      // The reward is ten times the first action.
      if (planner !== undefined) expect(Math.min(actions[0]!, actions[2]!)).toBeGreaterThan(0.4);
      student!.dispose();
    }
    expect(told[0]).toMatchObject({ "Search/coverage": 1 });
    expect(told[2]).toEqual({});
    const other = specOf({ actionWidth: 3 });
    await expect(worldModel.policies(saved, other)).rejects.toThrow(/takes 3/);
  });
});
