import { createHash } from "node:crypto";

const MARK = "firstsolo sha256 ";
const DIGEST = 64;
const SEAL = MARK.length + DIGEST;
/** Signature of a zip archive's end of directory, whose last two bytes are the length of its comment. */
const END = 0x06054b50;
const END_BYTES = 22;

/**
 * A checkpoint with the digest of all its bytes in the comment of its archive, where torch and unzip pass it
 * over. What is no archive, or has a comment of its own, is given back as it was; a sealed one too.
 */
export function sealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - END_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (end < 0 || view.getUint32(end, true) !== END || view.getUint16(end + 20, true) !== 0) {
    return bytes;
  }
  const whole = new Uint8Array(bytes.length + SEAL);
  whole.set(bytes);
  new DataView(whole.buffer).setUint16(bytes.length - 2, SEAL, true);
  whole.set(new TextEncoder().encode(MARK + digestOf(whole.subarray(0, -SEAL))), bytes.length);
  return whole;
}

/**
 * Whether a file is byte for byte what was sealed. `none`: it has no seal, as those of other tools and of
 * version 0.1, and as one that was cut short.
 */
export function sealOf(bytes: Uint8Array): "whole" | "broken" | "none" {
  if (bytes.length < SEAL + END_BYTES) return "none";
  const seal = Buffer.from(bytes.buffer, bytes.byteOffset + bytes.length - SEAL, SEAL);
  const text = seal.toString("latin1");
  if (!text.startsWith(MARK)) {
    // A comment of just that length is a seal whose first word is damaged.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.length - SEAL - END_BYTES;
    const isOurs = view.getUint32(end, true) === END && view.getUint16(end + 20, true) === SEAL;
    return isOurs ? "broken" : "none";
  }
  return text.slice(MARK.length) === digestOf(bytes.subarray(0, -SEAL)) ? "whole" : "broken";
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
