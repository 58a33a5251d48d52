import { isSlatePilot, slatePilotReads } from "../../../policies/pilots/slates.ts";
import { pilotFor } from "../../../sim-adapters/built-in.ts";
import type { Algorithm, Wish } from "../algorithm.ts";
import { usualGroups } from "../usual-groups.ts";
import { crossCheck, idleKeys, remarks } from "./checks.ts";
import { type DistillationConfig, distillationKeys } from "./settings.ts";
import { stageNames } from "./two-stage-plan.ts";
import { recipe, settle } from "./two-stages.ts";

/** What student, teacher and evaluation read: `chooseTeacher` looks for the same groups in this order. */
function wishes({ checkpoint, obs_groups, sim, task }: DistillationConfig): readonly Wish[] {
  const students = obs_groups.student ? [obs_groups.student] : usualGroups;
  if (checkpoint === "simulator") {
    return students.map((groups) => ({ groups, teacherActions: true }));
  }
  // Where nobody names a teacher, one that sits in somebody's simulator is taken.
  const open = checkpoint === null && sim.endpoint !== null;
  const own = open ? ({ teacherActions: "welcome" } as const) : {};
  const recommended = isSlatePilot(checkpoint ?? pilotFor(task));
  const usual = recommended ? [slatePilotReads] : [["teacher"], ["policy"]];
  const teachers = obs_groups.teacher && !recommended ? [obs_groups.teacher] : usual;
  // A simulator that has neither: its teacher reads what its student reads.
  const alike =
    obs_groups.student && teachers === usual && !recommended ? [obs_groups.student] : [];
  return students.flatMap((student) =>
    [...teachers, ...alike].map((teacher) => ({
      groups: [...new Set([...student, ...teacher])],
      ...own,
    })),
  );
}

export const distillation: Algorithm<DistillationConfig> = {
  name: "distillation",
  summary: "a student imitates a teacher, who drives first (DAgger, in rsl_rl's manner)",
  description: {
    room: "Distillation",
    headline: [
      { metric: "Loss/behavior", label: "Loss", scale: "log" },
      {
        metric: "Eval/student_return",
        against: "Eval/teacher_return",
        label: "Return",
        scale: "linear",
      },
    ],
    stages: [
      { name: stageNames[0], label: "teacher flies" },
      { name: stageNames[1], label: "student flies" },
    ],
  },
  manifest: { library: "rsl_rl", agent: "rsl_rl_distillation_cfg_entry_point" },
  keys: distillationKeys,
  keptKeys: [
    "checkpoint",
    "obs_groups.student",
    "obs_groups.teacher",
    "policy.student_hidden_dims",
    "policy.rnn_type",
    "policy.rnn_hidden_dim",
    "policy.rnn_num_layers",
    "policy.history_length",
    "policy.cnn_channels",
    "policy.cnn_kernel_size",
    "policy.cnn_stride",
    "policy.activation",
    "policy.student_obs_normalization",
    "policy.teacher_activation",
    "policy.teacher_distribution",
    "policy.onnx_input",
    "policy.onnx_output",
    "algorithm.optimizer",
  ],
  flags: [
    ["--checkpoint", "FILE", "checkpoint"],
    ["--activation", "NAME", "policy.teacher_activation"],
    ["--onnx_input", "NAME", "policy.onnx_input"],
    ["--onnx_output", "NAME", "policy.onnx_output"],
    ["--min_teacher_return", "X", "evaluation.min_teacher_return"],
    ["--phase1_iterations", "N", "algorithm.phase1_iterations"],
  ],
  collects: true,
  complete: async (config, given) => (await import("./complete.ts")).complete(config, given),
  flies: () => true,
  wishes,
  recipe,
  settle,
  check: crossCheck,
  remarks,
  idle: idleKeys,
  learner: async (order) => (await import("./create-learner.ts")).createLearner(order),
  assemble: async (site) => (await import("./assemble.ts")).assemble(site),
  read: async (path) => (await import("./run-checkpoint.ts")).readRun(path),
  policies: async (saved, spec) => (await import("./policies.ts")).policiesOf(saved, spec),
};
