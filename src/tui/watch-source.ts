import { join } from "node:path";
import { LineTail } from "../disk/lines.ts";
import { decodeRow, parseObject } from "../metrics/files/jsonl-row.ts";
import type { RunEvent } from "../metrics/metric-sink.ts";
import type { Action } from "./state/view-model.ts";

/** Rows and events of a run's two files, in the order they were made. */
export class WatchSource {
  readonly #rows: LineTail;
  readonly #eventLines: LineTail;
  #events: RunEvent[] = [];

  constructor(runPath: string) {
    this.#rows = new LineTail(join(runPath, "metrics.jsonl"));
    this.#eventLines = new LineTail(join(runPath, "events.jsonl"));
  }

  /** What is new; empty when all has been read. A long run comes in parts. */
  read(): readonly Action[] {
    for (const line of this.#eventLines.read()) {
      const event = eventOf(line);
      if (event) this.#events.push(event);
    }
    const lines = this.#rows.read();
    const actions: Action[] = [];
    for (const line of lines) {
      const row = decodeRow(line);
      if (!row) continue;
      actions.push(...this.#until(row.time), { kind: "row", ...row });
    }
    // Events behind the last row of this part wait for the rows before them.
    return lines.length > 0 ? actions : this.#until(Number.POSITIVE_INFINITY);
  }

  #until(time: number): readonly Action[] {
    const after = this.#events.findIndex((event) => event.time > time);
    const count = after === -1 ? this.#events.length : after;
    return this.#events.splice(0, count).map((event) => ({ kind: "event", event }));
  }
}

/** Whatever a line of the file holds, an event has these four. */
function eventOf(line: string): RunEvent | undefined {
  const found = parseObject(line);
  if (!found || typeof found.type !== "string") return undefined;
  const iteration = typeof found.iteration === "number" ? found.iteration : 0;
  const time = typeof found.time === "number" ? found.time : 0;
  const message = typeof found.message === "string" ? found.message : "";
  return { ...found, type: found.type, iteration, time, message };
}
