/** Bytes of a signature: 0xff, eight of padding, 0x7f (RFC 23). */
const signatureBytes = 10;

/**
 * Whether a connection begins as a ZeroMQ socket of version 3 does. Enough to send away port scans, web browsers and
 * other protocols before anything is set up for them.
 */
export function zmtpSignature(bytes: Uint8Array): "zmtp" | "unfinished" | "other" {
  if (bytes.length > 0 && bytes[0] !== 0xff) return "other";
  if (bytes.length < signatureBytes) return "unfinished";
  return bytes[signatureBytes - 1] === 0x7f ? "zmtp" : "other";
}
