import { randomBytes } from "node:crypto";
import type { Tensors } from "../../protocol/codec.ts";
import {
  decodeReply,
  encodeRequest,
  type Message,
  type Replies,
  type Reply,
} from "../../protocol/messages.ts";
import { DealerLink, type DealerOptions, type Weather } from "./dealer-link.ts";
import { failure } from "./failures.ts";
import { type Asked, answers, type Question } from "./questions.ts";
import type { RemoteError } from "./remote-error.ts";

export interface CallerOptions extends DealerOptions {
  readonly onWaiting: (line: string) => void;
}

export interface LinkStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Seconds from the last request to its reply, retries included. */
  readonly lastRoundTrip: number;
  /** Seconds by part, as the simulator measured them for the last reply that told. */
  readonly serverTiming: Readonly<Record<string, number>>;
}

/** What a call may take, in seconds. Beats extend it to `patience` times as much, where they may at all. */
export interface Budget {
  readonly seconds: number;
  readonly patience: number;
}

interface Pending {
  readonly type: Asked["type"];
  readonly seq: number;
  readonly frames: readonly Uint8Array[];
  readonly since: number;
  readonly budget: Budget;
  deadline: number;
  resendAt: number;
  resendAfter: number;
  lineAt: number;
  /** What the other side last said about its state. */
  told: string;
  readonly resolve: (message: Message<Reply>) => void;
  readonly reject: (error: unknown) => void;
}

/** Seconds. A connection that is down for `lostAfter` during a call counts as a dead simulator. */
const rhythm = { tick: 0.2, firstResend: 1, longestResend: 5, busyRetry: 2 } as const;
const patienceOf = { firstLine: 3, line: 5, lostAfter: 5, keepAlive: 10 } as const;

/**
 * One request at a time over a connection that may come late, break and come back. A request is repeated with its
 * number until its reply is there, so nothing is carried out twice and nothing is lost but by a dead simulator.
 */
export class Caller {
  readonly session = randomBytes(12).toString("hex");
  readonly #link: DealerLink;
  readonly #onWaiting: (line: string) => void;
  readonly #listening: boolean;
  readonly #timer: NodeJS.Timeout;
  #stats: LinkStats = { bytesSent: 0, bytesReceived: 0, lastRoundTrip: 0, serverTiming: {} };
  #epoch: string | undefined;
  #seq = 0;
  #pending: Pending | undefined;
  #down: number | undefined;
  #lastSent = 0;
  #dead: RemoteError | undefined;

  private constructor(link: DealerLink, options: CallerOptions) {
    this.#link = link;
    this.#onWaiting = options.onWaiting;
    this.#listening = options.listen ?? false;
    this.#timer = setInterval(() => this.#tick(seconds()), rhythm.tick * 1000);
    link.start(
      {
        message: (frames) => this.#arrived(frames),
        weather: (change) => this.#weather(change),
      },
      this.#listening,
    );
  }

  static async open(options: CallerOptions): Promise<Caller> {
    return new Caller(await DealerLink.open(options), options);
  }

  get endpoint(): string {
    return this.#link.endpoint;
  }

  get stats(): LinkStats {
    return this.#stats;
  }

