import { expect, test } from "vitest";
import { openPatient } from "../../sim-adapters/patient/open-patient.ts";
import { bitsOf } from "../mujoco/flying.ts";
import { connectHere, expectLaws, serveHere } from "../remote/serve-here.ts";
import { flown, operate } from "./operating.ts";

const served = () =>
  serveHere(({ settings, numEnvs = 4 }) => openPatient({ task: "anaesthesia", numEnvs, settings }));

test("patients fare the same over the wire, and it is said what they are for", async () => {
  const settings = { episode_length_s: 200 };
  const here = await operate({ numEnvs: 8, settings });
  const expected = [bitsOf(await here.reset(3)), ...(await flown(here, 0, 50))];
  const told: string[] = [];
  const onNotice = (line: string) => told.push(line);
  const endpoint = await served();
  const there = await connectHere({ endpoint, numEnvs: 8, settings, onNotice });
  expect([bitsOf(await there.reset(3)), ...(await flown(there, 0, 50))]).toEqual(expected);
  expect(told.join()).toContain("for research, not for patients");
  expect(there.welcome.settings).toMatchObject({ episode_length_s: 200, control_period_s: 10 });
});

test("the laws of frames and episodes are kept", async () => {
  await expectLaws(await served());
});
