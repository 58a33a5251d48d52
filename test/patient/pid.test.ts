import { describe, expect, it } from "vitest";
import {
  createPid,
  freshPid,
  maintenanceGains,
  pacedGains,
  pidStep,
} from "../../policies/pilots/pid.ts";
import { resolveSettings } from "../../sim-adapters/mujoco/settings.ts";
import { findTask, specOf } from "../../sim-adapters/mujoco/tasks.ts";
import { clinicalFigures } from "../../sim-adapters/patient/clinical-figures.ts";
import { openPatient } from "../../sim-adapters/patient/open-patient.ts";
import { policyLaws } from "../policies/policy-laws.ts";
import { operate, shown } from "./operating.ts";

const { spec } = await openPatient({ task: "anaesthesia", numEnvs: 5 });

policyLaws("the PID", {
  make: () => createPid({ spec, group: "policy" }),
  groups: { policy: spec.observations.policy!.shape[0]!, unread: 3 },
});

describe("the PID", () => {
  it("keeps most patients at the right depth most of the time, through an operation", async () => {
    const env = await operate({ numEnvs: 13, task: "anaesthesia-13" });
    const pid = createPid({ spec: env.spec, group: "policy" });
    let frame = await env.reset(1);
    let memory = pid.initialMemory(13);
    const bis = Array.from({ length: 13 }, (): number[] => []);
    for (let step = 0; step < 359; step++) {
      const flown = await pid.act(frame, memory);
      ({ memory } = flown);
      ({ frame } = await env.step(flown.actions));
      for (const [i, seen] of bis.entries()) {
        seen.push(shown(env, frame, { group: "state", i }).bis_true!);
      }
    }
    const figures = bis.map((one) => clinicalFigures({ bis: one, period: 10 }));
    const mean = (of: (one: (typeof figures)[number]) => number) =>
      figures.reduce((sum, one) => sum + of(one), 0) / 13;
    expect(mean(({ timeInRange }) => timeInRange)).toBeGreaterThan(0.5);
    expect(mean(({ mdape }) => mdape)).toBeLessThan(20);
    for (const { timeToTarget } of figures) expect(timeToTarget).toBeLessThan(5);
  });

  it("leaves a bound as soon as the error turns, however long it was wound up", () => {
    const options = { gains: maintenanceGains, period: 10 };
    let state = freshPid;
    for (let k = 0; k < 200; k++) ({ state } = pidStep(95, state, options));
    expect(state.integral).toBeGreaterThan(500);
    const calm = { ...state, lastBis: 45 };
    const turned = pidStep(45, calm, options);
    expect(turned.rate).toBe(maintenanceGains.highest);
    expect(turned.state.integral).toBeLessThan(100);
    expect(pidStep(45, turned.state, options).rate).toBeLessThan(maintenanceGains.highest);
  });

  it("that decides seldom gives less at a time", () => {
    const gain = (period: number) => pacedGains(maintenanceGains, period).proportional;
    expect(gain(1)).toBe(maintenanceGains.proportional);
    expect(gain(10)).toBe(maintenanceGains.proportional);
    expect(gain(60)).toBeCloseTo(maintenanceGains.proportional / 6, 9);
  });

  it("gives the same from a period of another length where nothing changes", () => {
    const held = { integral: 3, derivative: 0, lastBis: 50 };
    const rates = [1, 5, 10].map(
      (period) => pidStep(50, held, { gains: maintenanceGains, period }).rate,
    );
    expect(new Set(rates).size).toBe(1);
  });

  it("refuses another task with words", () => {
    const task = findTask("quadcopter");
    const other = specOf(task, 2, resolveSettings({}, task.rules));
    expect(() => createPid({ spec: other, group: "policy" })).toThrow(
      /the group "policy" of task 'quadcopter' shows \[lin_vel_b.x,.*actions are \[thrust,/,
    );
  });
});
