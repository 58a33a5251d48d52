import { setImmediate, setTimeout } from "node:timers/promises";
import { Router } from "zeromq";
import { limits } from "../../protocol/limits.ts";
import { checkEndpoint, refuseOpenDoor, refuseTakenFile } from "../endpoint.ts";
import { highWaterMark, zmqContext } from "../zmq-context.ts";
import { ServeError } from "./serve-error.ts";
import { type Guard, guard, type ServerCurve } from "./zap.ts";

export interface LinkOptions {
  /** Where to listen; exactly one of `bind` and `connect`. */
  readonly bind?: string;
  /** A listening client to dial out to. */
  readonly connect?: string;
  readonly curve?: ServerCurve;
}

/** Whom a message came from, as ZeroMQ names the connection. */
export type Peer = Uint8Array;

export function samePeer(a: Peer, b: Peer): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Messages on end after which timers and other sockets of this process get their turn. */
const longestBurst = 64;

/** The server's socket: one queue out, one loop in. Knows nothing of what travels. */
export class RouterLink {
  readonly endpoint: string;
  readonly #socket: Router;
  readonly #unguard: () => void;
  #sending: Promise<void> | undefined;

  private constructor(socket: Router, endpoint: string, unguard: () => void) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#unguard = unguard;
  }

  /** @throws EndpointError, or ServeError when the address cannot be bound. */
  static async open({ bind, connect, curve }: LinkOptions): Promise<RouterLink> {
    const endpoint = bind ?? connect;
    if (endpoint === undefined || (bind !== undefined && connect !== undefined)) {
      const hint = "Give bind to listen, or connect to dial out to a listening client.";
      throw new ServeError("bad-endpoint", "exactly one of bind and connect is needed", { hint });
    }
    checkEndpoint(endpoint);
    if (bind !== undefined) refuseOpenDoor(bind, (curve?.allowedClients.length ?? 0) > 0);
    const guarding = curve === undefined ? undefined : await guard(curve);
    const unguard = () => guarding?.end();
    const socket = new Router(socketOptions(curve, guarding));
    try {
      if (bind === undefined) socket.connect(endpoint);
      else {
        await refuseTakenFile(bind);
        await socket.bind(bind.replace(/:0$/, ":*"));
      }
    } catch (error) {
      socket.close();
      unguard();
      throw bindError(endpoint, error);
    }
    return new RouterLink(socket, socket.lastEndpoint ?? endpoint, unguard);
  }

  /** Hands every message to `receive` until the link is closed; must not throw. */
  async listen(receive: (from: Peer, frames: readonly Uint8Array[]) => void): Promise<void> {
    let burst = 0;
    try {
      while (!this.#socket.closed) {
        const frames = await this.#socket.receive();
        const from = frames.shift();
        if (from !== undefined) receive(from, frames);
        // What is there already is read without a pause, and a flood would starve all else.
        burst = (burst + 1) % longestBurst;
        if (burst === 0) await setImmediate();
      }
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }

  /**
   * Frames are handed over: ZeroMQ reads them after this returns. A peer that has gone or does not read gets nothing,
   * and nobody waits for it.
   */
  send(to: Peer, frames: readonly Uint8Array[]): void {
    if (this.#socket.closed) return;
    // With a sendTimeout of 0 it goes out before this returns, or not at all: no two are ever under way.
    this.#sending = this.#socket.send([to, ...frames]).catch(() => {
      // Unreachable or stalled: the reply is kept, and the client asks again.
    });
  }

  async close(): Promise<void> {
    await this.#sending;
    // LINGER 0 drops what the I/O thread has not taken yet: a moment for the last reply.
    await setTimeout(50);
    this.#socket.close();
    this.#unguard();
  }
}

function socketOptions(curve: ServerCurve | undefined, guarding: Guard | undefined) {
  return {
    context: zmqContext,
    mandatory: true,
    linger: 0,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    sendTimeout: 0,
    maxMessageSize: limits.frameBytes,
    reconnectInterval: 100,
    reconnectMaxInterval: 2000,
    ...(curve === undefined
      ? {}
      : {
          curveServer: true,
          curvePublicKey: curve.publicKey,
          curveSecretKey: curve.secretKey,
          zapDomain: guarding?.domain ?? "",
        }),
  };
}

function bindError(endpoint: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return error;
  const hint =
    code === "EADDRINUSE"
      ? "Another process listens there: stop it, or choose another port."
      : "Check that the address belongs to this machine and the folder exists.";
  return new ServeError("bind-failed", `${endpoint}: ${code}`, { hint, fatal: true, cause: error });
}
