import { afterEach, expect, test } from "vitest";
import { conform } from "../../sim-adapters/conform/conform.ts";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import { serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { itemsOf } from "../../sim-adapters/slates/items-word.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { socketFile } from "../remote/servers.ts";
import { recommend, shownTo } from "./recommending.ts";

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  while (endings.length > 0) await endings.pop()?.();
});

async function served() {
  const server = await serveEnv({
    bind: socketFile(),
    open: ({ settings, numEnvs = 4 }) => recommend({ numEnvs, settings }),
  });
  endings.push(() => server.close());
  return server.endpoint;
}

test("users fare the same over the wire, and it is said what they are shown", async () => {
  const settings = { "sim.catalogue_seed": 3 };
  const here = await recommend({ numEnvs: 8, settings });
  const expected = [bitsOf(await here.reset(3)), ...(await shownTo(here, 0, 102))];
  const there = await connectRemote({ endpoint: await served(), numEnvs: 8, settings });
  endings.push(() => there.close());
  expect([bitsOf(await there.reset(3)), ...(await shownTo(there, 0, 102))]).toEqual(expected);
  expect(itemsOf(there.spec)).toEqual({ variant: "diffuse", seed: 3 });
});

test("the laws of frames and episodes are kept", async () => {
  const only = ["specification", "frame", "result", "seeds", "bitwise", "bounds", "snapshot"];
  const more = ["same-step", "final-observations", "clock", "bad-value"];
  const findings = await conform({ endpoint: await served(), only: [...only, ...more] });
  expect(findings.map(({ law, verdict }) => `${law} ${verdict}`)).toEqual(
    findings.map(({ law }) => `${law} holds`),
  );
  expect(findings).toHaveLength(11);
});
