import { expect, test } from "vitest";
import { itemsOf } from "../../sim-adapters/slates/items-word.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { connectHere, expectLaws, serveHere } from "../remote/serve-here.ts";
import { recommend, shownTo } from "./recommending.ts";

const served = () => serveHere(({ settings, numEnvs = 4 }) => recommend({ numEnvs, settings }));

test("users fare the same over the wire, and it is said what they are shown", async () => {
  const settings = { "sim.catalogue_seed": 3 };
  const here = await recommend({ numEnvs: 8, settings });
  const expected = [bitsOf(await here.reset(3)), ...(await shownTo(here, 0, 102))];
  const there = await connectHere({ endpoint: await served(), numEnvs: 8, settings });
  expect([bitsOf(await there.reset(3)), ...(await shownTo(there, 0, 102))]).toEqual(expected);
  expect(itemsOf(there.spec)).toEqual({ variant: "diffuse", seed: 3 });
});

test("the laws of frames and episodes are kept", async () => {
  await expectLaws(await served());
});
