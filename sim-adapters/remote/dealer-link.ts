import type { Dealer } from "zeromq";
import { limits } from "../../protocol/limits.ts";
import { wordsOf } from "../../protocol/visible.ts";
import { type ClientCurve, clientCurveOptions } from "../curve-keys.ts";
import { checkEndpoint, refuseOpenLine } from "../endpoint.ts";
import { closeObserved, openObserved } from "../observed-dealer.ts";
import { highWaterMark, zmqContext } from "../zmq-context.ts";
import type { Guest, Link, LinkEvents } from "./link.ts";
import { Outbox } from "./outbox.ts";

export interface DealerOptions {
  readonly endpoint: string;
  readonly curve?: ClientCurve;
  /** Without CURVE beyond this machine. Default: refused. */
  readonly insecure?: boolean;
}

/** Dials the simulator: whoever answers there is the one that was asked for. */
export class DealerLink implements Link {
  readonly endpoint: string;
  readonly #socket: Dealer;
  readonly #outbox: Outbox;

  /** @throws EndpointError */
  constructor({ endpoint, curve, insecure = false }: DealerOptions) {
    checkEndpoint(endpoint);
    refuseOpenLine(endpoint, curve !== undefined || insecure);
    this.endpoint = endpoint;
    this.#socket = openObserved({ ...dealerSettings(curve), immediate: true });
    this.#outbox = new Outbox(this.#socket);
  }

  start(events: LinkEvents): void {
    void this.#watch(events);
    this.#socket.connect(this.endpoint);
    void this.#receive(events);
  }

  send(frames: readonly Uint8Array[]): void {
    this.#outbox.put(frames);
  }

  sendTo(_guest: Guest, frames: readonly Uint8Array[]): void {
    this.send(frames);
  }

  get chosen(): Guest {
    return 0;
  }

  choose(): void {}

  others(): readonly Guest[] {
    return [];
  }

  judge(): void {}

  close(): void {
    this.#outbox.clear();
    if (this.#socket.closed) return;
    closeObserved(this.#socket);
  }

  async #receive(events: LinkEvents): Promise<void> {
    try {
      while (!this.#socket.closed) events.message(await this.#socket.receive(), 0);
    } catch (error) {
      if (!this.#socket.closed) {
        events.weather({ type: "refused", denied: false, reason: wordsOf(error) });
      }
    }
  }

  /** Iterated, not subscribed to: an observer with listeners cannot be closed without an unhandled rejection. */
  async #watch({ weather }: LinkEvents): Promise<void> {
    const observer = this.#socket.events;
    try {
      for await (const event of observer) {
        if (event.type === "handshake") weather({ type: "up", guest: 0 });
        else if (event.type === "disconnect") weather({ type: "down" });
        else if (
          event.type === "handshake:error:auth" ||
          event.type === "handshake:error:protocol"
        ) {
          const denied = event.type === "handshake:error:auth";
          weather({ type: "refused", denied, reason: event.error.message });
        }
      }
    } catch (error) {
      if (!observer.closed) throw error;
    }
  }
}

/** Options of a client's socket, whichever side dials. */
export function dealerSettings(curve: ClientCurve | undefined) {
  return {
    context: zmqContext,
    linger: 0,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    sendTimeout: 250,
    maxMessageSize: limits.frameBytes,
    reconnectInterval: 100,
    reconnectMaxInterval: 1000,
    ...clientCurveOptions(curve),
  };
}
