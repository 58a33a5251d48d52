import { afterEach, expect, test } from "vitest";
import { conform } from "../../sim-adapters/conform/conform.ts";
import { openPatient } from "../../sim-adapters/patient/open-patient.ts";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import { serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { socketFile } from "../remote/servers.ts";
import { flown, operate } from "./operating.ts";

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  while (endings.length > 0) await endings.pop()?.();
});

async function served() {
  const server = await serveEnv({
    bind: socketFile(),
    open: ({ settings, numEnvs = 4 }) => openPatient({ task: "anaesthesia", numEnvs, settings }),
  });
  endings.push(() => server.close());
  return server.endpoint;
}

test("patients fare the same over the wire, and it is said what they are for", async () => {
  const settings = { episode_length_s: 200 };
  const here = await operate({ numEnvs: 8, settings });
  const expected = [bitsOf(await here.reset(3)), ...(await flown(here, 0, 50))];
  const told: string[] = [];
  const endpoint = await served();
  const onNotice = (line: string) => told.push(line);
  const there = await connectRemote({ endpoint, numEnvs: 8, settings, onNotice });
  endings.push(() => there.close());
  expect([bitsOf(await there.reset(3)), ...(await flown(there, 0, 50))]).toEqual(expected);
  expect(told.join()).toContain("for research, not for patients");
  expect(there.welcome.settings).toMatchObject({ episode_length_s: 200, control_period_s: 10 });
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
