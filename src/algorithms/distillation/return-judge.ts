import { relativeReturn } from "../../running/compare.ts";
import type { EpisodeBook } from "../../running/episode-book.ts";
import type { Judge, Judgement } from "../../running/judge.ts";

/** The student's share of its teacher's return in the evaluation rows, once enough episodes have ended. */
export class ReturnJudge implements Judge {
  readonly #book: EpisodeBook;
  readonly #least: number;

  /** @param least whole episodes before a student can be called the best */
  constructor(book: EpisodeBook, least: number) {
    this.#book = book;
    this.#least = least;
  }

  async assess(): Promise<Judgement> {
    const student = this.#book.figures("student");
    const teacher = this.#book.figures("teacher");
    const known = student.episodes >= this.#least && teacher.episodes > 0;
    const merit = known ? relativeReturn(student.meanReturn, teacher.meanReturn) : Number.NaN;
    return { metrics: {}, merit };
  }
}
