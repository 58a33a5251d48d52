import { encodeEvent, encodeRow } from "../files/jsonl-row.ts";
import type { MetricSink } from "../metric-sink.ts";
import { type ConsolePlan, consoleView } from "./console-view.ts";
import { eventText, iterationText } from "./plain-text.ts";
import type { TextWriter } from "./text-writer.ts";

export interface PlainConsoleOptions extends ConsolePlan {
  readonly write: TextWriter;
  /** Whether the reader is a terminal that knows bold. */
  readonly bold?: boolean;
}

/** rsl_rl's console with the phase block; the plan follows a switch that comes early. */
export function plainConsole(options: PlainConsoleOptions): MetricSink {
  const { write, bold = false } = options;
  let plan: ConsolePlan = options;
  return {
    write: (iteration, metrics) =>
      write(iterationText(consoleView(iteration, metrics, plan), { bold })),
    event: (event) => {
      if (event.type === "phase-switch") plan = { ...plan, switchAt: event.iteration };
      write(eventText(event));
    },
    close: async () => {},
  };
}

/** For programs: the lines of `metrics.jsonl` and `events.jsonl` as they come. */
export function jsonConsole(write: TextWriter): MetricSink {
  return {
    write: (iteration, metrics) =>
      write(`${encodeRow({ iteration, time: Date.now() / 1000, metrics })}\n`),
    event: (event) => write(`${encodeEvent(event)}\n`),
    close: async () => {},
  };
}
