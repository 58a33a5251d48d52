import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { watchLastingDrop } from "../../../src/algorithms/distillation/lasting-drop.ts";
import type { DistillationConfig } from "../../../src/algorithms/distillation/settings.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { parseYaml } from "../../../src/config/yaml-file.ts";

function stagesOf(...overrides: readonly string[]) {
  const { config, notices } = resolveConfig({ overrides: ["max_iterations=300", ...overrides] });
  const { use_two_stage_training: on, phase1_iterations: length } = (config as DistillationConfig)
    .algorithm;
  return { on, length, notices };
}

describe("two stages", () => {
  it("are off unless their name or their length is said", () => {
    expect(stagesOf()).toEqual({ on: false, length: null, notices: [] });
    expect(stagesOf("algorithm.gate_threshold=0.9").on).toBe(false);
    expect(stagesOf("use_two_stage_training=true")).toMatchObject({ on: true, length: 100 });
    expect(stagesOf("phase1_iterations=120")).toEqual({ on: true, length: 120, notices: [] });
    expect(stagesOf("phase1_iterations=0")).toMatchObject({ on: false });
    expect(stagesOf("phase1_iterations=null")).toMatchObject({ on: false, length: null });
    const off = stagesOf("phase1_iterations=120", "use_two_stage_training=false");
    expect(off.on).toBe(false);
  });

  it("are off in a configuration of rsl_rl, which has no such keys", () => {
    const text = "algorithm:\n  class_name: Distillation\n  num_learning_epochs: 2\n";
    const flags = parseYaml(text, "agent.yaml");
    const { algorithm } = resolveConfig({ flags }).config as DistillationConfig;
    expect([algorithm.use_two_stage_training, algorithm.phase1_iterations]).toEqual([false, null]);
  });

  it("are asked for by the task distillation, and by nobody else's", () => {
    expect(stagesOf("task=distillation")).toMatchObject({ on: true, length: 15, notices: [] });
    expect(stagesOf("agent.task=distillation", "phase1_iterations=110").length).toBe(110);
    expect(stagesOf("task=distillation", "use_two_stage_training=false").on).toBe(false);
    expect(stagesOf("task=quadcopter").on).toBe(false);
    const sac = ["algorithm.class_name=sac", "dataset=flights.hdf5", "task=distillation"];
    const other = resolveConfig({ overrides: sac });
    expect(other.notices.join()).not.toContain("use_two_stage_training");
  });

  it("take a third of any run where no length is given, one iteration at least", () => {
    const lengths = (asked: string) =>
      [1, 2, 7, 400, 1000].map((all) => stagesOf(asked, `max_iterations=${all}`).length);
    expect(lengths("use_two_stage_training=true")).toEqual([1, 1, 2, 133, 333]);
    // That task learns from past rollouts again: a twentieth.
    expect(lengths("task=distillation")).toEqual([1, 1, 1, 20, 50]);
  });

  it("of a run that goes on are those it was begun with, not what the task's recipe is now", () => {
    const base = join(mkdtempSync(join(tmpdir(), "firstsolo-stages-")), "agent.yaml");
    const algorithm = "{use_two_stage_training: true, phase1_iterations: 133}";
    writeFileSync(base, `task: distillation\nalgorithm: ${algorithm}\n`);
    const { config } = resolveConfig({ base });
    expect((config as DistillationConfig).algorithm).toMatchObject({
      ...{ phase1_iterations: 133, buffer_rollouts: 0, learning_rate: 1e-3 },
    });
  });

  it.each([
    [99, /phase1_iterations 99 of .* 300: a third to a half of the run \(100 to 150\) .*gentler/],
    [100, undefined],
    [150, undefined],
    [151, /phase1_iterations 151 .* leaves the student time to fly/],
  ])("of %d of 300 iterations are remarked on outside a third to a half", (length, remark) => {
    const { notices } = stagesOf(`phase1_iterations=${length}`);
    expect(notices).toEqual(remark === undefined ? [] : [expect.stringMatching(remark)]);
    // A gate may end a long one earlier.
    const gated = stagesOf(`phase1_iterations=${length}`, "algorithm.gate_threshold=0.9");
    expect(gated.notices).toHaveLength(length < 100 ? 1 : 0);
  });

  it("stay as they were saved when a run goes on and is made longer", () => {
    const saved = parseYaml("algorithm: {use_two_stage_training: true, phase1_iterations: 5}", "a");
    const flags = [...saved, { name: "max_iterations", value: 900, origin: "--max_iterations" }];
    const { algorithm } = resolveConfig({ flags }).config as DistillationConfig;
    expect(algorithm.phase1_iterations).toBe(5);
  });
});

describe("a drop after the switch", () => {
  /** What is said when the student returns 10 before the switch at 3, and `after` from there on. */
  function said(after: (iteration: number) => number) {
    const make = () => watchLastingDrop({ patience: 5, phaseOne: 3, all: 30 });
    let monitor = make();
    const events = Array.from({ length: 20 }, (_, iteration) => {
      const state = JSON.parse(JSON.stringify(monitor.save()));
      monitor = make();
      monitor.load(state);
      const isFirst = iteration < 3;
      const row = { "Eval/student_return": isFirst ? 10 : after(iteration) };
      const stage = isFirst ? "teacher-drives" : "student-drives";
      return monitor.observe(row, { iteration, updates: 0, stage });
    });
    return events.flatMap((some, iteration) => some.map((event) => ({ ...event, iteration })));
  }

  it("that stays advises a longer phase 1, once", () => {
    const events = said(() => 6);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      monitor: "rebound",
      rule: "stays",
      level: "warn",
      iteration: 9,
    });
    expect(events[0]!.message).toMatch(/fell from 10\.00 .* has not come back: 6\.00, 40 % less/);
    expect(events[0]!.next).toBe("A longer phase 1 helps: --phase1_iterations 6.");
  });

  it("that heals, nearly heals, or never was is passed over", () => {
    expect(said((i) => (i < 7 ? 4 : 10))).toEqual([]);
    expect(said((i) => (i < 7 ? 4 : 9.6))).toEqual([]);
    expect(said(() => 9.7)).toEqual([]);
    expect(said((i) => (i === 5 ? 4 : 10))).toEqual([]);
  });
});
