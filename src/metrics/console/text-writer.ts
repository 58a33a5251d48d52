import type { Writable } from "node:stream";

/** Where text goes; a reader that went away is no reason to stop. */
export type TextWriter = (text: string) => void;

/** More than this waits only where the reader has stopped reading. */
const mostWaitingBytes = 4 << 20;

/** Writes to a stream until it breaks (a closed pipe, a hung-up terminal), and nothing after that. */
export function textWriter(stream: Writable): TextWriter {
  let broken = false;
  stream.on("error", () => {
    broken = true;
  });
  return (text) => {
    if (broken || stream.destroyed || stream.writableLength > mostWaitingBytes) return;
    try {
      stream.write(text);
    } catch {
      broken = true;
    }
  };
}
