import { createSlatePilot, type SlatePilot } from "../../policies/pilots/slates.ts";
import { catalogueOf } from "../../sim-adapters/slates/items.ts";
import { itemsOf } from "../../sim-adapters/slates/items-word.ts";
import { openSlates } from "../../sim-adapters/slates/open-slates.ts";
import { itemWidth } from "../../sim-adapters/slates/sizes.ts";
import { evaluate } from "../running/evaluate.ts";
import { halfWidth } from "../running/tally.ts";
import type { CellOrder } from "./matrix-cells.ts";
import type { Cell } from "./matrix-table.ts";
import { slateTask } from "./slate-task.ts";

/** A pilot that needs no training, in this process: what agents are held against. */
export async function flyPilot({ env: name, agent, seed, episodes }: CellOrder): Promise<Cell> {
  const env = await openSlates({ task: slateTask(name), numEnvs: Math.min(100, episodes) });
  try {
    const key = itemsOf(env.spec);
    const items = key && { ...catalogueOf(key), width: itemWidth };
    const pilot = createSlatePilot({ name: agent as SlatePilot, spec: env.spec, items });
    const flown = await evaluate({ env, policies: { pilot }, episodes, seed });
    const { meanReturn, stdReturn, episodes: count } = flown.pilot!;
    return {
      ...{ env: name, agent, ranker: null, seed, meanReturn, episodes: count },
      ci95: halfWidth(stdReturn, count),
      ...{ largestValue: null, alarm: false, run: null },
    };
  } finally {
    await env.close();
  }
}
