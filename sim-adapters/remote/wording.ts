import { randomBytes } from "node:crypto";
import type { Tensors } from "../../protocol/codec.ts";
import { HeaderMemory } from "../../protocol/header-memory.ts";
import { decodeReply, encodeRequest, type Message, type Reply } from "../../protocol/messages.ts";
import type { Lane } from "../shared-memory/lane.ts";
import type { Asked, Question } from "./questions.ts";

/** How a session's requests become bytes and its replies are read: as frames, or through memory that both sides share. */
export class Wording {
  readonly session = randomBytes(12).toString("hex");
  readonly #headers = new HeaderMemory<Reply>();
  #lane: Lane | undefined;

  /** Tensors go through this file from now on, where they are large enough. Closes it at the end. */
  share(lane: Lane): void {
    this.#lane = lane;
  }

  get shares(): boolean {
    return this.#lane !== undefined;
  }

  /** Everything travels as frames again. */
  unshare(): void {
    this.#lane?.close();
    this.#lane = undefined;
  }

  encode(question: Question, seq: number, tensors: Tensors): Uint8Array[] {
    const { session } = this;
    // A copy with names added makes V8 think up a class of objects each time, which a step can do without.
    const request =
      question.type === "step"
        ? ({ type: "step", seq, session } as const)
        : ({ ...question, seq, session } as Asked);
    if (this.#lane === undefined || request.type === "close")
      return encodeRequest(request, tensors);
    const shared = this.#lane.put(seq, tensors);
    if (shared !== undefined) return encodeRequest({ ...request, shared } as Asked);
    // The empty list says that the reply may be shared.
    return encodeRequest({ ...request, shared: [] } as Asked, tensors);
  }

  ping(): Uint8Array[] {
    return encodeRequest({ type: "ping", seq: 0, session: this.session });
  }

  /** @throws ProtocolError */
  decode(frames: readonly Uint8Array[]): Message<Reply> {
    return this.#headers.read(frames, decodeReply);
  }

  /** The reply with the tensors that lie in shared memory; where they don't, why not. */
  complete(message: Message<Reply>): Message<Reply> | string {
    const { header } = message;
    const shared = "shared" in header ? header.shared : undefined;
    if (shared === undefined || shared.length === 0 || this.#lane === undefined) return message;
    try {
      return { header, tensors: { ...message.tensors, ...this.#lane.take(header.seq, shared) } };
    } catch (error) {
      return (error as Error).message;
    }
  }
}
