import { expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { toYaml } from "../../src/config/to-yaml.ts";
import { parseYaml } from "../../src/config/yaml-file.ts";

const resolved = (...overrides: readonly string[]) => resolveConfig({ overrides });

it("leaves W&B's settings to its environment unless they are given", () => {
  const { log_project_name, wandb_mode, metric_names, metrics_port, sinks } = resolved().config;
  expect([log_project_name, wandb_mode, metric_names, metrics_port]).toEqual([null, null, 5, null]);
  expect(sinks).toEqual([]);
});

it("reads metric names from text and number alike", () => {
  expect(resolved("metric_names=2").config.metric_names).toBe(2);
  const flags = [{ name: "metric_names", value: 3, raw: "3", origin: "--metric_names" }];
  expect(resolveConfig({ flags }).config.metric_names).toBe(3);
});

it.each([
  ["metric_names=4", "expected one of 2, 3, 5"],
  ["metrics_port=65536", "expected a whole number from 0 to 65535, or null"],
  ["wandb_mode=onlin", "expected one of offline, online, disabled, or null"],
  ["sinks=[{modul: a.mjs}]", "expected a list of {module: FILE, export: NAME, options: {…}}"],
  ["sinks=[{module: ''}]", "expected a list of {module: FILE"],
  ["sinks=a.mjs", "expected a list of {module: FILE"],
])("refuses %s", (override, expected) => {
  expect(() => resolved(override)).toThrow(expected);
});

it("fills in what a sink needn't say, and writes sinks down as they can be read again", () => {
  const { config, sources } = resolved(
    "sinks=[{module: ./a.mjs}, {module: b.mjs, export: B, options: {deep: [1, {x: null}]}}]",
  );
  expect(config.sinks).toEqual([
    { module: "./a.mjs", export: "openSink", options: {} },
    { module: "b.mjs", export: "B", options: { deep: [1, { x: null }] } },
  ]);
  const read = parseYaml(toYaml(config, sources), "agent.yaml");
  expect(read.find(({ name }) => name === "sinks")?.value).toEqual(config.sinks);
});
