import { decodeMessage } from "../../protocol/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { protocolVersion } from "../../protocol/limits.ts";
import { type Message, parseRequest, type Request } from "../../protocol/messages.ts";
import { wordsOf } from "../../protocol/visible.ts";

/**
 * Frames → request. `numbered` is told the seq before anything else can be found wrong.
 *
 * @throws ProtocolError
 */
export function readRequest(
  frames: readonly Uint8Array[],
  numbered: (seq: number) => void,
): Message<Request> {
  const { header, tensors } = decodeMessage(frames);
  if (typeof header.seq === "number" && Number.isSafeInteger(header.seq)) {
    numbered(Math.max(0, header.seq));
  }
  refuseOtherVersion(header);
  return { header: parseRequest(header), tensors };
}

/** Before the rest of a `hello` is looked at. @throws ProtocolError `version-mismatch` */
function refuseOtherVersion(header: Readonly<Record<string, unknown>>): void {
  const { major } = (header.protocol ?? {}) as { major?: unknown };
  if (header.type !== "hello" || major === protocolVersion.major) return;
  const problem = `got version ${wordsOf(major, 80)}, this server speaks ${protocolVersion.major}`;
  const hint = "Install the same version of Firstsolo on both sides.";
  throw new ProtocolError("version-mismatch", problem, { field: "protocol.major", hint });
}
