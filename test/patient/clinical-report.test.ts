import { describe, expect, it } from "vitest";
import { createPid } from "../../policies/pilots/pid.ts";
import type { StepResult } from "../../protocol/frame.ts";
import { reportFor } from "../../sim-adapters/built-in.ts";
import { openPatient } from "../../sim-adapters/patient/open-patient.ts";
import { evaluate } from "../../src/running/evaluate.ts";

describe("the report of an evaluation on patients", () => {
  it("says of whole operations what the simulator says, by policy, with intervals", async () => {
    const env = await openPatient({ task: "anaesthesia", numEnvs: 4 });
    const logs: Record<string, number>[] = [];
    const step = env.step.bind(env);
    env.step = async (actions): Promise<StepResult> => {
      const result = await step(actions);
      if (result.log?.["Metrics/time_in_40_60"] !== undefined) logs.push(result.log);
      return result;
    };
    const student = createPid({ spec: env.spec, group: "policy" });
    const report = await reportFor(env.spec);
    const flown = await evaluate({ env, policies: { student }, episodes: 4, seed: 3, report });
    const { task } = flown.student!;
    // The first episodes may begin in the middle: the last ones are those that count.
    const { "Metrics/time_in_40_60": inRange, "Metrics/iae_bis_minutes": error } = logs.at(-1)!;
    expect(task.time_in_40_60!.mean).toBeCloseTo(inRange!, 6);
    expect(task.iae_bis_minutes!.mean).toBeCloseTo(error!, 2);
    expect(task.mdape!.mean).toBeGreaterThan(0);
    expect(task.mdape!.ci95).toBeGreaterThan(0);
  });

  it("is nobody's elsewhere, and not that of a simulator that hides the truth", async () => {
    const { spec } = await openPatient({ task: "anaesthesia", numEnvs: 1 });
    expect(await reportFor({ ...spec, task: "hopper" })).toBe(undefined);
    const { policy } = spec.observations;
    expect(await reportFor({ ...spec, observations: { policy: policy! } })).toBe(undefined);
  });
});
