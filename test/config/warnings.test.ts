import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";

const on = "algorithm.use_two_stage_training=true";

describe("what is allowed and probably not meant", () => {
  it.each([
    [["phase1_iterations=100"], ["phase1_iterations 100 of max_iterations 100"]],
    [[], []],
    [["phase1_iterations=100", "gate_threshold=0.9"], []],
    [["teacher_share_schedule=linear", "teacher_share_iterations=50"], []],
    [["teacher_share_schedule=constant"], ["teacher_share_schedule constant stays at 1"]],
  ])("a student that never flies is worth a warning: %j", (keys, why) => {
    const overrides = ["max_iterations=100", ...keys.map((key) => `algorithm.${key}`)];
    expect(resolveConfig({ overrides }).notices).toEqual(
      why.map(
        (what) => `The student never flies in training: ${what}; it only watches the teacher`,
      ),
    );
  });

  it.each([
    [["policy.rnn_num_layers=2"], "policy.rnn_num_layers (policy.rnn_type is null)"],
    [["policy.rnn_num_layers=2", "policy.rnn_type=gru"], undefined],
    [
      ["algorithm.gate_threshold=0.5"],
      "algorithm.gate_threshold (algorithm.use_two_stage_training is false)",
    ],
    [
      ["algorithm.use_two_stage_training=false", "algorithm.phase1_iterations=9"],
      "algorithm.phase1_iterations (algorithm.use_two_stage_training is false)",
    ],
    [
      ["algorithm.teacher_share_schedule=linear", "algorithm.guard_threshold=0.5"],
      "algorithm.guard_threshold (algorithm.teacher_share_schedule is linear)",
    ],
    [
      [on, "algorithm.teacher_share_start=0.5"],
      "algorithm.teacher_share_start (algorithm.teacher_share_schedule is two_stage)",
    ],
    [
      [on, "evaluation.env_share=0", "algorithm.guard_threshold=0.5"],
      "algorithm.guard_threshold (evaluation.env_share is 0, so that nothing is measured)",
    ],
    [
      [on, "algorithm.gate_iterations=5"],
      "algorithm.gate_iterations (algorithm.gate_threshold is null)",
    ],
    [[on, "algorithm.guard_threshold=0.5", "algorithm.guard_rest=5"], undefined],
  ])("what nobody asks for is named: %j", (overrides, idle) => {
    const expected = idle === undefined ? [] : [`No effect here: ${idle}`];
    expect(resolveConfig({ overrides }).notices).toEqual(expected);
  });
});
