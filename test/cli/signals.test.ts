import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkpointOf, ended, openHangar, saying, small, summaryOf } from "./flights.ts";

const { train, start, temporary, work } = openHangar();
const overlapping = [...small, "--pipeline", "on"];
const long = [...overlapping, "--max_iterations", "10000"];

describe("SIGTERM", () => {
  it("lands a flight as Ctrl-C does: checkpoint, summary, simulator gone, 130", async () => {
    const { code, run, rows, events } = await train(long, {
      onRow: ({ iteration }, runner) => void (iteration === 2 && runner.kill("SIGTERM")),
    });
    expect(code).toBe(130);
    const { progress } = await checkpointOf(join(run, `model_${rows.length - 1}.pt`));
    expect(progress.iteration).toBe(rows.length);
    expect(summaryOf(run)).toMatchObject({ finished: false, iterations: rows.length });
    const pid = Number(/process (\d+)/.exec(String(events[0]?.simulator))?.[1]);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe("a second Ctrl-C", () => {
  it("ends at once, and leaves no folder behind", async () => {
    // Iterations of minutes: the first signal alone could not end this in time.
    const endless = [...long, "--num_steps_per_env", "100000"];
    const runner = start("train", "--ui", "jsonl", "--log_root", join(work, "logs"), ...endless);
    await saying(runner, /"type":"start"/);
    const end = ended(runner);
    const landing = saying(runner, /SIGINT: landing/);
    runner.kill("SIGINT");
    await landing;
    runner.kill("SIGINT");
    expect((await end).code).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe("Ctrl-C in the evaluation at the end", () => {
  it("leaves it out, and the run can be judged later", async () => {
    const endless = [...overlapping, "evaluation.final_episodes=1000000"];
    const { code, run, stderr } = await train(endless, {
      onRow: ({ iteration }, runner) =>
        void (iteration === 5 && setTimeout(() => runner.kill("SIGINT"), 500)),
    });
    expect(stderr).not.toMatch(/ {2}→/);
    expect(code).toBe(130);
    expect(summaryOf(run)).toMatchObject({ finished: false, iterations: 6, deaths: null });
  });
});

describe("Ctrl-C while no simulator is there", () => {
  it("ends at once in 130, without a run folder", async () => {
    const nowhere = `ipc://${join(work, "nobody.ipc")}`;
    const runner = start("train", ...small, "--log_root", join(work, "none"), "--sim", nowhere);
    await saying(runner, /waiting for ipc:.* to answer hello/);
    const end = ended(runner);
    runner.kill("SIGINT");
    expect((await end).code).toBe(130);
    expect(readdirSync(work)).not.toContain("none");
  });
});

describe("a terminal that hangs up", () => {
  it("doesn't end the flight", async () => {
    const { code, rows, stderr } = await train(small, {
      onRow: ({ iteration }, runner) => void (iteration === 1 && runner.kill("SIGHUP")),
    });
    expect([code, rows.length]).toEqual([0, 6]);
    expect(stderr).toContain("SIGHUP: the terminal is gone, the flight goes on");
  });
});
