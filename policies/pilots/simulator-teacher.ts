import type { Frame } from "../../protocol/frame.ts";
import type { Flown, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";

/**
 * The teacher that flies on the simulator's side, beside the physics: its actions come with every
 * frame, so none of its observations need to travel, and none of its memory is kept here.
 *
 * @param actionWidth components of one environment's action
 */
export function createSimulatorTeacher(actionWidth: number): Policy {
  return {
    reads: [],
    observationWidth: 0,
    actionWidth,
    initialMemory: () => [],
    act: async (frame) => shown(frame, actionWidth),
    dispose: () => {},
  };
}

/** @throws PolicyError when the frame brought no actions, or too few. */
function shown({ started, teacherActions }: Frame, actionWidth: number): Flown {
  const expected = started.length * actionWidth;
  if (teacherActions?.length === expected) return { actions: teacherActions.slice(), memory: [] };
  throw new PolicyError(
    "no-teacher-actions",
    `the simulator should send its teacher's ${expected} actions with every frame, got ${teacherActions?.length ?? "none"}`,
    "Connect with the capability teacher_actions, or fly another teacher: --checkpoint FILE.",
  );
}
