import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readRun } from "../../src/algorithms/distillation/run-checkpoint.ts";
import { humanError, namesIn, openHangar, type Session, small, summaryOf } from "./flights.ts";

const { train, run, work } = openHangar();
let flown: Session;

beforeAll(async () => {
  flown = await train([...small, "evaluation.final_episodes=18"]);
});

describe("eval", () => {
  it("repeats the figures of the summary to the last bit, as one JSON document", async () => {
    const { code, stdout } = await run("eval", flown.run, "--episodes", "18", "--json");
    const { checkpoint, ...figures } = JSON.parse(stdout);
    expect(namesIn(flown.run)).toContain("best_model.pt");
    expect(checkpoint).toBe(join(flown.run, "best_model.pt"));
    expect(Object.keys(figures).sort()).toEqual([
      "deaths",
      "episodes",
      "final_distance",
      "student_return",
      "student_return_ci95",
      "student_return_std",
      "student_vs_teacher",
      "teacher_deaths",
      "teacher_return",
    ]);
    expect(summaryOf(flown.run)).toMatchObject(figures);
    expect(code).toBe(0);
  });

  it("judges the last student when asked to, as it does that checkpoint by name", async () => {
    const few = ["--episodes", "6", "--json"];
    const last = await run("eval", flown.run, "--last", ...few);
    const named = await run("eval", join(flown.run, "model_5.pt"), ...few);
    expect(JSON.parse(last.stdout)).toEqual(JSON.parse(named.stdout));
    expect(JSON.parse(last.stdout).checkpoint).toBe(join(flown.run, "model_5.pt"));
  });

  it("says what is left where the student sees others' rows of a group", async () => {
    const few = ["--episodes", "6", "--json"];
    const { stdout } = await run("eval", flown.run, "--shuffle_group", "policy", ...few);
    const { student_return, ...left } = JSON.parse(stdout);
    expect(left).toMatchObject({ shuffled_group: "policy", shuffled_episodes: left.episodes });
    expect(left.shuffled_return).not.toBe(student_return);
    // For returns below zero, too: the worse, the smaller.
    const change = (left.shuffled_return - student_return) / Math.abs(student_return);
    expect(left.shuffled_share).toBeCloseTo(1 + change, 9);
    const { stderr } = await run("eval", flown.run, "--shuffle_group", "polcy", ...few);
    expect(stderr).toMatch(/'polcy', but policy[\s\S]*--shuffle_group policy/);
  });

  it("flies a fleet too small to learn from, of one for each policy", async () => {
    const few = ["--episodes", "1", "--json", "--num_envs"];
    const two = await run("eval", flown.run, ...few, "2");
    expect([two.code, JSON.parse(two.stdout).episodes]).toEqual([0, 1]);
    const { code, stderr } = await run("eval", flown.run, ...few, "1");
    expect([code, stderr]).toEqual([2, expect.stringMatching(/at least 2 environments/)]);
    const alone = ["hover", "--task", "quadcopter", "env.episode_length_s=0.4"];
    expect((await run("eval", ...alone, ...few, "1")).code).toBe(0);
  });

  it("without a run, or without sense, ends in 2 and says why", async () => {
    const empty = join(work, "empty");
    mkdirSync(empty);
    const shipped = new URL("../../policies/teachers/hover-rsl_rl-5.4.2.pt", import.meta.url);
    for (const [words, why] of [
      [[empty], /No run in .*empty/],
      [[flown.run, "policy.rnn_type=gru"], /policy\.rnn_type=gru can't change an evaluation/],
      [[flown.run, "--episodes", "0"], /--episodes is "0"; expected a whole number from 1/],
      [[shipped.pathname], /agent\.yaml|PPO checkpoint|no distillation checkpoint/],
    ] as const) {
      const { code, stderr, stdout } = await run("eval", ...words);
      expect(stderr).toMatch(humanError);
      expect(stderr).toMatch(why);
      expect([code, stdout]).toEqual([2, ""]);
    }
  });
});

describe("a student at the end that flies better than the best one in flight", () => {
  it("takes its place, and an event says so", async () => {
    // Nothing is called the best in flight: the window is longer than it.
    const flags = [
      ...small,
      ..."--num_steps_per_env 40 --save_interval 5 --phase1_iterations 15".split(" "),
      ..."evaluation.window=1000 evaluation.final_episodes=24 env.episode_length_s=2".split(" "),
      ...["algorithm.learning_rate=5e-3", "algorithm.buffer_rollouts=3"],
    ];
    const first = await train([...flags, "--max_iterations", "20"]);
    expect(namesIn(first.run)).not.toContain("best_model.pt");
    const best = join(first.run, "best_model.pt");
    copyFileSync(join(first.run, "model_0.pt"), best);
    const next = await train(["--resume", first.run, "--max_iterations", "21"]);
    const said = next.events.filter(({ kind }) => kind === "best");
    expect(said.map(({ message }) => message)).toEqual([
      expect.stringMatching(/best_model\.pt, the last student now: .* over 24 episodes/),
    ]);
    const judged = next.events.filter(({ type }) => type === "judging");
    expect(judged.map(({ message }) => message)).toEqual([
      "the best student so far and the last one, over 24 episodes",
      "the best student and its teacher, over 24 episodes",
    ]);
    // For flying: without the rollouts that a run goes on with.
    const last = join(first.run, "model_20.pt");
    const [held, learned] = await Promise.all([best, last].map((path) => readRun(path)));
    expect(held!.own.file.student).toEqual(learned!.own.file.student);
    expect(readFileSync(best).length).toBeLessThan(readFileSync(last).length - 3 * 24 * 40);
    expect(summaryOf(first.run).student_return).toBeGreaterThan(1);
  });
});

describe("a pilot that flies alone where its field asks for more than returns", () => {
  it("has those figures too, with their intervals, though it reads none of what they come from", async () => {
    const words = ["pid", "--task", "anaesthesia", "--episodes", "4", "--num_envs", "4", "--json"];
    const { code, stdout } = await run("eval", ...words, "env.episode_length_s=600");
    const figures = JSON.parse(stdout) as Readonly<Record<string, number>>;
    expect([code, figures.episodes]).toEqual([0, 4]);
    expect(figures.time_in_40_60).toBeGreaterThan(0.2);
    expect(figures.time_in_40_60_ci95).toBeGreaterThan(0);
    expect(figures.bis_nadir).toBeLessThan(50);
  });
});
