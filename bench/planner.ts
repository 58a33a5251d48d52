/** How many searches of 50 simulations a world model of a latent state of 32 makes in a second. */
import { Random } from "../policies/random.ts";
import { createWorldModel } from "../src/algorithms/world_model/model.ts";
import { ModelProgram } from "../src/algorithms/world_model/model-program.ts";
import { planFrom } from "../src/algorithms/world_model/planner.ts";
import { worldModelSettings } from "../src/algorithms/world_model/settings.ts";
import { shapeOf, type WorldFacts } from "../src/algorithms/world_model/world-facts.ts";
import { compileWith } from "../src/engine/compile/compile.ts";
import { startEngine } from "../src/engine/start.ts";
import type { Bench, Row } from "./report.ts";

const seen = 20;
const levels = Array.from({ length: 10 }, (_, i) => i / 9);
const one = { mean: [0], std: [1] };
const facts: WorldFacts = {
  ...{ reads: ["policy"], bounds: { low: [0, 0], high: [1, 1] }, levels: [levels, levels] },
  observations: { mean: new Array(seen).fill(0), std: new Array(seen).fill(1) },
  heads: [{ name: "bis", components: ["bis"], columns: [0], scale: one }],
  ...{ reward: one, value: one },
};

/** Searches per second, on two cores. */
const target = 200;

export const plannerBench: Bench = {
  title: `planner: MCTS in a world model, 50 simulations, 10 × 10 actions, latent 32 (target ${target} searches/s)`,
  run: async ({ say }) => {
    await startEngine("cpu");
    const settings = worldModelSettings.parse({});
    const random = new Random(1);
    const model = createWorldModel(shapeOf(facts), settings, { random: random.uniform });
    const program = new ModelProgram(model, facts, compileWith("on"));
    const rows: Row[] = [];
    for (const trees of [1, 16, 128]) {
      const what = `${trees} at a time`;
      say(what);
      const observations = Float32Array.from({ length: trees * seen }, random.normal);
      const imagined = await program.represent(observations, trees);
      const rate = await searchesPerSecond(() =>
        planFrom(program, imagined, { planner: "mcts", settings, facts }),
      );
      const figures = {
        "searches/s": Math.round(rate * trees),
        "of target": (rate * trees) / target,
      };
      rows.push({ what, figures });
    }
    program.dispose();
    model.dispose();
    return rows;
  },
};

/** Of whole calls, over three seconds behind the first. */
async function searchesPerSecond(plan: () => Promise<unknown>): Promise<number> {
  await plan();
  const since = performance.now();
  let calls = 0;
  while (performance.now() - since < 3000) {
    await plan();
    calls += 1;
  }
  return (1000 * calls) / (performance.now() - since);
}
