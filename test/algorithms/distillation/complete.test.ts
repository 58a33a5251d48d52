import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { complete } from "../../../src/algorithms/distillation/complete.ts";
import type { DistillationConfig } from "../../../src/algorithms/distillation/settings.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";

let run = "";

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "firstsolo-groups-"));
  mkdirSync(join(run, "params"));
  copyFileSync("policies/teachers/hover-rsl_rl-4.0.1.pt", join(run, "model_7.pt"));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

function completed(groups: string, ...overrides: readonly string[]): Promise<DistillationConfig> {
  writeFileSync(
    join(run, "params", "agent.yaml"),
    `policy: {activation: elu}\nobs_groups: {policy: ${groups}}`,
  );
  const { config } = resolveConfig({ overrides: [`checkpoint=${run}`, ...overrides] });
  return complete(config as DistillationConfig, { resumed: false });
}

describe("a teacher's own agent.yaml", () => {
  it("says which observation groups it reads, and the folder which file it is", async () => {
    const config = await completed("[policy, scan]");
    expect(config.obs_groups).toEqual({ student: null, teacher: ["policy", "scan"] });
    expect(config.checkpoint).toBe(join(run, "model_7.pt"));
  });

  it.each(["[scan,policy]", "[policy]", "[policy,scan,more]"])(
    "is not contradicted in silence: %s",
    async (given) => {
      const attempt = completed("[policy, scan]", `obs_groups.teacher=${given}`);
      await expect(attempt).rejects.toMatchObject({
        code: "other-groups",
        message: expect.stringContaining("[policy, scan]"),
      });
    },
  );

  it.each([
    ["[policy, scan]", "[policy,scan]"],
    ["[policy, scan]", "[proprioception,heights]"],
    ["[policy]", "[teacher]"],
  ])("that says %s leaves %s as it is", async (own, given) => {
    const { obs_groups } = await completed(own, `obs_groups.teacher=${given}`);
    expect(`[${obs_groups.teacher}]`).toBe(given);
  });

  it("that knows one group only says nothing: what it is called there is called otherwise here", async () => {
    expect((await completed("[policy]")).obs_groups.teacher).toBeNull();
  });

  it("is not looked for where the teacher is no file", async () => {
    for (const checkpoint of ["hover", "simulator"]) {
      const { config } = resolveConfig({ overrides: [`checkpoint=${checkpoint}`] });
      const given = config as DistillationConfig;
      expect(await complete(given, { resumed: false })).toEqual(config);
    }
  });

  it("is not looked at again when a run goes on: its teacher is in its checkpoint", async () => {
    const { config } = resolveConfig({ overrides: [`checkpoint=${run}/gone.pt`] });
    expect(await complete(config as DistillationConfig, { resumed: true })).toEqual(config);
  });

  it("that says no activation stops the run, unless one is named or elu is to be assumed", async () => {
    writeFileSync(join(run, "params", "agent.yaml"), "seed: 1");
    const attempt = (...overrides: readonly string[]) => {
      const { config } = resolveConfig({ overrides: [`checkpoint=${run}`, ...overrides] });
      return complete(config as DistillationConfig, { resumed: false });
    };
    await expect(attempt()).rejects.toMatchObject({ code: "no-activation" });
    await attempt("policy.teacher_activation=tanh");
    await attempt("policy.assume_activation=true");
  });
});
