import { Context, Dealer } from "zeromq";
import { limits } from "../../protocol/limits.ts";
import { type ClientCurve, clientCurveOptions } from "../curve-keys.ts";
import { checkEndpoint, refuseOpenDoor, refuseTakenFile } from "../endpoint.ts";

export interface DealerOptions {
  readonly endpoint: string;
  /** Bind and let the simulator dial in, instead of connecting to it. */
  readonly listen?: boolean;
  readonly curve?: ClientCurve;
}

export type Weather =
  | { readonly type: "up" }
  | { readonly type: "down" }
  /** The handshake failed; `denied` when a key was not accepted. */
  | { readonly type: "refused"; readonly denied: boolean; readonly reason: string };

export interface DealerEvents {
  message(frames: readonly Uint8Array[]): void;
  weather(change: Weather): void;
}

/** The client's socket: the newest message waits for a connection, everything that arrives is handed on. */
export class DealerLink {
  readonly endpoint: string;
  readonly #socket: Dealer;
  #next: readonly Uint8Array[] | undefined;
  #sending = false;

  private constructor(socket: Dealer, endpoint: string) {
    this.#socket = socket;
    this.endpoint = endpoint;
  }

  /** @throws EndpointError; an address that cannot be bound gives ZeroMQ's own error as its cause. */
  static async open(options: DealerOptions): Promise<DealerLink> {
    const { endpoint, listen = false, curve } = options;
    checkEndpoint(endpoint);
    if (listen) {
      refuseOpenDoor(endpoint, curve !== undefined);
      await refuseTakenFile(endpoint);
    }
    const socket = new Dealer({ context: new Context(), ...socketOptions(curve) });
    const link = new DealerLink(socket, endpoint);
    try {
      if (!listen) return link;
      await socket.bind(endpoint.replace(/:0$/, ":*"));
      return new DealerLink(socket, socket.lastEndpoint ?? endpoint);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Starts both loops; connects first when this side does not listen. */
  start(events: DealerEvents, listening: boolean): void {
    void this.#watch(events);
    if (!listening) this.#socket.connect(this.endpoint);
    void this.#receive(events);
  }

  /** Replaces a message that no connection has taken yet. Frames are handed over: ZeroMQ reads them later. */
  send(frames: readonly Uint8Array[]): void {
    this.#next = frames;
    if (!this.#sending) void this.#drain();
  }

  close(): void {
    this.#next = undefined;
    if (this.#socket.closed) return;
    // First, and by hand: left to itself it now and then misses the socket's end and keeps the process alive.
    this.#socket.events.close();
    this.#socket.close();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#next !== undefined && !this.#socket.closed) {
      const frames = this.#next;
      try {
        await this.#socket.send([...frames]);
        if (this.#next === frames) this.#next = undefined;
      } catch {
        // No connection within sendTimeout: the caller's budget decides how long to go on.
      }
    }
    this.#sending = false;
  }

  async #receive(events: DealerEvents): Promise<void> {
    try {
      for await (const frames of this.#socket) events.message(frames);
    } catch (error) {
      if (!this.#socket.closed) {
        events.weather({ type: "refused", denied: false, reason: String(error) });
      }
    }
  }

  /** Iterated, not subscribed to: an observer with listeners cannot be closed without an unhandled rejection. */
  async #watch({ weather }: DealerEvents): Promise<void> {
    const observer = this.#socket.events;
    try {
      for await (const event of observer) {
        if (event.type === "handshake") weather({ type: "up" });
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

function socketOptions(curve: ClientCurve | undefined) {
  return {
    linger: 0,
    immediate: true,
    sendHighWaterMark: 2,
    receiveHighWaterMark: 4,
    sendTimeout: 250,
    maxMessageSize: limits.frameBytes,
    reconnectInterval: 100,
    reconnectMaxInterval: 1000,
    ...clientCurveOptions(curve),
  };
}
