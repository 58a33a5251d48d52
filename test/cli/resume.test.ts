import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  checkpointOf,
  humanError,
  openHangar,
  rowsOf,
  type Session,
  small,
  summaryOf,
  timeless,
} from "./flights.ts";

const { train, run, work, temporary } = openHangar();
const long = [...small, "--max_iterations", "12", "--num_steps_per_env", "40"];

describe("a run stopped by Ctrl-C", () => {
  let whole: Session;
  let stopped: Session;
  let resumed: Session;

  beforeAll(async () => {
    whole = await train(long);
    stopped = await train([...long, "--run_name", "stopped"], {
      // As a terminal does: to the whole process group.
      onRow: ({ iteration }, { pid }) => void (iteration === 4 && process.kill(-pid!, "SIGINT")),
    });
    resumed = await train(["--resume", stopped.run]);
  });

  it("finishes its iteration, writes a checkpoint, says how to go on and ends in 130", () => {
    expect(stopped.code).toBe(130);
    expect(stopped.rows.length).toBeGreaterThanOrEqual(5);
    expect(stopped.rows.length).toBeLessThan(12);
    expect(stopped.stderr).toContain("SIGINT: landing after this iteration, with a checkpoint");
    expect(stopped.events.at(-1)?.message).toContain(`train --resume ${stopped.run}`);
    expect(readdirSync(stopped.run)).toContain(`model_${stopped.rows.length - 1}.pt`);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("goes on to the figures and weights of one that was never stopped", async () => {
    expect(resumed.code).toBe(0);
    expect(resumed.events[0]?.message).toContain("the fleet where it was");
    expect(timeless([...stopped.rows, ...resumed.rows])).toEqual(timeless(whole.rows));
    expect(timeless(rowsOf(stopped.run))).toEqual(timeless(whole.rows));
    const last = (session: Session) => checkpointOf(join(session.run, "model_11.pt"));
    const [a, b] = [await last(whole), await last(stopped)];
    expect(b.learner).toEqual(a.learner);
    expect(b.plan).toEqual(a.plan);
    expect(b.source).toEqual(a.source);
  });

  it("is left alone by a second flight while the first one is on its way", async () => {
    const alive = join(stopped.run, "control", "alive.json");
    const beat = { pid: process.pid, host: hostname(), started: 1, iteration: 3 };
    writeFileSync(alive, JSON.stringify({ ...beat, heartbeat: Date.now() / 1000 }));
    const figures = () => readFileSync(join(stopped.run, "metrics.jsonl"), "utf8");
    const before = [readdirSync(stopped.run), figures()];
    const words = ["--resume", join(stopped.run, "model_0.pt"), "--max_iterations", "20"];
    const { code, stderr } = await run("train", ...words);
    rmSync(alive);
    expect(stderr).toContain(`is flown by process ${process.pid}`);
    expect([code, stderr]).toEqual([2, expect.stringMatching(humanError)]);
    expect([readdirSync(stopped.run), figures()]).toEqual(before);
  });

  it("flies further than it was planned", async () => {
    const further = await train(["--resume", stopped.run, "--max_iterations", "14"]);
    expect(further.rows.map(({ iteration }) => iteration)).toEqual([12, 13]);
    expect(rowsOf(stopped.run).map(({ iteration }) => iteration)).toEqual([...Array(14).keys()]);
    expect(summaryOf(stopped.run)).toMatchObject({ iterations: 14, finished: true });
    const done = await train(["--resume", stopped.run]);
    expect([done.code, done.rows.length]).toEqual([0, 0]);
    expect(done.stderr).toContain("all 14 iterations are flown; --max_iterations N flies on");
  });

  it.each([
    ["policy.student_hidden_dims=[8]", "[16,16]"],
    ["obs_groups.student=[teacher]", "null"],
    ["num_envs=20", "12"],
    ["agent.checkpoint=hover", "null"],
  ])("is not gone on with as another: %s", async (override, before) => {
    const { code, stderr } = await run("train", "--resume", whole.run, override);
    expect(code).toBe(2);
    expect(stderr).toMatch(humanError);
    const key = override.split("=")[0]!.replace("agent.", "");
    expect(stderr).toContain(`firstsolo: ${key} is `);
    expect(stderr).toContain(`was flown with ${before}`);
  });

  it("is not gone on with in another simulation", async () => {
    const { code, stderr } = await run(
      "train",
      "--resume",
      whole.run,
      "env.decimation=4",
      "max_iterations=20",
    );
    expect(stderr).toContain("env.decimation was 2, here it is 4");
    expect(code).toBe(2);
  });

  it("puts its later checkpoints aside when it goes on from an older one", async () => {
    const from = join(whole.run, "model_0.pt");
    const again = await train(["--resume", from, "--max_iterations", "3"]);
    expect(again.stderr).toMatch(/put into superseded\/: .*model_11\.pt/);
    const left = readdirSync(whole.run).filter((name) => /^model_/.test(name));
    expect(left.sort()).toEqual(["model_0.pt", "model_2.pt"]);
    const [folder] = readdirSync(join(whole.run, "superseded"));
    expect(readdirSync(join(whole.run, "superseded", folder!))).toContain("model_11.pt");
    expect(rowsOf(whole.run).map(({ iteration }) => iteration)).toEqual([0, 1, 2]);
  });
});

describe("what is no run of ours", () => {
  it("is not gone on with", async () => {
    const folder = join(work, "ppo");
    mkdirSync(folder);
    const shipped = new URL("../../policies/teachers/hover-rsl_rl-5.4.2.pt", import.meta.url);
    copyFileSync(shipped, join(folder, "model_9.pt"));
    const { code, stderr } = await run("train", "--resume", folder);
    expect(stderr).toContain("is a PPO checkpoint: there is no distillation to go on with");
    expect(code).toBe(2);
  });
});

describe("the hand-written teacher", () => {
  it("flies, is kept, goes on and is measured again", async () => {
    const first = await train([...small, "--checkpoint", "hover", "evaluation.final_episodes=8"]);
    expect(first.code).toBe(0);
    const figures = summaryOf(first.run);
    const { stdout } = await run("eval", first.run, "--episodes", "8", "--json");
    const { checkpoint, ...again } = JSON.parse(stdout);
    expect(basename(checkpoint)).toMatch(/^(best_model|model_5)\.pt$/);
    expect(figures).toMatchObject(again);
    const next = await train(["--resume", first.run, "--max_iterations", "8"]);
    expect([next.code, next.rows.length]).toEqual([0, 2]);
    expect(next.events[0]?.teacher).toBe("the hand-written hover controller");
  });
});
