import { join } from "node:path";
import { expect, it } from "vitest";
import { openHangar } from "./flights.ts";

const { run, work } = openHangar();

it("records a fleet of one: nobody learns from it yet", async () => {
  const file = join(work, "one.hdf5");
  const one = [
    "--policy",
    "hover",
    "--num_envs",
    "1",
    "--episodes",
    "1",
    "env.episode_length_s=0.4",
  ];
  const { code, stdout } = await run("record", "--task", "quadcopter", ...one, "-o", file);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/one\.hdf5: 1 episodes/)]);
});
