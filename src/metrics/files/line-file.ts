import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../../disk/make-folder.ts";

/** Its own file: a link that somebody puts there is not followed. */
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
const mode = 0o600;

/** More than this waits only where the disk has stopped taking anything. */
const mostWaitingBytes = 32 << 20;

/**
 * Appends lines to a file in the background. A disk that is full for a while costs no line and no
 * half of one: the file is cut back to its last whole line and what waits is tried again with the
 * next line. A file that was deleted, or renamed with its folder, is made anew in its place, with all its lines.
 */
export class LineFile {
  readonly #path: string;
  readonly #say: (line: string) => void;
  #file: FileHandle;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Bytes of whole lines in the file. */
  #size: number;
  #writing: Promise<void> | undefined;
  #trouble = false;
  #lost = 0;
  #closing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, size: number, say: (line: string) => void) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#say = (line) => say(`${path}: ${line}`);
  }

  /**
   * Opens to append behind the first `size` bytes; what follows them is cut off.
   *
   * @param say is told once when lines can't be written and once when they can again.
   */
  static async open(path: string, size: number, say: (line: string) => void): Promise<LineFile> {
    const file = await open(path, flags, mode);
    await file.truncate(size);
    return new LineFile(path, file, size, say);
  }

  /** After `close` nothing is taken any more. */
  append(line: string): void {
    if (this.#closing) return;
    const whole = `${line}\n`;
    if (this.#waitingBytes + whole.length > mostWaitingBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(whole);
    this.#waitingBytes += whole.length;
    this.#writing ??= this.#drain();
  }

  /** Resolves when all lines are on the disk, also for a power cut; false where the disk doesn't take them. */
  async flush(): Promise<boolean> {
    await this.#writing;
    this.#writing ??= this.#drain();
    await this.#writing;
    try {
      await this.#file.datasync();
      return this.#waiting.length === 0;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#drain();
    const lost = this.#lost + this.#waiting.length;
    if (lost > 0) this.#say(`${lost} lines were lost`);
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    // The lines of one turn of the event loop go out together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      // While these are written, more are appended to what waits.
      const lines = [...this.#waiting];
      const bytes = Buffer.from(lines.join(""));
      if (!(await this.#write(bytes))) break;
      this.#waiting = this.#waiting.slice(lines.length);
      this.#waitingBytes = this.#waiting.reduce((sum, line) => sum + line.length, 0);
    }
    this.#writing = undefined;
  }

  /** Where somebody deleted, moved or replaced the file, lines would go where nobody finds them. */
  async #stay(): Promise<void> {
    const [ours, there] = [await this.#file.stat(), await stat(this.#path).catch(() => undefined)];
    if (there !== undefined && there.ino === ours.ino && there.dev === ours.dev) return;
    makeFolder(dirname(this.#path), 0o700);
    const anew = await open(this.#path, flags, mode);
    try {
      this.#size = there === undefined ? await copy(this.#file, anew, this.#size) : there.size;
    } catch (error) {
      await anew.close();
      throw error;
    }
    await this.#file.close();
    this.#file = anew;
    this.#say(there ? "was replaced; lines go on in the new file" : "was gone; made anew, whole");
  }

  async #write(bytes: Buffer): Promise<boolean> {
    const count = this.#waiting.length;
    try {
      await this.#stay();
      await this.#file.appendFile(bytes);
      this.#size += bytes.length;
      if (this.#trouble) this.#say("writing again");
      this.#trouble = false;
      return true;
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => undefined);
      const waits = `${count} lines wait, the run goes on`;
      if (!this.#trouble) this.#say(`can't be written (${(error as Error).message}); ${waits}`);
      this.#trouble = true;
      return false;
    }
  }
}

/** The first `size` bytes, also of a file that has no name any more; gives how many there were. */
async function copy(from: FileHandle, to: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(1 << 16);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, size - at), at);
    if (bytesRead === 0) break;
    await to.appendFile(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  return at;
}
