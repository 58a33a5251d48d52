import type { Tensors } from "../../protocol/codec.ts";
import type { Described, Offer, Request, Requests } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { LaneError } from "../shared-memory/lane-error.ts";
import { type OfferedLane, offerLane } from "../shared-memory/lane-file.ts";
import { ServeError } from "./serve-error.ts";

/** The simulator's side of the memory that it shares with its driver, for one session. */
export class HostLane {
  readonly #log: (line: string) => void;
  #offered: OfferedLane | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** What the welcome says; undefined where the driver doesn't take it up, or there is no such memory. */
  open(spec: EnvSpec, hello: Requests["hello"]): Offer | undefined {
    this.close();
    if (!hello.capabilities.includes("shared_memory")) return undefined;
    try {
      this.#offered = offerLane(spec);
    } catch (error) {
      this.#log(`no shared memory, tensors travel as frames: ${(error as Error).message}`);
    }
    return this.#offered?.offer;
  }

  /** A request's tensors, wherever they are. @throws ServeError `bad-shared-memory` */
  tensorsOf(request: Request, frames: Tensors): Tensors {
    // By now the driver has the file open, or never will.
    this.#offered?.unlink();
    const shared = sharedBy(request);
    if (shared === undefined || shared.length === 0) return frames;
    try {
      if (this.#offered === undefined) throw new Error("shared memory: none was offered");
      return { ...frames, ...this.#offered.lane.take(request.seq, shared) };
    } catch (cause) {
      const { message, hint = "Send the tensors as frames." } = cause as Partial<LaneError>;
      throw new ServeError("bad-shared-memory", String(message), { hint, retryable: true, cause });
    }
  }

  /** What to announce instead of frames, where the driver has asked for that. */
  put(request: Request, tensors: Tensors | undefined): Described[] | undefined {
    if (tensors === undefined || sharedBy(request) === undefined) return undefined;
    return this.#offered?.lane.put(request.seq, tensors);
  }

  close(): void {
    this.#offered?.unlink();
    this.#offered?.lane.close();
    this.#offered = undefined;
  }
}

export function sharedBy(request: Request): readonly Described[] | undefined {
  return "shared" in request ? request.shared : undefined;
}
