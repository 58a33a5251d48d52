import { type FileHandle, open } from "node:fs/promises";

/** More than this waits only where the disk has stopped taking anything. */
const mostWaitingBytes = 32 << 20;

/**
 * Appends lines to a file in the background. A disk that is full for a while costs no line and no
 * half of one: the file is cut back to its last whole line and what waits is tried again with the
 * next line.
 */
export class LineFile {
  readonly #file: FileHandle;
  readonly #say: (line: string) => void;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Bytes of whole lines in the file. */
  #size: number;
  #writing: Promise<void> | undefined;
  #trouble = false;
  #lost = 0;
  #closing: Promise<void> | undefined;

  private constructor(file: FileHandle, size: number, say: (line: string) => void) {
    this.#file = file;
    this.#size = size;
    this.#say = say;
  }

  /**
   * Opens to append behind the first `size` bytes; what follows them is cut off.
   *
   * @param say is told once when lines can't be written and once when they can again.
   */
  static async open(path: string, size: number, say: (line: string) => void): Promise<LineFile> {
    const file = await open(path, "a");
    await file.truncate(size);
    return new LineFile(file, size, (line) => say(`${path}: ${line}`));
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

  async #write(bytes: Buffer): Promise<boolean> {
    const count = this.#waiting.length;
    try {
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
