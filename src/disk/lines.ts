import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";

/** Bytes; a longer line is none of ours and is passed over, so that no file can fill the memory. */
const longestLine = 1 << 24;

export interface FileLine {
  readonly text: string;
  /** Offset in the file of the byte behind the line's end. */
  readonly end: number;
}

/** Cuts a file that comes in pieces into whole lines. */
class LineCutter {
  /** What has come of a line whose end has not. */
  #pieces: Buffer[] = [];
  #pending = 0;
  #offset = 0;

  *cut(piece: Buffer): Generator<FileLine> {
    let from = 0;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, from)) {
      this.#keep(piece.subarray(from, at));
      const text = Buffer.concat(this.#pieces).toString("utf8");
      const short = this.#pending <= longestLine;
      this.#pieces = [];
      this.#pending = 0;
      from = at + 1;
      if (short) yield { text, end: this.#offset + from };
    }
    this.#keep(Buffer.from(piece.subarray(from)));
    this.#offset += piece.length;
  }

  #keep(part: Buffer): void {
    this.#pending += part.length;
    if (this.#pending > longestLine) this.#pieces = [];
    else this.#pieces.push(part);
  }
}

/**
 * The whole lines of a file; what follows the last line's end is none. Nothing where there is no file.
 * Not node:readline: it lets a read error escape as an uncaught exception.
 */
export async function* linesOf(path: string): AsyncGenerator<FileLine> {
  const cutter = new LineCutter();
  try {
    for await (const piece of createReadStream(path)) yield* cutter.cut(piece as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

const pieceBytes = 1 << 18;

/**
 * Reads the lines that are added to a file. A line still being written waits for its end; a file that was cut, as
 * `--resume` does, or replaced is read again from its beginning.
 */
export class LineTail {
  readonly #path: string;
  #inode: number | undefined;
  #offset = 0;
  #cutter = new LineCutter();

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
      this.#cutter = new LineCutter();
    }
    const lines: string[] = [];
    const piece = Buffer.alloc(pieceBytes);
    for (let parts = 0; parts < 4; parts += 1) {
      const count = readSync(file, piece, 0, piece.length, this.#offset);
      if (count === 0) break;
      this.#offset += count;
      for (const { text } of this.#cutter.cut(piece.subarray(0, count))) lines.push(text);
    }
    return lines;
  }
}
