import { encodeRequest, type Reply } from "../../protocol/messages.ts";
import { failure } from "./failures.ts";
import type { Guest, Link } from "./link.ts";
import type { Pending } from "./pending.ts";
import type { RemoteError } from "./remote-error.ts";

/** Which of those who dialled in is the simulator: the first that answers `hello`, and after that only the same one. */
export class Election {
  /** Who is there instead of the simulator that went away is another one. */
  replaced = false;
  readonly #link: Link;
  readonly #session: string;

  constructor(link: Link, session: string) {
    this.#link = link;
    this.#session = session;
  }

  /** A message of one who is not the simulator: whether it becomes that now. `epoch`: of the one that was, if any. */
  elects(
    from: Guest,
    header: Reply,
    { pending, epoch }: { pending: Pending | undefined; epoch: string | undefined },
  ): boolean {
    if (this.#link.chosen !== undefined) {
      // Two were asked and the other one was quicker.
      if (header.type === "welcome") this.#release(from, header.seq + 1);
      return false;
    }
    if (epoch === undefined ? !answersHello(header, pending) : header.epoch !== epoch) {
      this.replaced ||= epoch !== undefined;
      return false;
    }
    if (header.type === "error" && header.code === "busy") {
      if (pending !== undefined) pending.told = header.message;
      return false;
    }
    this.#link.choose(from);
    this.replaced = false;
    for (const guest of this.#link.others()) this.tellSpare(guest);
    return true;
  }

  /** Why the simulator did not come back. */
  gone(endpoint: string): RemoteError {
    return this.replaced
      ? failure.epochChanged(endpoint)
      : failure.lost(endpoint, "the connection broke and did not come back");
  }

  /** The place is taken. */
  tellSpare(guest: Guest): void {
    this.#link.sendTo(guest, encodeRequest({ type: "ping", seq: 0, spare: true }));
  }

  #release(guest: Guest, seq: number): void {
    this.#link.sendTo(guest, encodeRequest({ type: "close", seq, session: this.#session }));
  }
}

function answersHello(header: Reply, pending: Pending | undefined): boolean {
  if (pending?.question.type !== "hello" || header.type === "pong") return false;
  return header.seq === pending.seq;
}
