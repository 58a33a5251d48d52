import { setTimeout } from "node:timers/promises";
import { Dealer, Router } from "zeromq";
import { checkEndpoint, refuseOpenDoor, refuseOpenLine, refuseTakenFile } from "../endpoint.ts";
import { zmqContext } from "../zmq-context.ts";
import { type Fate, Mischief } from "./mischief.ts";
import type { Rule } from "./script.ts";

export interface FaultProxyOptions {
  /** Where clients come; ends at `tcp://…:0` are replaced by a free port. */
  readonly listen: string;
  /** The server. */
  readonly server: string;
  readonly rules: readonly Rule[];
  /** Same seed, same mischief. */
  readonly seed: number;
  /** Called for the fault `kill`: whoever knows the server's process ends it. */
  readonly onKill?: () => void;
  /** A line for each fault. */
  readonly onFault?: (line: string) => void;
}

/** Between a client and a server, on this machine: passes messages on, but for what the rules say. */
export class FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #requests: Mischief;
  readonly #replies: Mischief;
  #front: Router;
  #back: Dealer;
  #client: Buffer | undefined;
  #closed = false;
  /** Faults so far, by name. */
  readonly counts = new Map<string, number>();
  readonly endpoint: string;

  private constructor(options: FaultProxyOptions, front: Router) {
    this.#options = options;
    this.#requests = new Mischief(options.rules, "requests", options.seed);
    this.#replies = new Mischief(options.rules, "replies", options.seed);
    this.#front = front;
    this.endpoint = front.lastEndpoint ?? options.listen;
    this.#back = this.#dial();
    void this.#forth(front);
  }

  /** @throws EndpointError: plain text passes here, so both ends must be on this machine. */
  static async open(options: FaultProxyOptions): Promise<FaultProxy> {
    for (const endpoint of [options.listen, options.server]) checkEndpoint(endpoint);
    refuseOpenDoor(options.listen, false);
    refuseOpenLine(options.server, false);
    await refuseTakenFile(options.listen);
    const front = await bound(options.listen);
    return new FaultProxy(options, front);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#front.close();
    this.#back.close();
  }

  #dial(): Dealer {
    const back = new Dealer({ context: zmqContext, linger: 0, reconnectInterval: 100 });
    back.connect(this.#options.server);
    void this.#home(back);
    return back;
  }

  async #forth(front: Router): Promise<void> {
    await relay(front, async ([from, ...frames]) => {
      this.#client = from;
      await this.#pass(this.#requests.judge(frames), (message) => this.#back.send([...message]));
    });
  }

  async #home(back: Dealer): Promise<void> {
    await relay(back, (frames) =>
      this.#pass(this.#replies.judge(frames), async (message) => {
        if (this.#client !== undefined) await this.#front.send([this.#client, ...message]);
      }),
    );
  }

  async #pass(fate: Fate, send: (message: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    for (const fault of fate.done) this.#note(fault);
    if (fate.kill) this.#options.onKill?.();
    if (fate.cut) await this.#cut();
    if (fate.stall > 0) await setTimeout(fate.stall * 1000);
    const pass = async () => {
      for (const message of fate.messages) await send(message).catch(() => {});
    };
    // A delayed message is overtaken by the next; a stall holds up all.
    if (fate.delay > 0) void setTimeout(fate.delay * 1000).then(pass);
    else await pass();
  }

  #note(fault: string): void {
    const count = (this.counts.get(fault) ?? 0) + 1;
    this.counts.set(fault, count);
    this.#options.onFault?.(`${fault} (${count})`);
  }

  /** Breaks both connections; the ends connect again by themselves. */
  async #cut(): Promise<void> {
    if (this.#closed) return;
    this.#front.close();
    this.#back.close();
    this.#client = undefined;
    const front = await bound(this.endpoint);
    if (this.#closed) {
      front.close();
      return;
    }
    this.#front = front;
    this.#back = this.#dial();
    void this.#forth(front);
  }
}

async function relay(
  socket: Router | Dealer,
  handle: (frames: Buffer[]) => Promise<void>,
): Promise<void> {
  try {
    for await (const frames of socket) await handle(frames as Buffer[]);
  } catch (error) {
    if (!socket.closed) throw error;
  }
}

/** The one before may not have let go of the address yet: ZeroMQ closes in a thread of its own. */
async function bound(endpoint: string): Promise<Router> {
  for (let tries = 0; ; tries++) {
    const front = new Router({ context: zmqContext, linger: 0, mandatory: true, sendTimeout: 0 });
    try {
      await front.bind(endpoint.replace(/:0$/, ":*"));
      return front;
    } catch (error) {
      front.close();
      if (tries === 50) throw error;
      await setTimeout(20);
    }
  }
}
