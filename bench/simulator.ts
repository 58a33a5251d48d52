/** How fast the built-in simulators are by themselves: one process, without socket or policy. */
import { askChild, benchModule } from "./children.ts";
import { type Bench, missing, type Row } from "./report.ts";
import type { SimulatorFigures } from "./simulator-child.ts";

/** Environment steps per second at N = 1000, on one core. */
const targets: Readonly<Record<string, number>> = {
  quadcopter: 300_000,
  "quadcopter-noisy": 300_000,
  "quadcopter-blind": 300_000,
  "quadcopter-random": 300_000,
  anaesthesia: 500_000,
};

export const simulatorBench: Bench = {
  title: `simulator: environment steps per second, one process (target at N = 1000: 300000, patients 500000)`,
  run: async ({ say }) => {
    const rows: Row[] = [];
    for (const task of Object.keys(targets)) {
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
        ...(numEnvs === 1000 ? { "of target": found.stepsPerSecond / targets[task]! } : {}),
      },
    };
  } catch (error) {
    return missing(what, error);
  }
}
