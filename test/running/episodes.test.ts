import { describe, expect, it } from "vitest";
import type { StepResult } from "../../protocol/frame.ts";
import { assignSeats } from "../../src/running/env-split.ts";
import { Episodes } from "../../src/running/episodes.ts";

/** Rows 0–1 train, row 2 checks the student, row 3 the teacher. */
const seats = assignSeats(4, 0.5);

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
    const book = new Episodes(seats, 5);
    book.record(step([1, 10, 0, 0]));
    book.record(step([2, 10, 0, 0], [0]));
    expect(book.training).toEqual({ episodes: 1, meanReturn: 3, meanLength: 2 });
    book.record(step([5, 10, 0, 0], [0, 1]));
    expect(book.training).toEqual({ episodes: 3, meanReturn: (3 + 5 + 30) / 3, meanLength: 2 });
  });

  it("does not judge a pilot by the episode that was under way when it took over", () => {
    const book = new Episodes(seats, 5);
    book.record(step([0, 0, 7, 9], [2, 3]));
    expect([book.student.episodes, book.teacher.episodes]).toEqual([0, 0]);
    book.record(step([0, 0, 4, 8], [2, 3]));
    expect([book.student.meanReturn, book.teacher.meanReturn]).toEqual([4, 8]);
  });

  it("forgets all but the last episodes of a check", () => {
    const book = new Episodes(seats, 2);
    for (const reward of [0, 1, 2, 3]) book.record(step([0, 0, reward, 0], [2]));
    expect(book.student).toMatchObject({ episodes: 2, meanReturn: 2.5 });
  });

  it("goes on from a saved state, sums of running episodes included", () => {
    const book = new Episodes(seats, 2);
    book.record(step([1, 1, 1, 1], [2, 3]));
    book.record(step([2, 2, 2, 2]));
    const again = new Episodes(seats, 2);
    again.load(JSON.parse(JSON.stringify(book.save())));
    for (const b of [book, again]) b.record(step([3, 3, 3, 3], [0, 2]));
    expect(again.save()).toEqual(book.save());
    expect(again.student.meanReturn).toBe(5);
  });
});
