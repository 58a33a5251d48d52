import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes that the address of a socket has room for, less what is put behind the folder's name. */
const longest = 80;

export interface TemporaryFolder {
  readonly path: string;
  /** Why it is not where TMPDIR says; for people. */
  readonly remark?: string;
}

/**
 * A new folder of our own, 0700, for sockets: where TMPDIR says, or in /tmp where that is missing, full or too
 * long for a socket. @throws the file system's error of the first where neither takes one
 */
export function makeTemporaryFolder(prefix: string): TemporaryFolder {
  const wanted = tmpdir();
  let why: unknown = new Error(`${wanted} is too long for a socket's address`);
  if (Buffer.byteLength(wanted) <= longest) {
    try {
      return { path: mkdtempSync(join(wanted, prefix)) };
    } catch (error) {
      why = error;
    }
  }
  try {
    const path = mkdtempSync(join("/tmp", prefix));
    return { path, remark: `${(why as Error).message}; /tmp is used instead` };
  } catch (error) {
    throw (why as NodeJS.ErrnoException).code === undefined ? error : why;
  }
}
