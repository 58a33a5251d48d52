import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { refuseChangedRun } from "../../src/config/kept-keys.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { toYaml } from "../../src/config/to-yaml.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-changed-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const iql = ["algorithm.class_name=iql", "dataset=x.hdf5"];
const before = resolveConfig({ overrides: iql });

it("a run that goes on names the one key that was changed, not its block", () => {
  const after = resolveConfig({ overrides: [...iql, "algorithm.actor_hidden_dims=[8]"] });
  expect(() => refuseChangedRun(before.config, after.config, after.algorithm)).toThrow(
    /^algorithm\.actor_hidden_dims is \[8\], but the run to go on with was flown with \[256,256\]$/,
  );
});

it("a run that should go on with another algorithm hears of that, not of its own keys", () => {
  const base = join(work, "agent.yaml");
  writeFileSync(base, toYaml(before.config));
  const change = (name: string) => () =>
    resolveConfig({ base, overrides: [`algorithm.class_name=${name}`] });
  expect(change("iql")).not.toThrow();
  expect(change("td3_bc")).toThrow(/class_name is "td3_bc", but .* flown with "iql"/);
});