  /** @throws RemoteError when the budget is spent, the simulator refuses, or it is not the one from before. */
  call<K extends Asked["type"]>(
    question: Question & { type: K },
    tensors: Tensors,
    budget: Budget,
  ): Promise<Message<Replies[(typeof answers)[K]]>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    if (this.#pending !== undefined) return Promise.reject(failure.inFlight(this.#pending.type));
    const seq = this.#seq + 1;
    return new Promise<Message<Reply>>((resolve, reject) => {
      const request = { ...question, seq, session: this.session } as Asked;
      const frames = encodeRequest(request, tensors);
      this.#seq = seq;
      const now = seconds();
      this.#pending = {
        type: question.type,
        seq,
        frames,
        since: now,
        budget,
        deadline: now + budget.seconds,
        resendAt: now + rhythm.firstResend,
        resendAfter: rhythm.firstResend,
        lineAt: now + patienceOf.firstLine,
        told: "",
        resolve,
        reject,
      };
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

  /** Tells the simulator, waits two seconds at most, and closes the socket. */
  async close(): Promise<void> {
    this.#settle()?.reject(failure.closed());
    if (this.#dead === undefined && this.#epoch !== undefined && this.#down === undefined) {
      await this.call({ type: "close" }, {}, { seconds: 2, patience: 1 }).catch(() => {});
    }
    this.#dead = failure.closed();
    clearInterval(this.#timer);
    this.#link.close();
  }

  #send(frames: readonly Uint8Array[], now: number): void {
    this.#lastSent = now;
    const bytes = sizeOf(frames);
    this.#stats = { ...this.#stats, bytesSent: this.#stats.bytesSent + bytes };
    this.#link.send(frames);
  }

  #settle(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  #tick(now: number): void {
    const pending = this.#pending;
    if (pending === undefined) {
      this.#keepAlive(now);
      return;
    }
    const started = this.#epoch !== undefined;
    if (started && this.#down !== undefined && now - this.#down > patienceOf.lostAfter) {
      this.fail(failure.lost(this.endpoint, "the connection broke and did not come back"));
    } else if (now >= pending.deadline) {
      const spent = now - pending.since;
      this.fail(
        started
          ? failure.lost(this.endpoint, `no reply to ${pending.type} for ${spent.toFixed(0)} s`)
          : failure.notStarted(this.endpoint, spent, pending.told),
      );
    } else {
      if (now >= pending.lineAt) this.#sayWaiting(pending, now);
      if (now < pending.resendAt) return;
      pending.resendAfter = Math.min(pending.resendAfter * 2, rhythm.longestResend);
      pending.resendAt = now + pending.resendAfter;
      this.#send(pending.frames, now);
    }
  }

  /** Holds the session while the runner is busy learning. */
  #keepAlive(now: number): void {
    if (this.#epoch === undefined || this.#down !== undefined || this.#dead !== undefined) return;
    if (now - this.#lastSent < patienceOf.keepAlive) return;
    this.#send(encodeRequest({ type: "ping", seq: 0, session: this.session }), now);
  }

  #sayWaiting(pending: Pending, now: number): void {
    pending.lineAt = now + patienceOf.line;
    const passed = `${(now - pending.since).toFixed(0)} s of ${pending.budget.seconds} s`;
    const where = this.#listening ? `a simulator to dial ${this.endpoint}` : this.endpoint;
    const state = pending.told === "" ? "" : `: ${pending.told}`;
    this.#onWaiting(`waiting for ${where} to answer ${pending.type} (${passed})${state}`);
  }

  #weather(change: Weather): void {
    if (change.type === "up") {
      const back = this.#down !== undefined;
      this.#down = undefined;
      if (back && this.#pending !== undefined) this.#send(this.#pending.frames, seconds());
    } else if (change.type === "down") {
      this.#down ??= seconds();
      if (this.#pending?.type === "close") this.#settle()?.reject(failure.closed());
    } else if (!this.#listening) {
      // A listening side hears every stranger that knocks; a dialling one only whom it asked for.
      this.fail(failure.refused(this.endpoint, change.denied, change.reason));
    }
  }

  #arrived(frames: readonly Uint8Array[]): void {
    this.#stats = {
      ...this.#stats,
      bytesReceived: this.#stats.bytesReceived + sizeOf(frames),
    };
    let message: Message<Reply>;
    try {
      message = decodeReply(frames);
    } catch (error) {
      this.fail(failure.badReply(this.#pending?.type ?? "a ping", error));
      return;
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
    if (header.type === "progress") this.#progress(pending, header);
    else if (header.type === "error") this.#refusal(pending, header);
    else if (header.type !== answers[pending.type]) {
      this.fail(failure.badReply(pending.type, new Error(`its type is ${header.type}`)));
    } else {
      const timing = "timing" in header ? header.timing : undefined;
      this.#stats = {
        ...this.#stats,
        lastRoundTrip: seconds() - pending.since,
        ...(timing === undefined ? {} : { serverTiming: timing }),
      };
      this.#settle();
      pending.resolve(message);
    }
  }

  #progress(pending: Pending, beat: Replies["progress"]): void {
    const { seconds: allowed, patience } = pending.budget;
    const latest = pending.since + allowed * patience;
    pending.deadline = Math.max(pending.deadline, Math.min(latest, seconds() + allowed));
    const detail = beat.message === "" ? "" : `, ${beat.message}`;
    pending.told = `it is ${beat.stage} (${beat.elapsed.toFixed(0)} s)${detail}`;
  }

  #refusal(pending: Pending, error: Replies["error"]): void {
    if (error.code === "busy" && pending.type === "hello") {
      pending.told = error.message;
      pending.resendAt = seconds() + rhythm.busyRetry;
      return;
    }
    const refused = failure.byServer(error);
    if (refused.fatal) this.fail(refused);
    else this.#settle()?.reject(refused);
  }
}

function seconds(): number {
  return performance.now() / 1000;
}

function sizeOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => sum + frame.byteLength, 0);
}
