import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createSlatePilot, slatePilots } from "../../policies/pilots/slates.ts";
import { itemsIn, recommend } from "./recommending.ts";

interface Figure {
  readonly by_catalogue: readonly number[];
  readonly mean: number;
  readonly ci95_within_catalogue: number;
}
const { environments } = JSON.parse(
  readFileSync("test/data/slates/sheet-figures.json", "utf8"),
) as { environments: Record<string, Record<string, Figure>> };

const catalogues = [1, 2, 3, 4];
const users = 8;
/** Of each catalogue in the file. */
const theirUsers = 100;

/** Clicks of an episode, mean over users, of each pilot. */
async function clicksOf(task: string, seed: number): Promise<readonly number[]> {
  const env = await recommend({
    ...{ task, numEnvs: users, settings: { "sim.catalogue_seed": seed } },
  });
  const items = itemsIn(env);
  const means: number[] = [];
  for (const name of slatePilots) {
    const pilot = createSlatePilot({ name, spec: env.spec, items });
    let frame = await env.reset(seed);
    let memory = pilot.initialMemory(users);
    let sum = 0;
    for (let turn = 0; turn < 100; turn++) {
      const flown = await pilot.act(frame, memory);
      const { frame: next, rewards } = await env.step(flown.actions);
      [frame, memory] = [next, flown.memory];
      for (const clicks of rewards) sum += clicks;
    }
    means.push(sum / users);
  }
  return means;
}

/** Three standard errors of the difference of both means: users vary, and so do catalogues. */
function halfWidth({ ci95_within_catalogue, by_catalogue, mean }: Figure): number {
  const ofUser = ((ci95_within_catalogue / 1.96) ** 2 * theirUsers) / by_catalogue.length;
  const between = by_catalogue.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 3;
  const count = catalogues.length;
  return 3 * Math.sqrt(ofUser * (1 / theirUsers + 1 / users) + between * (1 / count + 1 / count));
}

it.each(Object.keys(environments))("%s is clicked as the sheet's rules have it", async (name) => {
  const means = await Promise.all(catalogues.map((seed) => clicksOf(`slates-${name}`, seed)));
  for (const [k, pilot] of slatePilots.entries()) {
    const figure = environments[name]![pilot === "greedy" ? "greedy2" : pilot]!;
    const mean = means.reduce((sum, one) => sum + one[k]!, 0) / means.length;
    const off = Math.abs(mean - figure.mean);
    expect(off, `${pilot}: ${mean} for ${figure.mean}`).toBeLessThan(halfWidth(figure));
  }
});
