import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { openMujoco as openHere } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { compiledProgram } from "../compiled.ts";

const numEnvs = 13;
const settings = { episode_length_s: 0.2 };
const actions = (step: number) =>
  Float32Array.from({ length: 4 * numEnvs }, (_, k) => Math.sin(k + step));

/** Threads are started from compiled files, so the simulator has to come from there as well. */
let openMujoco: typeof openHere;
beforeAll(async () => {
  const root = join(dirname(compiledProgram()), "../..");
  const file = join(root, "dist/sim-adapters/mujoco/open-mujoco.js");
  ({ openMujoco } = await import(/* @vite-ignore */ pathToFileURL(file).href));
});

/** Everything that a flight brings, as one digest: ends, logs, a snapshot midway and what follows it. */
async function digest(task: string, threads: number): Promise<string> {
  const env = await openMujoco({ task, numEnvs, threads, settings, blockSize: 4 });
  const hash = createHash("sha256");
  const note = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) hash.update(value as Uint8Array);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(note);
    else hash.update(String(value));
  };
  note(await env.reset(7));
  for (let i = 0; i < 12; i++) note({ ...(await env.step(actions(i))), timing: 0 });
  const state = await env.snapshot();
  note(state);
  note({ ...(await env.step(actions(1))), timing: 0 });
  note(await env.restore(state));
  note({ ...(await env.step(actions(2))), timing: 0 });
  await env.close();
  return hash.digest("hex");
}

describe("several threads", () => {
  it.each(["quadcopter-noisy", "quadcopter-blind", "quadcopter-random"])(
    "fly %s with the bits of one",
    async (task) => {
      const alone = await digest(task, 1);
      expect([await digest(task, 2), await digest(task, 3)]).toEqual([alone, alone]);
    },
  );

  it("take up the snapshot of one, and it takes up theirs", async () => {
    const task = "quadcopter-noisy";
    const one = await openMujoco({ task, numEnvs, settings });
    const two = await openMujoco({ task, numEnvs, settings, threads: 2 });
    await one.reset(3);
    await two.reset(4);
    await two.restore(await one.snapshot());
    const next = await one.step(actions(0));
    expect({ ...(await two.step(actions(0))), timing: 0 }).toEqual({ ...next, timing: 0 });
    await one.restore(await two.snapshot());
    const { frame } = await one.step(actions(1));
    expect((await two.step(actions(1))).frame).toEqual(frame);
    await Promise.all([one.close(), two.close()]);
  });

  it("name the environment whose action is no number, and go on", async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs, threads: 2 });
    await env.reset(1);
    const spoilt = actions(0);
    spoilt[4 * 12 + 1] = Number.NaN;
    await expect(env.step(spoilt)).rejects.toThrow("environment 12, component 1");
    expect((await env.step(actions(0))).rewards).toHaveLength(numEnvs);
    await env.close();
  });

  it("are never more than there are environments", async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs: 2, threads: 8 });
    await env.reset(1);
    expect((await env.step(new Float32Array(8))).rewards).toHaveLength(2);
    await env.close();
  });
});
