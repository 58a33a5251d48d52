import { encodeEvent, encodeRow } from "../files/jsonl-row.ts";
import type { MetricSink, RunEvent } from "../metric-sink.ts";
import { stageIn } from "../read-description.ts";
import { type ConsolePlan, consoleView, planned } from "./console-view.ts";
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
  return untilClosed({
    write: (iteration, metrics) =>
      write(iterationText(consoleView(iteration, metrics, plan), { bold })),
    event: (event) => {
      plan = followed(plan, event);
      write(eventText(event));
    },
  });
}

/** What comes after `close` is no longer printed. */
function untilClosed(sink: Pick<MetricSink, "write" | "event">): MetricSink {
  let open = true;
  return {
    write: (iteration, metrics) => {
      if (open) sink.write(iteration, metrics);
    },
    event: (event) => {
      if (open) sink.event(event);
    },
    close: async () => {
      open = false;
    },
  };
}

/** The plan after what happened: a run says what it is, or goes on to another stage. */
function followed(plan: ConsolePlan, event: RunEvent): ConsolePlan {
  if (event.type === "start") return planned(plan, event);
  const stage = stageIn(event);
  const here = stage ? { ...plan, stage } : plan;
  return event.type === "phase-switch" ? { ...here, switchAt: event.iteration } : here;
}

/** For programs: the lines of `metrics.jsonl` and `events.jsonl` as they come. */
export function jsonConsole(write: TextWriter): MetricSink {
  return untilClosed({
    write: (iteration, metrics) =>
      write(`${encodeRow({ iteration, time: Date.now() / 1000, metrics })}\n`),
    event: (event) => write(`${encodeEvent(event)}\n`),
  });
}
