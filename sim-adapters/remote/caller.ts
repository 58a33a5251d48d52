import type { Tensors } from "../../protocol/codec.ts";
import type { Message, Replies, Reply } from "../../protocol/messages.ts";
import type { TapeWriter } from "../tape/tape.ts";
import { taped } from "../tape/taped-link.ts";
import { DealerLink, type DealerOptions } from "./dealer-link.ts";
import { Election } from "./election.ts";
import { failure, isEnvelopeCode } from "./failures.ts";
import type { Guest, Link, Weather } from "./link.ts";
import { ListeningLink } from "./listening-link.ts";
import { type Budget, noteProgress, Patience, type Pending, waitingLine } from "./pending.ts";
import { type Asked, answers, type Question } from "./questions.ts";
import type { RemoteError } from "./remote-error.ts";
import { type LinkStats, Traffic } from "./traffic.ts";
import { Wording } from "./wording.ts";

export interface CallerOptions extends DealerOptions {
  /** Wait there for a simulator that dials in, instead of dialling. */
  readonly listen?: boolean;
  readonly onWaiting: (line: string) => void;
  /** Keeps a copy of what goes and comes. */
  readonly tape?: TapeWriter;
}

/** Seconds. A connection that is down for `lostAfter` during a call counts as a dead simulator. */
const rhythm = { tick: 0.2, busyRetry: 2, lostAfter: 5, keepAlive: 10 } as const;

/** Ticks that are late by this many seconds mean that this process stood still: Ctrl-Z, or a long computation. */
const standstill = 0.4;

/**
 * One request at a time over a connection that may come late, break and come back. A request is repeated with its
 * number until its reply is there, so nothing is carried out twice and nothing is lost but by a dead simulator.
 */
export class Caller {
  readonly wording = new Wording();
  readonly #link: Link;
  readonly #onWaiting: (line: string) => void;
  readonly #listening: boolean;
  readonly #where: string;
  readonly #timer: NodeJS.Timeout;
  readonly #election: Election;
  readonly #traffic = new Traffic();
  #epoch: string | undefined;
  #seq = 0;
  #pending: Pending | undefined;
  #down: number | undefined;
  #ticked = seconds();
  #lastSent = 0;
  #dead: RemoteError | undefined;
  #clean = () => {};

  private constructor(link: Link, options: CallerOptions) {
    this.#link = link;
    this.#election = new Election(link, this.wording.session);
    this.#onWaiting = options.onWaiting;
    this.#listening = options.listen ?? false;
    this.#where = this.#listening ? `a simulator to dial ${link.endpoint}` : link.endpoint;
    this.#timer = setInterval(() => this.#tick(seconds()), rhythm.tick * 1000);
    link.start({
      message: (frames, from) => this.#arrived(frames, from),
      weather: (change) => this.#weather(change),
    });
  }

  /** @throws EndpointError */
  static async open(options: CallerOptions): Promise<Caller> {
    const link = options.listen ? await ListeningLink.open(options) : new DealerLink(options);
    return new Caller(options.tape ? taped(link, options.tape) : link, options);
  }

  get endpoint(): string {
    return this.#link.endpoint;
  }

  get stats(): LinkStats {
    return this.#traffic.stats;
  }

  /** @throws RemoteError when the budget is spent, the simulator refuses, or it is not the one from before. */
  call<K extends Asked["type"]>(
    question: Question & { type: K },
    tensors: Tensors,
    budget: Budget,
  ): Promise<Message<Replies[(typeof answers)[K]]>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const before = this.#pending?.question.type;
    if (before !== undefined) return Promise.reject(failure.inFlight(before));
    const [seq, now] = [this.#seq + 1, seconds()];
    if (this.#down !== undefined) this.#down = now;
    return new Promise<Message<Reply>>((resolve, reject) => {
      const frames = this.wording.encode(question, seq, tensors);
      const patience = new Patience(now, budget);
      this.#seq = seq;
      this.#pending = { question, tensors, patience, seq, frames, told: "", resolve, reject };
      this.#send(frames, now);
    }) as Promise<Message<Replies[(typeof answers)[K]]>>;
  }

  /** From now on every reply must come from this start of the server. */
  pin(epoch: string): void {
    this.#epoch = epoch;
  }

  /** Ends the call that waits, and every later one, with this error. */
  fail(error: RemoteError): void {
    this.#dead ??= error;
    this.#settle()?.reject(error);
  }

  /** `clean` is called once, when the socket is closed. */
  onClosed(clean: () => void): void {
    this.#clean = clean;
  }

  /** Tells the simulator, waits two seconds at most, and closes the socket. */
  async close(): Promise<void> {
    this.#settle()?.reject(failure.closed());
    if (this.#dead === undefined && this.#epoch !== undefined && this.#down === undefined) {
      await this.call({ type: "close" }, {}, { seconds: 2, patience: 1 }).catch(() => {});
    }
    this.#dead = failure.closed();
    clearInterval(this.#timer);
    this.#link.close();
    this.wording.unshare();
    this.#clean();
    this.#clean = () => {};
  }

  #send(frames: readonly Uint8Array[], now: number): void {
    this.#lastSent = now;
    this.#traffic.sent(frames);
    this.#link.send(frames);
  }

  #settle(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  #tick(now: number): void {
    const gap = now - this.#ticked - rhythm.tick;
    this.#ticked = now;
    const pending = this.#pending;
    if (gap > standstill) {
      pending?.patience.excuse(gap);
      if (this.#down !== undefined) this.#down += gap;
    }
    if (pending === undefined) this.#keepAlive(now);
    else this.#wait(pending, now);
  }

  #wait(pending: Pending, now: number): void {
    const { patience } = pending;
    const down = this.#epoch === undefined ? undefined : this.#down;
    if (down !== undefined && now - down > rhythm.lostAfter)
      this.fail(this.#election.gone(this.endpoint));
    else if (patience.spent(now)) this.#giveUp(pending, now);
    else {
      if (patience.lineDue(now)) this.#onWaiting(waitingLine(pending, this.#where, now));
      if (patience.resendDue(now)) this.#repeat(pending, now);
    }
  }

  #repeat(pending: Pending, now: number): void {
    const renumber = pending.refused?.renumber === true;
    delete pending.refused;
    if (renumber) {
      pending.seq = ++this.#seq;
      this.#reword(pending, now);
    } else this.#send(pending.frames, now);
  }

