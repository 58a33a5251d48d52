/** How fast the built-in simulator is by itself: one process, without socket or policy. */
import { askChild, benchModule } from "./children.ts";
import { type Bench, missing, type Row } from "./report.ts";
import type { SimulatorFigures } from "./simulator-child.ts";

/** Environment steps per second at N = 1000, on one core. */
const target = 300_000;

export const simulatorBench: Bench = {
  title: `simulator: environment steps per second, one process (target ${target} at N = 1000)`,
  run: async ({ say }) => {
    const rows: Row[] = [];
    for (const task of [
      "quadcopter",
      "quadcopter-noisy",
      "quadcopter-blind",
      "quadcopter-random",
    ]) {
      for (const numEnvs of [100, 1000, 4096]) {
        const what = `${task}, N = ${numEnvs}`;
        say(what);
        rows.push(await measure(what, task, numEnvs));
      }
    }
    return rows;
  },
};

async function measure(what: string, task: string, numEnvs: number): Promise<Row> {
  try {
    const args = [benchModule("simulator-child"), task, String(numEnvs)];
    const found = await askChild<SimulatorFigures>(process.execPath, args, { seconds: 60 });
    return {
      what,
      figures: {
        "steps/s": Math.round(found.stepsPerSecond),
        "steps/CPU s": Math.round(found.stepsPerCpuSecond),
        "ms/step": (1000 * numEnvs) / found.stepsPerSecond,
        "physics %": Math.round(100 * found.physicsShare),
        ...(numEnvs === 1000 ? { "of target": found.stepsPerSecond / target } : {}),
      },
    };
  } catch (error) {
    return missing(what, error);
  }
}
