import type { Tensors } from "../../protocol/codec.ts";
import type { Described, Replies, Request, Requests } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { isLocal } from "../endpoint.ts";
import type { LaneError } from "../shared-memory/lane-error.ts";
import { type OfferedLane, offerLane } from "../shared-memory/lane-file.ts";
import { ServeError } from "./serve-error.ts";
import type { ServeOptions } from "./served-env.ts";

type Encode = (shared: Described[] | undefined, tensors: Tensors | undefined) => Uint8Array[];

/** The simulator's side of the memory that it shares with its driver, for one session. */
export class HostLane {
  readonly #log: (line: string) => void;
  /** Whether drivers are on this machine, and it is wanted. */
  readonly #possible: boolean;
  #offered: OfferedLane | undefined;
  /** The last reply as frames, where its tensors went through memory. */
  #kept: { readonly seq: number; readonly frames: () => Uint8Array[] } | undefined;

  constructor(options: ServeOptions, log: (line: string) => void) {
    const { bind, connect, sharedMemory = "auto" } = options;
    this.#possible = sharedMemory !== "off" && isLocal(bind ?? connect ?? "");
    this.#log = log;
  }

  /** For the welcome; nothing where the driver doesn't take it up, or there is no such memory. */
  open(spec: EnvSpec, hello: Requests["hello"]): Pick<Replies["welcome"], "shared_memory"> {
    this.close();
    if (!this.#possible || !hello.capabilities.includes("shared_memory")) return {};
    try {
      this.#offered = offerLane(spec);
      return { shared_memory: this.#offered.offer };
    } catch (error) {
      this.#log(`no shared memory, tensors travel as frames: ${(error as Error).message}`);
      return {};
    }
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

  /** The reply's bytes: through memory where the driver has asked for that and it fits, else as frames. */
  answer(request: Request, tensors: Tensors | undefined, encode: Encode): Uint8Array[] {
    const asked = tensors !== undefined && sharedBy(request) !== undefined;
    const shared = asked ? this.#offered?.lane.put(request.seq, tensors) : undefined;
    if (shared === undefined) return encode(undefined, tensors);
    this.#kept = { seq: request.seq, frames: () => encode(undefined, tensors) };
    return encode(shared, undefined);
  }

  /** The kept reply for whoever asks again: as frames, where it cannot read the memory. */
  again(request: Request, reply: readonly Uint8Array[]): readonly Uint8Array[] {
    const asFrames = sharedBy(request) === undefined && this.#kept?.seq === request.seq;
    return asFrames ? this.#kept!.frames() : reply;
  }

  close(): void {
    this.#offered?.unlink();
    this.#offered?.lane.close();
    this.#offered = undefined;
    this.#kept = undefined;
  }
}

function sharedBy(request: Request): readonly Described[] | undefined {
  return "shared" in request ? request.shared : undefined;
}
