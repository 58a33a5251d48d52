import { inTime } from "./in-time.ts";
import type { MetricSink } from "./metric-sink.ts";
import { SinkGuard } from "./sink-guard.ts";

export interface NamedSink {
  /** As people know it: `W&B`, `console`. */
  readonly name: string;
  readonly sink: MetricSink;
}

export interface TeeOptions {
  /** Told once for each sink that fails; the others go on. */
  readonly onFailure: (line: string) => void;
  /** Seconds a sink may take to close. Default 30. */
  readonly closeWithin?: number;
}

/** One sink in front of many; each is closed once, and told nothing after that. */
export function tee(sinks: readonly NamedSink[], options: TeeOptions): MetricSink {
  const guarded = sinks.map(({ name, sink }) => ({
    sink,
    guard: new SinkGuard(name, options.onFailure),
  }));
  const closeWithin = options.closeWithin ?? 30;
  let closing: Promise<unknown> | undefined;
  return {
    write: (iteration, metrics) => {
      if (closing) return;
      for (const { sink, guard } of guarded) guard.run(() => sink.write(iteration, metrics));
    },
    event: (event) => {
      if (closing) return;
      for (const { sink, guard } of guarded) guard.run(() => sink.event(event));
    },
    close: async () => {
      closing ??= Promise.all(guarded.map((one) => closeOne(one.sink, one.guard, closeWithin)));
      await closing;
    },
  };
}

/** Closes even a sink that failed before: it may hold a file or a timer. */
async function closeOne(sink: MetricSink, guard: SinkGuard, within: number): Promise<void> {
  try {
    await inTime(sink.close(), within, "it did not close");
  } catch (error) {
    guard.fail(error);
  }
}
