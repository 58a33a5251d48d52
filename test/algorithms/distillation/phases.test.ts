import { describe, expect, it } from "vitest";
import {
  firstPhase,
  nextChange,
  observe,
  phaseTwo,
  resumed,
  resumePhaseOne,
  type TwoStageSettings,
  teacherShare,
} from "../../../src/algorithms/distillation/phases.ts";
import { noGates } from "./no-gates.ts";

const settings = (changes: Partial<TwoStageSettings> = {}): TwoStageSettings => ({
  ...noGates,
  use_two_stage_training: true,
  phase1_iterations: 10,
  max_iterations: 50,
  ...changes,
});

/** Iterations at which something happened, when the ratios come in one by one. */
function fly(ratios: readonly number[], rules: TwoStageSettings): [number, string][] {
  let state = firstPhase(rules);
  const events: [number, string][] = [];
  for (const [iteration, ratio] of ratios.entries()) {
    const change = nextChange(state, iteration, rules);
    if (change !== "stay") events.push([iteration, change]);
    if (change === "plan" || change === "gate") state = phaseTwo(iteration, rules.max_iterations);
    if (change === "guard") state = resumePhaseOne(iteration, rules);
    state = observe(state, ratio, rules);
  }
  return events;
}

describe("the gate", () => {
  const gate = settings({ gate_threshold: 0.9, gate_iterations: 3 });

  it("opens phase 2 when the student has been good for K iterations on end", () => {
    const ratios = [Number.NaN, 0.95, 0.95, 0.5, 0.92, 0.9, 0.99, 0.9];
    expect(fly(ratios, gate)).toEqual([[7, "gate"]]);
  });

  it("leaves phase1_iterations as the limit", () => {
    expect(fly(Array(15).fill(0.2), gate)).toEqual([[10, "plan"]]);
  });

  it("is closed where there is none: the plan alone decides", () => {
    expect(fly(Array(15).fill(1), settings())).toEqual([[10, "plan"]]);
  });
});

describe("the guard", () => {
  const guard = settings({
    phase1_iterations: 2,
    guard_threshold: 0.5,
    guard_iterations: 2,
    guard_rest: 3,
  });

  it("gives the controls back on a collapse, and hands over again after the rest", () => {
    const ratios = [0.1, 0.1, 0.9, 0.4, 0.4, 0.4, 0.4, 0.4, 0.9, 0.9];
    expect(fly(ratios, guard)).toEqual([
      [2, "plan"],
      [5, "guard"],
      [8, "plan"],
    ]);
  });

  it("knows a single bad iteration, and one that isn't known, from a collapse", () => {
    const ratios = [0.1, 0.1, 0.9, 0.4, 0.9, 0.4, Number.NaN, 0.4, 0.9];
    expect(fly(ratios, guard)).toEqual([[2, "plan"]]);
  });

  it("does not rest beyond the end of the run", () => {
    expect(resumePhaseOne(48, guard)).toMatchObject({ from: 48, to: 50 });
  });
});

describe("a saved state, under settings that have changed since", () => {
  const watching = { phase: 1, from: 0, to: 10, streak: 4 } as const;

  it("has the new plan's end", () => {
    expect(resumed(watching, settings({ phase1_iterations: 30 }))).toEqual({ ...watching, to: 30 });
    const flying = { phase: 2, from: 10, to: 50, streak: 1 } as const;
    expect(resumed(flying, settings({ max_iterations: 80 }))).toEqual({ ...flying, to: 80 });
  });

  it("keeps the rest that a guard gave", () => {
    const resting = { phase: 1, from: 20, to: 25, streak: 0 } as const;
    expect(resumed(resting, settings())).toEqual(resting);
  });

  it("is phase 2 where there is no phase 1 any more", () => {
    for (const change of [
      { use_two_stage_training: false },
      { teacher_share_schedule: "linear" },
    ] as const) {
      expect(resumed(watching, settings(change))).toMatchObject({ phase: 2, to: 50 });
    }
  });
});

describe("the teacher's share", () => {
  const at = (iteration: number, changes: Partial<TwoStageSettings>) => {
    const rules = settings({ teacher_share_iterations: 20, ...changes });
    return teacherShare(firstPhase(rules), iteration, rules);
  };

  it("is all or nothing in two stages", () => {
    expect(at(0, {})).toBe(1);
    expect(teacherShare(phaseTwo(10, 50), 10, settings())).toBe(0);
    expect(at(0, { use_two_stage_training: false })).toBe(0);
  });

  it("falls along a line, or by a constant ratio, to its end and stays there", () => {
    const linear = { teacher_share_schedule: "linear", teacher_share_end: 0.2 } as const;
    expect([0, 10, 20, 40].map((i) => at(i, linear))).toEqual([1, 0.6, 0.2, 0.2]);
    const beta = { ...linear, teacher_share_schedule: "exponential" } as const;
    expect(at(10, beta)).toBeCloseTo(Math.sqrt(0.2), 12);
    expect(at(30, beta)).toBe(0.2);
    expect(at(19, { ...beta, teacher_share_end: 0 })).toBeLessThan(0.02);
    expect(at(20, { ...beta, teacher_share_end: 0 })).toBe(0);
  });
});
