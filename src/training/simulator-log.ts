import type { ChildProcess } from "node:child_process";
import { constants, createWriteStream, openSync, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { visibleLine } from "../../protocol/visible.ts";

const kept = 200;
/** Its own file: a link that somebody puts there is not followed. */
const own = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** What simulators of our own print, one process after the other: the latest lines, and all of them in a file. */
export class SimulatorLog {
  readonly #lines: string[] = [];
  #file: WriteStream | undefined;

  follow(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.add(line));
    }
  }

  add(foreign: string): void {
    if (foreign === "") return;
    const line = visibleLine(foreign);
    this.#file?.write(`${line}\n`);
    this.#lines.push(line);
    if (this.#lines.length > kept) this.#lines.splice(0, this.#lines.length - kept);
  }

  /** The latest lines. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Writes those, and all that comes from now on, to a file. */
  to(path: string): void {
    this.#file = opened(path);
    this.#file?.write(this.#lines.map((line) => `${line}\n`).join(""));
  }

  close(): void {
    this.#file?.end();
    this.#file = undefined;
  }
}

/** A log that can't be kept is no reason to land. */
function opened(path: string): WriteStream | undefined {
  try {
    const stream = createWriteStream(path, { fd: openSync(path, own, 0o600) });
    return stream.on("error", () => {});
  } catch {
    return undefined;
  }
}
