import { describe, expect, it } from "vitest";
import type { TwoStageSettings } from "../../../src/algorithms/distillation/phases.ts";
import { TwoStagePlan } from "../../../src/algorithms/distillation/two-stage-plan.ts";
import { noGates } from "./no-gates.ts";

function plan(changes: Partial<TwoStageSettings> = {}): TwoStagePlan {
  return new TwoStagePlan({
    ...noGates,
    use_two_stage_training: true,
    phase1_iterations: 3,
    max_iterations: 8,
    ...changes,
  });
}

/** The stages of these iterations, when the merit is always this. */
function stages(of: TwoStagePlan, iterations: number, merit = Number.NaN) {
  return Array.from({ length: iterations }, (_, iteration) => {
    const planned = of.at(iteration);
    of.observe({}, merit);
    return planned;
  });
}

describe("the two stages", () => {
  it("change after phase1_iterations, which is said once", () => {
    const seen = stages(plan(), 6);
    expect(seen.map(({ stage }) => stage.index)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(seen.map(({ entered }) => entered?.why)).toEqual([
      ...Array(3).fill(undefined),
      "plan",
      ...Array(2).fill(undefined),
    ]);
    expect(seen[4]!.stage).toMatchObject({ name: "student-drives", iteration: 1, length: 5 });
    expect(seen[4]!.metrics).toEqual({
      "Distillation/training_phase": 2,
      "Distillation/phase_iteration": 1,
      "Distillation/phase_length": 5,
      "Distillation/teacher_share": 0,
    });
  });

  it("are one without two-stage training", () => {
    const { stage, entered } = plan({ use_two_stage_training: false }).at(0);
    expect(stage).toMatchObject({ index: 1, settings: { teacher_share: 0 } });
    expect(entered).toBeUndefined();
  });

  it("change when somebody asks, and say why not a second time", () => {
    const asked = plan();
    expect(asked.ask("next-phase", 1)).toBe("done");
    expect(asked.ask("next-phase", 1)).toContain("the student has the controls already");
    expect(asked.at(1)).toMatchObject({ stage: { index: 1 }, entered: { why: "asked" } });
    const mixed = plan({ teacher_share_schedule: "constant", teacher_share_start: 0.5 });
    expect(mixed.ask("next-phase", 1)).toContain("a schedule says");
  });

  it("change early by the gate, and back for a while by the guard", () => {
    const early = plan({ gate_threshold: 0.8, gate_iterations: 2, phase1_iterations: 7 });
    expect(stages(early, 4, 0.9).map(({ entered }) => entered?.why)[2]).toBe("gate");
    const guarded = plan({ guard_threshold: 0.5, guard_iterations: 2, guard_rest: 1 });
    const seen = stages(guarded, 7, 0.1).map(({ entered }) => entered?.type);
    expect(seen.slice(3)).toEqual(["phase-switch", undefined, "phase-resumed", "phase-switch"]);
  });

  it("go on where they were saved, under a plan that may be longer now", () => {
    const before = plan();
    stages(before, 4);
    const longer = plan({ max_iterations: 20 });
    longer.load(JSON.parse(JSON.stringify(before.save())));
    expect(longer.at(5).stage).toMatchObject({ index: 1, iteration: 2, length: 17 });
  });
});