  #giveUp({ question, patience, told, refused }: Pending, now: number): void {
    const spent = patience.elapsed(now);
    if (refused !== undefined) this.#reject(refused.error);
    else if (this.#epoch === undefined) this.fail(failure.notStarted(this.endpoint, spent, told));
    else this.fail(failure.silent(this.endpoint, question.type, spent, told));
  }

  /** Holds the session while the runner is busy learning. */
  #keepAlive(now: number): void {
    if (this.#epoch === undefined || this.#down !== undefined || this.#dead !== undefined) return;
    if (now - this.#lastSent < rhythm.keepAlive) return;
    this.#send(this.wording.ping(), now);
  }

  #weather(change: Weather): void {
    if (change.type === "up") this.#up(change.guest);
    else if (change.type === "down") {
      this.#down ??= seconds();
      if (this.#pending?.question.type === "close") this.#settle()?.reject(failure.closed());
    } else this.fail(failure.refused(this.endpoint, change.denied, change.reason));
  }

  #up(guest: Guest): void {
    const pending = this.#pending;
    if (!this.#listening) {
      const back = this.#down !== undefined;
      this.#down = undefined;
      if (back && pending !== undefined) this.#send(pending.frames, seconds());
    } else if (this.#link.chosen !== undefined) this.#election.tellSpare(guest);
    else if (this.#epoch !== undefined) {
      // Is it the one that was cut off? Its pong will tell.
      this.#link.sendTo(guest, pending?.frames ?? this.wording.ping());
    } else if (pending !== undefined && this.#link.others().length === 1) {
      // The first to come is asked first; the next only if it doesn't answer.
      pending.patience.resendIn(seconds(), 1.5);
      this.#send(pending.frames, seconds());
    }
  }

  #arrived(frames: readonly Uint8Array[], from: Guest): void {
    this.#traffic.received(frames);
    let message: Message<Reply>;
    try {
      message = this.wording.decode(frames);
    } catch (error) {
      if (this.#link.chosen !== from) this.#link.judge(from, "stranger");
      else this.fail(failure.badReply(this.#pending?.question.type ?? "a ping", error));
      return;
    }
    this.#link.judge(from, "peer");
    if (this.#link.chosen !== from) {
      const state = { pending: this.#pending, epoch: this.#epoch };
      if (!this.#election.elects(from, message.header, state)) return;
      this.#down = undefined;
    }
    if (this.#epoch !== undefined && message.header.epoch !== this.#epoch) {
      this.fail(failure.epochChanged(this.endpoint));
      return;
    }
    const pending = this.#pending;
    if (pending !== undefined) this.#answered(pending, message);
  }

  #answered(pending: Pending, message: Message<Reply>): void {
    const { header } = message;
    // An error that could not even read the number answers the request under way.
    const ours = header.seq === pending.seq || (header.type === "error" && header.seq === 0);
    if (!ours || header.type === "pong") return;
    const { type } = pending.question;
    if (header.type === "progress") noteProgress(pending, header, seconds());
    else if (header.type === "error") this.#refusal(pending, header);
    else if (header.type !== answers[type]) {
      this.fail(failure.badReply(type, new Error(`its type is ${header.type}`)));
    } else this.#fulfil(pending, message);
  }

  #fulfil(pending: Pending, message: Message<Reply>): void {
    const whole = this.wording.complete(message);
    if (typeof whole === "string") this.#withoutSharing(pending, whole);
    else {
      this.#traffic.answered(pending.patience.elapsed(seconds()), whole.header);
      this.#settle();
      pending.resolve(whole);
    }
  }

  #withoutSharing(pending: Pending, why: string): void {
    this.wording.unshare();
    this.#onWaiting(`${why}; going on with frames`);
    this.#reword(pending, seconds());
  }

  #reword(pending: Pending, now: number): void {
    pending.frames = this.wording.encode(pending.question, pending.seq, pending.tensors);
    this.#send(pending.frames, now);
  }

  #refusal(pending: Pending, error: Replies["error"]): void {
    const { patience, question } = pending;
    const refused = failure.byServer(error);
    if (error.code === "bad-shared-memory" && this.wording.shares) {
      this.#withoutSharing(pending, error.message);
    } else if (error.code === "busy" && question.type === "hello") {
      pending.told = error.message;
      patience.resendIn(seconds(), rhythm.busyRetry);
    } else if (error.retryable && !error.fatal && question.type !== "close") {
      if (pending.refused !== undefined) return;
      pending.told = error.message;
      pending.refused = { error: refused, renumber: !isEnvelopeCode(error.code) };
      patience.resendIn(seconds(), patience.nextPause() / 2);
    } else this.#reject(refused, error.code);
  }

  /** An error of the envelope has not used the number up. */
  #reject(refused: RemoteError, code = refused.code): void {
    if (refused.fatal) {
      this.fail(refused);
      return;
    }
    const pending = this.#settle();
    if (pending === undefined) return;
    if (isEnvelopeCode(code)) this.#seq = pending.seq - 1;
    pending.reject(refused);
  }
}

const seconds = () => performance.now() / 1000;
