import { describe, expect, it } from "vitest";
import type { Policy } from "../../../policies/policy.ts";
import { Random } from "../../../policies/random.ts";
import type { Frame } from "../../../protocol/frame.ts";
import type { ActionSpec } from "../../../protocol/spec.ts";
import { Cockpit } from "../../../src/algorithms/distillation/teacher-student-actor.ts";
import {
  type HandOverSettings,
  noGates,
} from "../../../src/algorithms/distillation/two-stage-plan.ts";
import { assignSeats } from "../../../src/running/env-split.ts";

const numEnvs = 10;
const action: ActionSpec = { dtype: "<f4", shape: [2], low: [-1, -1], high: [1, 1] };
const frame: Frame = {
  observations: { policy: Float32Array.from({ length: numEnvs }, (_, i) => i) },
  started: new Uint8Array(numEnvs),
};

/** Acts with a constant, and counts its steps in its memory. */
function constant(value: number): Policy {
  return {
    reads: ["policy"],
    observationWidth: 1,
    actionWidth: 2,
    initialMemory: (n) => [new Float32Array(n)],
    act: async (_, memory) => ({
      actions: new Float32Array(numEnvs * 2).fill(value),
      memory: memory.map((m) => m.map((x) => x + 1)),
    }),
    dispose() {},
  };
}

interface CockpitSettings {
  readonly two?: boolean;
  readonly noiseStd?: number;
  readonly teacher?: number;
  readonly handOver?: Partial<HandOverSettings>;
}

function cockpit(settings: CockpitSettings = {}) {
  return new Cockpit({
    student: constant(0.25),
    teacher: constant(settings.teacher ?? -0.5),
    action,
    seats: assignSeats(numEnvs, 0.4),
    handOver: {
      ...noGates,
      use_two_stage_training: settings.two ?? true,
      phase1_iterations: 3,
      max_iterations: 8,
      ...settings.handOver,
    },
    noiseStd: settings.noiseStd ?? 0,
    random: new Random(1),
    draws: new Random(2),
  });
}

/** Hands over as the loop does. */
function fly2(seat: Cockpit) {
  seat.switchToPhase2(3);
  seat.beginIteration(3);
}

const rowsOf = (actions: Float32Array) =>
  Array.from({ length: numEnvs }, (_, row) => actions[row * 2]!);
const [student, teacher] = [0.25, -0.5];
const checks = [student, student, teacher, teacher];

describe("who flies", () => {
  it("is the teacher in phase 1 and the student in phase 2, the check rows excepted", async () => {
    const seat = cockpit();
    expect(rowsOf((await seat.act(frame)).actions)).toEqual([...Array(6).fill(teacher), ...checks]);
    fly2(seat);
    expect(rowsOf((await seat.act(frame)).actions)).toEqual([...Array(6).fill(student), ...checks]);
  });

  it("is the student from the start without two stages", async () => {
    const seat = cockpit({ two: false });
    expect(seat.trainingPhaseInfo(0)).toMatchObject({ phase: 2, teacherShare: 0 });
    expect(rowsOf((await seat.act(frame)).actions)[0]).toBe(student);
  });

  it("never hides what the other would have done", async () => {
    const seat = cockpit();
    for (const phase of [1, 2]) {
      if (phase === 2) fly2(seat);
      const decision = await seat.act(frame);
      expect(rowsOf(decision.studentActions)).toEqual(Array(numEnvs).fill(student));
      expect(rowsOf(decision.teacherActions)).toEqual(Array(numEnvs).fill(teacher));
    }
  });

  it("keeps the teacher inside the action range", async () => {
    const { teacherActions, actions } = await cockpit({ teacher: 7 }).act(frame);
    expect(Math.max(...teacherActions)).toBe(1);
    expect(actions[0]).toBe(1);
  });
});

describe("exploration noise", () => {
  it("shakes the student's training rows alone, and only while it drives them", async () => {
    const seat = cockpit({ noiseStd: 0.1 });
    expect(rowsOf((await seat.act(frame)).actions).slice(0, 6)).toEqual(Array(6).fill(teacher));
    fly2(seat);
    const { actions, studentActions } = await seat.act(frame);
    const rows = rowsOf(actions);
    expect(rows.slice(0, 6).every((a) => a !== student && Math.abs(a - student) < 0.6)).toBe(true);
    expect(rows.slice(6)).toEqual(checks);
    expect(rowsOf(studentActions)).toEqual(Array(numEnvs).fill(student));
  });

  it("goes on from a saved state with the same numbers", async () => {
    const one = cockpit({ noiseStd: 0.1 });
    fly2(one);
    await one.act(frame);
    const two = cockpit({ noiseStd: 0.1 });
    two.load(JSON.parse(JSON.stringify(one.save())));
    two.beginIteration(4);
    expect((await two.act(frame)).actions).toEqual((await one.act(frame)).actions);
    expect(two.save()).toEqual(one.save());
    expect(two.trainingPhaseInfo(4)).toEqual(one.trainingPhaseInfo(4));
  });
});

describe("a mixed share", () => {
  const mixed = {
    teacher_share_schedule: "constant",
    teacher_share_start: 0.5,
  } as const satisfies Partial<HandOverSettings>;
  const started = { ...frame, started: new Uint8Array(numEnvs).fill(1) };

  it("draws a pilot for each episode, who keeps it until its end", async () => {
    const seat = cockpit({ handOver: mixed });
    seat.beginIteration(0);
    const drawn = rowsOf((await seat.act(started)).actions).slice(0, 6);
    for (let i = 0; i < 5; i += 1) {
      expect(rowsOf((await seat.act(frame)).actions).slice(0, 6)).toEqual(drawn);
    }
    const flown = { student: 0, teacher: 0 };
    for (let i = 0; i < 200; i += 1) {
      for (const action of rowsOf((await seat.act(started)).actions).slice(0, 6)) {
        flown[action === student ? "student" : "teacher"] += 1;
      }
    }
    expect(flown.teacher / 1200).toBeGreaterThan(0.45);
    expect(flown.teacher / 1200).toBeLessThan(0.55);
  });

  it("goes on from a saved state with the same pilots, running episodes included", async () => {
    const one = cockpit({ handOver: mixed });
    one.beginIteration(0);
    await one.act(started);
    const two = cockpit({ handOver: mixed });
    two.load(JSON.parse(JSON.stringify(one.save())));
    two.beginIteration(0);
    expect((await two.act(frame)).actions).toEqual((await one.act(frame)).actions);
    expect((await two.act(started)).actions).toEqual((await one.act(started)).actions);
  });
});

describe("the plan", () => {
  it("is due after phase1_iterations, once", () => {
    const seat = cockpit();
    expect([0, 1, 2, 3].map((i) => seat.trainingPhaseInfo(i).verdict)).toEqual([
      "stay",
      "stay",
      "stay",
      "plan",
    ]);
    seat.switchToPhase2(3);
    expect(seat.trainingPhaseInfo(5)).toMatchObject({
      phase: 2,
      phaseIteration: 2,
      phaseLength: 5,
      verdict: "stay",
    });
  });

  it("may be made longer before it goes on", () => {
    const seat = cockpit();
    seat.switchToPhase2(3);
    const longer = cockpit({ handOver: { max_iterations: 20 } });
    longer.load(JSON.parse(JSON.stringify(seat.save())));
    expect(longer.trainingPhaseInfo(5)).toMatchObject({ phaseIteration: 2, phaseLength: 17 });
  });
});
