/** How fast slates are recommended by one core: the simulator alone, and each pilot in it. */
import { createSlatePilot, slatePilots } from "../policies/pilots/slates.ts";
import { catalogueOf } from "../sim-adapters/slates/items.ts";
import { itemsOf } from "../sim-adapters/slates/items-word.ts";
import { openSlates } from "../sim-adapters/slates/open-slates.ts";
import { itemWidth } from "../sim-adapters/slates/sizes.ts";
import { askChild, benchModule } from "./children.ts";
import { type Bench, missing, type Row } from "./report.ts";
import type { SimulatorFigures } from "./simulator-child.ts";
import { median, timed } from "./timing.ts";

const numEnvs = 256;
const task = "slates-diffuse_mix";
/** Turns per second. */
const target = 100_000;

export const slatesBench: Bench = {
  title: `slates: turns per second, one process, N = ${numEnvs}, 1000 items (target ${target})`,
  run: async ({ say }) => {
    const rows: Row[] = [];
    for (const name of [task, "slates-focused_divpen"]) {
      say(name);
      rows.push(await alone(name));
    }
    for (const name of slatePilots) {
      say(name);
      rows.push(await flown(name));
    }
    return rows;
  },
};

async function alone(name: string): Promise<Row> {
  const what = `${name}, any slates`;
  try {
    const args = [benchModule("simulator-child"), name, String(numEnvs)];
    const found = await askChild<SimulatorFigures>(process.execPath, args, { seconds: 60 });
    return {
      what,
      figures: {
        "turns/s": Math.round(found.stepsPerSecond),
        "turns/CPU s": Math.round(found.stepsPerCpuSecond),
        "of target": found.stepsPerSecond / target,
      },
    };
  } catch (error) {
    return missing(what, error);
  }
}

async function flown(name: (typeof slatePilots)[number]): Promise<Row> {
  const env = await openSlates({ task, numEnvs });
  const items = { ...catalogueOf(itemsOf(env.spec)!), width: itemWidth };
  const pilot = createSlatePilot({ name, spec: env.spec, items });
  let frame = await env.reset(1);
  let memory = pilot.initialMemory(numEnvs);
  const turns = 20;
  const fly = async () => {
    for (let turn = 0; turn < turns; turn++) {
      const acted = await pilot.act(frame, memory);
      memory = acted.memory;
      frame = (await env.step(acted.actions)).frame;
    }
  };
  await fly();
  const before = process.cpuUsage();
  const durations = await timed(fly, { warmUp: 0, seconds: 0.5, least: 5, most: 20 });
  const { user, system } = process.cpuUsage(before);
  const all = turns * numEnvs;
  return {
    what: `${task}, chosen by ${name}`,
    figures: {
      "turns/s": Math.round(all / median(durations)),
      "turns/CPU s": Math.round((all * durations.length) / ((user + system) / 1e6)),
    },
  };
}
