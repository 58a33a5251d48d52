import { describe, expect, it } from "vitest";
import type { StepResult } from "../../protocol/frame.ts";
import { splitEnvs } from "../../src/running/env-split.ts";
import { EpisodeBook } from "../../src/running/episode-book.ts";

/** Rows 0–1 train, row 2 measures the student, row 3 the teacher. */
const split = splitEnvs(4, 0.5, ["student", "teacher"]);

function step(rewards: number[], ended: number[] = []): StepResult {
  return {
    frame: { observations: {}, started: Uint8Array.from(rewards, (_, i) => +ended.includes(i)) },
    rewards: Float32Array.from(rewards),
    terminated: new Uint8Array(4),
    truncated: Uint8Array.from(rewards, (_, i) => +ended.includes(i)),
  };
}

describe("the book of episodes", () => {
  it("sums rewards per environment and files them when an episode ends", () => {
    const book = new EpisodeBook(split, 5);
    book.record(step([1, 10, 0, 0]));
    book.record(step([2, 10, 0, 0], [0]));
    expect(book.figures("training")).toEqual({ episodes: 1, meanReturn: 3, meanLength: 2 });
    book.record(step([5, 10, 0, 0], [0, 1]));
    expect(book.figures("training")).toEqual({
      episodes: 3,
      meanReturn: (3 + 5 + 30) / 3,
      meanLength: 2,
    });
  });

  it("does not judge a pilot by the episode that was under way when it took over", () => {
    const book = new EpisodeBook(split, 5);
    book.record(step([0, 0, 7, 9], [2, 3]));
    expect([book.figures("student").episodes, book.figures("teacher").episodes]).toEqual([0, 0]);
    book.record(step([0, 0, 4, 8], [2, 3]));
    expect([book.figures("student").meanReturn, book.figures("teacher").meanReturn]).toEqual([
      4, 8,
    ]);
  });

  it("forgets all but the last episodes of a check", () => {
    const book = new EpisodeBook(split, 2);
    for (const reward of [0, 1, 2, 3]) book.record(step([0, 0, reward, 0], [2]));
    expect(book.figures("student")).toMatchObject({ episodes: 2, meanReturn: 2.5 });
  });

  it("goes on from a saved state, sums of running episodes included", () => {
    const book = new EpisodeBook(split, 2);
    book.record(step([1, 1, 1, 1], [2, 3]));
    book.record(step([2, 2, 2, 2]));
    const again = new EpisodeBook(split, 2);
    again.load(JSON.parse(JSON.stringify(book.save())));
    for (const b of [book, again]) b.record(step([3, 3, 3, 3], [0, 2]));
    expect(again.save()).toEqual(book.save());
    expect(again.figures("student").meanReturn).toBe(5);
  });

  it("names its figures as rsl_rl does, and the ratio once both are known", () => {
    const book = new EpisodeBook(split, 2);
    expect(book.metrics()).toEqual({});
    book.record(step([0, 0, 0, 0], [2, 3]));
    book.record(step([0, 0, 4, 8], [0, 2, 3]));
    expect(book.metrics()).toEqual({
      "Train/mean_reward": 0,
      "Train/mean_episode_length": 2,
      "Eval/student_return": 4,
      "Eval/teacher_return": 8,
      "Eval/student_vs_teacher": 0.5,
    });
  });
});
