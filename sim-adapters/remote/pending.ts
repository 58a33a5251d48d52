import type { Tensors } from "../../protocol/codec.ts";
import type { Message, Replies, Reply } from "../../protocol/messages.ts";
import type { Question } from "./questions.ts";
import type { RemoteError } from "./remote-error.ts";

/** What a call may take, in seconds. Beats extend it to `patience` times as much, where they may at all. */
export interface Budget {
  readonly seconds: number;
  readonly patience: number;
}

/** Seconds. */
const rhythm = { firstResend: 1, longestResend: 5, firstLine: 3, line: 5 } as const;

/** The times of one request, in seconds of a clock that never jumps: when to repeat it, say so, give it up. */
export class Patience {
  #since: number;
  readonly #budget: Budget;
  #deadline: number;
  #resendAt: number;
  #pause: number = rhythm.firstResend;
  #lineAt: number;
  #looked = false;

  constructor(now: number, budget: Budget) {
    this.#since = now;
    this.#budget = budget;
    this.#deadline = now + budget.seconds;
    this.#resendAt = now + rhythm.firstResend;
    this.#lineAt = now + rhythm.firstLine;
  }

  get seconds(): number {
    return this.#budget.seconds;
  }

  elapsed(now: number): number {
    return now - this.#since;
  }

  /** Time in which this process stood still does not count. */
  excuse(gap: number): void {
    this.#since += gap;
    this.#deadline += gap;
    this.#resendAt += gap;
    this.#lineAt += gap;
  }

  /** A sign that the other side is at work. */
  beat(now: number): void {
    const latest = this.#since + this.#budget.seconds * this.#budget.patience;
    this.#deadline = Math.max(this.#deadline, Math.min(latest, now + this.#budget.seconds));
  }

  /** Asked twice before it says so: what lies in the socket is read between. */
  spent(now: number): boolean {
    const over = now >= this.#deadline;
    const again = over && this.#looked;
    this.#looked = over;
    return again;
  }

  resendIn(now: number, pause: number): void {
    this.#resendAt = now + pause;
  }

  /** True once per pause; pauses grow. */
  resendDue(now: number): boolean {
    if (now < this.#resendAt) return false;
    this.#resendAt = now + this.nextPause();
    return true;
  }

  nextPause(): number {
    this.#pause = Math.min(this.#pause * 2, rhythm.longestResend);
    return this.#pause;
  }

  lineDue(now: number): boolean {
    if (now < this.#lineAt) return false;
    this.#lineAt = now + rhythm.line;
    return true;
  }
}

/** The one request that is under way. */
export interface Pending {
  readonly question: Question;
  readonly tensors: Tensors;
  readonly patience: Patience;
  seq: number;
  frames: readonly Uint8Array[];
  /** What the other side last said about its state. */
  told: string;
  /** It was refused for now; asked again at the next repetition, under a new number where this one is used up. */
  refused?: { readonly error: RemoteError; readonly renumber: boolean };
  readonly resolve: (message: Message<Reply>) => void;
  readonly reject: (error: unknown) => void;
}

/** For people: what is waited for, how long already, and what the other side last said. */
export function waitingLine(
  { question, patience, told }: Pending,
  where: string,
  now: number,
): string {
  const passed = `${patience.elapsed(now).toFixed(0)} s of ${patience.seconds} s`;
  const state = told === "" ? "" : `: ${told}`;
  return `waiting for ${where} to answer ${question.type} (${passed})${state}`;
}

/** A sign that the other side is at work on it. */
export function noteProgress(pending: Pending, beat: Replies["progress"], now: number): void {
  pending.patience.beat(now);
  const detail = beat.message === "" ? "" : `, ${beat.message}`;
  pending.told = `it is ${beat.stage} (${beat.elapsed.toFixed(0)} s)${detail}`;
}
