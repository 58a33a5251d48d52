import type { ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { visibleLine } from "../../protocol/visible.ts";

const kept = 200;

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
    this.#file = createWriteStream(path, { flags: "a" });
    // A log that can't be kept is no reason to land.
    this.#file.on("error", () => {});
    this.#file.write(this.#lines.map((line) => `${line}\n`).join(""));
  }

  close(): void {
    this.#file?.end();
    this.#file = undefined;
  }
}
