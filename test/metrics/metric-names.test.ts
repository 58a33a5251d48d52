import { expect, it } from "vitest";
import { renamed, withNames } from "../../src/metrics/metric-names.ts";
import type { MetricSink, Metrics } from "../../src/metrics/metric-sink.ts";

const canonical: Metrics = {
  "Loss/behavior": 1,
  "Policy/mean_std": 2,
  "Perf/collection_time": 3,
  "Perf/learning_time": 4,
};

it.each([
  [2, ["Loss/behavior", "Policy/mean_noise_std", "Perf/collection time", "Perf/learning_time"]],
  [3, ["Loss/behavior", "Policy/mean_noise_std", "Perf/collection_time", "Perf/learning_time"]],
  [5, ["Loss/behavior", "Policy/mean_std", "Perf/collection_time", "Perf/learning_time"]],
] as const)("names of rsl_rl %d, values and order as they were", (version, names) => {
  const metrics = renamed(canonical, version);
  expect(Object.keys(metrics)).toEqual(names);
  expect(Object.values(metrics)).toEqual([1, 2, 3, 4]);
});

it("loses no figure where a simulator has one under the older name already", () => {
  const both = { ...canonical, "Policy/mean_noise_std": 9 };
  expect(renamed(both, 3)).toEqual(both);
});

it("gives a sink older names and leaves the row of the others alone", async () => {
  const seen: unknown[] = [];
  const sink: MetricSink = {
    write: (iteration, metrics) => void seen.push([iteration, metrics["Policy/mean_noise_std"]]),
    event: ({ type }) => void seen.push(type),
    close: async () => void seen.push("closed"),
  };
  const before = { ...canonical };
  const named = withNames(sink, 2);
  named.write(8, canonical);
  named.event({ type: "checkpoint", iteration: 8, time: 0, message: "" });
  await named.close();
  expect(seen).toEqual([[8, 2], "checkpoint", "closed"]);
  expect(canonical).toEqual(before);
  expect(withNames(sink, 5)).toBe(sink);
});
