import type { MetricSink, Metrics } from "./metric-sink.ts";

/**
 * Whose names: rsl_rl's of 2.0 to 3.1, of 3.2 to 4.x, or of 5, which are the canonical ones. The
 * versions differ in these names and no others.
 */
export type MetricNames = 2 | 3 | 5;

const older: Readonly<Record<MetricNames, readonly (readonly [own: string, old: string])[]>> = {
  2: [
    ["Policy/mean_std", "Policy/mean_noise_std"],
    ["Perf/collection_time", "Perf/collection time"],
  ],
  3: [["Policy/mean_std", "Policy/mean_noise_std"]],
  5: [],
};

/** The same figures in the same order under older names; a figure that is there already stays. */
export function renamed(metrics: Metrics, names: MetricNames): Metrics {
  const changes = new Map(older[names].filter(([, old]) => !Object.hasOwn(metrics, old)));
  if (changes.size === 0) return metrics;
  const figures = Object.entries(metrics).map(([name, value]): [string, number] => [
    changes.get(name) ?? name,
    value,
  ]);
  return Object.fromEntries(figures);
}

/** The sink as dashboards of an older rsl_rl expect it to be fed. */
export function withNames(sink: MetricSink, names: MetricNames): MetricSink {
  if (names === 5) return sink;
  return {
    write: (iteration, metrics) => sink.write(iteration, renamed(metrics, names)),
    event: (event) => sink.event(event),
    close: () => sink.close(),
  };
}
