import { randomBytes } from "node:crypto";
import { Dealer } from "zeromq";
import { encodeMessage, type Tensors } from "../../protocol/codec.ts";
import { limits, protocolVersion } from "../../protocol/limits.ts";
import { decodeReply, type Message, type Replies, type Reply } from "../../protocol/messages.ts";
import { type ClientCurve, clientCurveOptions } from "../curve-keys.ts";
import { RemoteError } from "../remote/remote-error.ts";
import { zmqContext } from "../zmq-context.ts";
import { LawBroken } from "./verdict.ts";

/** A reply with its bytes. */
export type Heard = Message<Reply> & { readonly frames: readonly Uint8Array[] };

/** How long a request took, s, and the signs of life that came meanwhile. */
export interface Waited {
  readonly type: string;
  readonly seconds: number;
  readonly beats: readonly Replies["progress"][];
}

export interface GuestOptions {
  readonly endpoint: string;
  readonly curve?: ClientCurve | undefined;
  /** Seconds until an answer counts as missing. */
  readonly patience: number;
  readonly onWaited: (waited: Waited) => void;
}

/** A client that can say anything: right, wrong, twice, or out of order. */
export class Guest {
  readonly session = randomBytes(12).toString("hex");
  seq = 0;
  readonly #options: GuestOptions;
  readonly #socket: Dealer;
  #last: readonly Uint8Array[] = [];
  #answered = false;

  constructor(options: GuestOptions) {
    this.#options = options;
    this.#socket = new Dealer({
      context: zmqContext,
      linger: 0,
      sendTimeout: 2000,
      maxMessageSize: limits.frameBytes,
      ...clientCurveOptions(options.curve),
    });
    this.#socket.connect(options.endpoint);
  }

  /** Frames as they are. */
  async say(frames: readonly Uint8Array[]): Promise<void> {
    this.#last = frames;
    try {
      await this.#socket.send([...frames]);
    } catch (cause) {
      throw lost(`${this.#options.endpoint} takes no messages`, cause);
    }
  }

  /** The last message once more. */
  repeat(): Promise<void> {
    return this.say(this.#last);
  }

  /** A request with the next number (or the one given) and this session (or the one given). */
  request(header: Readonly<Record<string, unknown>>, tensors?: Tensors): Promise<void> {
    const seq = typeof header.seq === "number" ? header.seq : this.seq + 1;
    this.seq = Math.max(this.seq, seq);
    return this.say(encodeMessage({ session: this.session, ...header, seq }, tensors));
  }

  /** The next reply to `seq` that is no sign of life; undefined when none comes within the time. */
  async hear(seq: number, type: string, patience: number): Promise<Heard | undefined> {
    const start = performance.now();
    const beats: Replies["progress"][] = [];
    let deadline = start + patience * 1000;
    while (performance.now() < deadline) {
      const frames = await this.#receive(deadline - performance.now());
      if (frames === undefined) break;
      const heard = read(frames, type);
      if (heard.header.seq !== seq) continue;
      if (heard.header.type !== "progress") {
        this.#options.onWaited({ type, seconds: (performance.now() - start) / 1000, beats });
        return heard;
      }
      beats.push(heard.header);
      deadline = Math.max(deadline, performance.now() + patience * 1000);
    }
    return undefined;
  }

  /** Whatever comes next and is no sign of life. */
  async hearAny(patience: number): Promise<Heard | undefined> {
    for (;;) {
      const frames = await this.#receive(patience * 1000);
      if (frames === undefined) return undefined;
      const heard = read(frames, "a message");
      if (heard.header.type !== "progress") return heard;
    }
  }

  /** Asks and waits. @throws LawBroken when nothing comes back */
  async ask(header: Readonly<Record<string, unknown>>, tensors?: Tensors): Promise<Heard> {
    await this.request(header, tensors);
    const seq = typeof header.seq === "number" ? header.seq : this.seq;
    const heard = await this.hear(seq, String(header.type), this.#options.patience);
    if (heard !== undefined) return heard;
    throw new LawBroken(`no reply to ${header.type} for ${this.#options.patience} s`);
  }

  hello(extra: Readonly<Record<string, unknown>> = {}): Promise<Heard> {
    const client = { name: "firstsolo conform", version: "1" };
    return this.ask({ type: "hello", protocol: protocolVersion, client, ...extra });
  }

  /** Leaves politely, whatever state things are in. */
  async leave(): Promise<void> {
    try {
      // Nobody leaves a server that never spoke.
      if (this.#answered) await this.request({ type: "close", seq: this.seq + 1 });
      if (this.#answered) await this.hear(this.seq, "close", 2);
    } catch {
      // A server that broke a law may break this one too.
    }
    // First, and by hand: as in remote/dealer-link.ts.
    this.#socket.events.close();
    this.#socket.close();
  }

  async #receive(milliseconds: number): Promise<Uint8Array[] | undefined> {
    this.#socket.receiveTimeout = Math.max(1, Math.ceil(milliseconds));
    try {
      const frames = await this.#socket.receive();
      this.#answered = true;
      return frames;
    } catch (cause) {
      if ((cause as { code?: unknown }).code === "EAGAIN") return undefined;
      throw lost(`${this.#options.endpoint} cannot be heard`, cause);
    }
  }
}

function read(frames: readonly Uint8Array[], to: string): Heard {
  try {
    return { ...decodeReply(frames), frames };
  } catch (cause) {
    throw new LawBroken(`the reply to ${to}: ${(cause as Error).message}`, { cause });
  }
}

function lost(message: string, cause: unknown): RemoteError {
  const hint = "Look at the simulator's own output.";
  return new RemoteError("simulator-lost", message, { hint, cause });
}
