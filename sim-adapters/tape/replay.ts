import { decodeHeader, decodeMessage, type RawMessage, renumbered } from "../../protocol/codec.ts";
import { encodeReply } from "../../protocol/messages.ts";
import { type LinkOptions, RouterLink } from "../serve/router-link.ts";
import { difference, type Exchange, type Session, sessionsOf } from "./exchanges.ts";
import { TapeError, type TapeReader } from "./tape.ts";

export interface Replayed {
  /** Requests answered from the tape. */
  readonly answered: number;
  /** The first that was another than the recorded one. */
  readonly first?: {
    readonly session: number;
    readonly request: number;
    readonly type: string;
    readonly what: string;
  };
}

export interface Replay {
  readonly endpoint: string;
  /** Settles when the last session of the tape was closed, or `close` was called. */
  readonly done: Promise<Replayed>;
  close(): Promise<void>;
}

/**
 * Serves a tape in place of the simulator: every request gets the reply that was recorded, whatever it says, and the
 * first that differs from the recorded one is told.
 *
 * @throws TapeError, ProtocolError, EndpointError, ServeError
 */
export async function replay(
  tape: TapeReader,
  options: LinkOptions & { readonly say: (line: string) => void },
): Promise<Replay> {
  const sessions = sessionsOf(tape);
  if (sessions.length === 0) {
    const hint = "The run ended before its simulator answered: record it again.";
    throw new TapeError("no-answer", `${tape.path} holds no whole greeting`, hint);
  }
  const link = await RouterLink.open(options);
  const player = new Player(tape, sessions, options.say);
  const close = () => link.close();
  const done = new Promise<Replayed>((resolve, reject) => {
    const listening = link.listen((from, frames) => {
      player.receive(frames, (reply) => link.send(from, reply));
      if (player.ended) void close();
    });
    listening.then(() => resolve(player.result), reject);
  });
  return { endpoint: link.endpoint, done, close };
}

type Send = (frames: readonly Uint8Array[]) => void;

class Player {
  readonly #tape: TapeReader;
  readonly #sessions: readonly Session[];
  readonly #say: (line: string) => void;
  #session = -1;
  #next = 0;
  #last: { seq: unknown; frames: readonly Uint8Array[] } | undefined;
  #answered = 0;
  #first: Replayed["first"];
  ended = false;

  constructor(tape: TapeReader, sessions: readonly Session[], say: (line: string) => void) {
    this.#tape = tape;
    this.#sessions = sessions;
    this.#say = say;
  }

  get result(): Replayed {
    const answered = this.#answered;
    return this.#first === undefined ? { answered } : { answered, first: this.#first };
  }

  receive(frames: readonly Uint8Array[], send: Send): void {
    let request: RawMessage;
    try {
      request = decodeMessage(frames);
    } catch {
      return; // A stranger: nobody that a recording knows.
    }
    const { type, seq } = request.header as { type?: unknown; seq?: unknown };
    if (typeof seq !== "number") return;
    if (type === "ping") send(this.#pong(seq));
    else if (seq === this.#last?.seq && type !== "hello") send(this.#last.frames);
    else this.#answer(request, seq, send);
  }

  #answer(request: RawMessage, seq: number, send: Send): void {
    const type = typeof request.header.type === "string" ? request.header.type : "";
    if (type === "hello") this.#begin();
    const exchange = this.#sessions[this.#session]?.[this.#next];
    const recorded = exchange?.reply;
    if (exchange === undefined || recorded === undefined || exchange.type !== type) {
      send(this.#nothing(type, seq, exchange));
      return;
    }
    this.#compare(request, exchange);
    const [header, ...tensors] = this.#tape.frames(recorded);
    // As it came, also where no client can read it: that may be what was recorded.
    const frames = [renumbered(header!, seq), ...tensors];
    this.#last = { seq, frames };
    this.#answered += 1;
    this.#next += 1;
    send(frames);
    if (type === "close") this.ended = this.#session === this.#sessions.length - 1;
  }

  #begin(): void {
    if (this.#session < this.#sessions.length - 1) this.#session += 1;
    this.#next = 0;
    this.#last = undefined;
  }

  #compare(request: RawMessage, { type, request: recorded }: Exchange): void {
    if (this.#first !== undefined) return;
    const what = difference(request, decodeMessage(this.#tape.frames(recorded)));
    if (what === undefined) return;
    this.#first = { session: this.#session + 1, request: this.#next + 1, type, what };
    this.#say(
      `request ${this.#next + 1} of session ${this.#session + 1}, ${type}, differs: ${what}`,
    );
  }

  #nothing(type: string, seq: number, exchange: Exchange | undefined): Uint8Array[] {
    const known =
      exchange === undefined ? "the recording ends here" : `recorded was ${exchange.type}`;
    const lost = exchange?.type === type ? "the recorded simulator never answered" : known;
    return encodeReply({
      ...{
        type: "error",
        seq,
        epoch: this.#epoch,
        code: "tape-ended",
        retryable: false,
        fatal: true,
      },
      message: `request ${this.#next + 1} of session ${this.#session + 1} is ${type}; ${lost}`,
      hint: "Run the same command with the same configuration and version as the recorded run.",
    });
  }

  #pong(seq: number): Uint8Array[] {
    return encodeReply({ type: "pong", seq, epoch: this.#epoch });
  }

  /** Of the recorded simulator's start, which a client holds every reply against. */
  get #epoch(): string {
    const welcome = this.#sessions[Math.max(0, this.#session)]?.[0]?.reply;
    const header = welcome && decodeHeader(this.#tape.header(welcome));
    return typeof header?.epoch === "string" ? header.epoch : "replay-of-a-tape";
  }
}
