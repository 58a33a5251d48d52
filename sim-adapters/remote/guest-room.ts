import { createServer, type Server, type Socket } from "node:net";
import { Dealer } from "zeromq";
import type { ClientCurve } from "../curve-keys.ts";
import { dealerSettings } from "./dealer-link.ts";
import { Outbox } from "./outbox.ts";
import { zmtpSignature } from "./zmtp-signature.ts";

export interface GuestEvents {
  entered(): void;
  message(frames: readonly Uint8Array[]): void;
  left(): void;
}

/** Milliseconds until a connection must have shown that it is a ZeroMQ socket. */
const greetingTime = 5000;

/** One connection that came in, and a DEALER of its own at the other end of a private pipe. */
export class GuestRoom {
  /** It has spoken the protocol. */
  known = false;
  /** It has begun as ZeroMQ sockets do. */
  entered = false;
  readonly #outer: Socket;
  readonly #events: GuestEvents;
  readonly #timer: NodeJS.Timeout;
  #inner: Socket | undefined;
  #door: Server | undefined;
  #dealer: Dealer | undefined;
  #outbox: Outbox | undefined;
  #closed = false;

  /** `path`: of a socket file that doesn't exist yet, in a folder of our own. */
  constructor(outer: Socket, path: string, curve: ClientCurve | undefined, events: GuestEvents) {
    this.#outer = outer;
    this.#events = events;
    this.#timer = setTimeout(() => this.close(), greetingTime);
    outer.on("error", () => this.close()).on("close", () => this.close());
    this.#readSignature(path, curve);
  }

  send(frames: readonly Uint8Array[]): void {
    this.#outbox?.put(frames);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#outbox?.clear();
    this.#outer.destroy();
    this.#inner?.destroy();
    this.#door?.close();
    this.#dealer?.close();
    this.#events.left();
  }

  #readSignature(path: string, curve: ClientCurve | undefined): void {
    let seen = Buffer.alloc(0);
    const read = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      const verdict = zmtpSignature(seen);
      if (verdict === "other") return this.close();
      if (verdict === "unfinished") return;
      clearTimeout(this.#timer);
      this.#outer.off("data", read).pause();
      this.#enter(path, curve, seen);
    };
    this.#outer.on("data", read).resume();
  }

  #enter(path: string, curve: ClientCurve | undefined, seen: Buffer): void {
    const door = createServer((inner) => {
      door.close();
      this.#join(inner, seen);
    });
    this.#door = door;
    door.on("error", () => this.close());
    door.listen(path, () => {
      if (this.#closed) return;
      const dealer = new Dealer({
        ...dealerSettings(curve),
        immediate: true,
        reconnectInterval: -1,
      });
      this.#dealer = dealer;
      this.#outbox = new Outbox(dealer);
      dealer.connect(`ipc://${path}`);
      void this.#receive(dealer);
    });
  }

  #join(inner: Socket, seen: Buffer): void {
    this.#inner = inner;
    if (this.#closed) {
      inner.destroy();
      return;
    }
    inner.on("error", () => this.close()).on("close", () => this.close());
    inner.write(seen);
    this.#outer.pipe(inner);
    inner.pipe(this.#outer);
    this.entered = true;
    this.#events.entered();
  }

  async #receive(dealer: Dealer): Promise<void> {
    try {
      for await (const frames of dealer) this.#events.message(frames);
    } catch {
      this.close();
    }
  }
}
