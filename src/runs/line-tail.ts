import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const chunkBytes = 1 << 18;
/** A longer line is none of ours. */
const longestLine = 1 << 20;

/**
 * Reads the lines that are added to a file. A line still being written waits for its end; a file that was cut, as
 * `--resume` does, or replaced is read again from its beginning.
 */
export class LineTail {
  readonly #path: string;
  #inode: number | undefined;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Whole lines since the last time; at most about 1 MB of them, so that a long file comes in parts. */
  read(): readonly string[] {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      return [];
    }
    try {
      return this.#readFrom(file);
    } finally {
      closeSync(file);
    }
  }

  #readFrom(file: number): readonly string[] {
    const { ino, size } = fstatSync(file);
    if (ino !== this.#inode || size < this.#offset) {
      this.#inode = ino;
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    const lines: string[] = [];
    const chunk = Buffer.alloc(chunkBytes);
    for (let parts = 0; parts < 4; parts += 1) {
      const count = readSync(file, chunk, 0, chunk.length, this.#offset);
      if (count === 0) break;
      this.#offset += count;
      this.#split(Buffer.concat([this.#rest, chunk.subarray(0, count)]), lines);
    }
    return lines;
  }

  #split(bytes: Buffer, lines: string[]): void {
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      lines.push(bytes.toString("utf8", from, end));
      from = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(from));
    if (this.#rest.length > longestLine) this.#rest = Buffer.alloc(0);
  }
}
