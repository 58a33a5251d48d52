import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { consoleView } from "../../src/metrics/console/console-view.ts";
import { jsonConsole, plainConsole } from "../../src/metrics/console/plain-console.ts";
import { clock, eventText, iterationText } from "../../src/metrics/console/plain-text.ts";
import { textWriter } from "../../src/metrics/console/text-writer.ts";
import { decodeRow } from "../../src/metrics/files/jsonl-row.ts";

const metrics = {
  "Loss/behavior": 0.1234,
  "Loss/learning_rate": 0.001,
  "Policy/mean_std": 0.5,
  "Perf/total_fps": 1234,
  "Perf/collection_time": 0.081,
  "Perf/learning_time": 0.0004,
  "Train/mean_reward": 12.34,
  "Train/mean_episode_length": 100,
  "Distillation/training_phase": 1,
  "Distillation/current_iteration": 450,
  "Distillation/environment_steps": 450000,
  "Distillation/seconds": 2160,
};
const plan = { maxIterations: 1500, switchAt: 500, start: { iteration: 0, seconds: 0 } };

const block = `################################################################################
                      Learning iteration 450/1500

                       Computation: 1234 steps/s (collection: 0.081s, learning 0.000s)
             Mean action noise std: 0.50
                Mean behavior loss: 0.1234
                       Mean reward: 12.34
               Mean episode length: 100.00
--------------------------------------------------------------------------------
                    Training Phase: Phase 1 (teacher actions)
                   Phase Iteration: 450/500 (Phase 1)
--------------------------------------------------------------------------------
                   Total timesteps: 450000
                    Iteration time: 0.08s
                      Time elapsed: 00:36:00
                               ETA: 01:23:48

`;

function textOf(more: Readonly<Record<string, number>>, iteration = 450): string {
  return iterationText(consoleView(iteration, { ...metrics, ...more }, plan), { bold: false });
}

describe("the block of an iteration", () => {
  it("is rsl_rl's, with the phase block", () => {
    expect(textOf({})).toBe(block);
  });

  it("has its title where Python's centring of the bold one puts it", () => {
    const text = iterationText(consoleView(450, metrics, plan), { bold: true });
    const title = text.split("\n")[1]!;
    expect(title).toBe(
      `${" ".repeat(20)} \u001b[1m Learning iteration 450/1500 \u001b[0m ${" ".repeat(21)}`,
    );
    expect(title).toHaveLength(80);
  });

  it("leaves out episodes until one has ended", () => {
    const { "Train/mean_reward": _r, "Train/mean_episode_length": _l, ...rest } = metrics;
    const text = iterationText(consoleView(0, rest, plan), { bold: false });
    expect(text).not.toMatch(/Mean (reward|episode length)/);
    expect(text).toContain("                Mean behavior loss: 0.1234\n-----");
  });

  it("prints the simulator's figures as rsl_rl does, and ours of the evaluation", () => {
    const text = textOf({
      "Episode_Reward/lin_vel": -0.05,
      "Episode/rew_alive": 2,
      "Metrics/final_distance_to_goal_in_the_xy_plane": 0.083,
      "Eval/student_vs_teacher": 0.99123,
    });
    expect(text).toContain(`               Mean episode length: 100.00
            Episode_Reward/lin_vel: -0.0500
            Mean episode rew_alive: 2.0000
Metrics/final_distance_to_goal_in_the_xy_plane: 0.0830
           Eval/student_vs_teacher: 0.9912
----`);
  });

  it("says how much the teacher flies where a schedule lets both", () => {
    const mixed = { "Distillation/training_phase": 2, "Distillation/teacher_share": 0.4 };
    expect(textOf(mixed, 20)).toContain("Phase 2 (teacher actions in 40 % of the episodes)");
    const over = { ...mixed, "Distillation/teacher_share": 0 };
    expect(textOf(over, 20)).toContain("Phase 2 (student actions)");
  });

  it("counts phase 2 from the switch", () => {
    const text = textOf({ "Distillation/training_phase": 2 }, 510);
    expect(text).toContain("                    Training Phase: Phase 2 (student actions)\n");
    expect(text).toContain("                   Phase Iteration: 10/1000 (Phase 2)\n");
  });

  it("writes what is no number as Python does", () => {
    const text = textOf({ "Loss/behavior": Number.NaN, "Train/mean_reward": -1 / 0 });
    expect(text).toContain("Mean behavior loss: nan\n");
    expect(text).toContain("Mean reward: -inf\n");
  });

  it("estimates from this session's iterations only", () => {
    const start = { iteration: 440, seconds: 2050 };
    const text = iterationText(consoleView(450, metrics, { ...plan, start }), { bold: false });
    expect(text).toContain(`ETA: ${clock((110 / 11) * 1050)}\n`);
  });

  it("lets no control code of a simulator through", () => {
    const text = textOf({ "Metrics/\u001b[2J\u0007\u009b2Jx": 1 });
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  it("shows what is missing instead of failing", () => {
    const text = iterationText(consoleView(1, {}, plan), { bold: false });
    expect(text).toContain("Total timesteps: nan\n");
    expect(text).toContain("ETA: --:--:--\n");
  });
});

describe("the clock", () => {
  it.each([
    [0, "00:00:00"],
    [59.999, "00:00:59"],
    [3661, "01:01:01"],
    [86_400, "24:00:00"],
    [360_000, "100:00:00"],
    [-5, "00:00:00"],
    [Number.NaN, "--:--:--"],
  ])("shows %d s as %s", (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });
});

describe("an event", () => {
  const base = { iteration: 500, time: 0 };

  it("that hands over the controls gets a banner", () => {
    const message = "SWITCHING TO PHASE 2: Now using STUDENT actions to update environment";
    expect(eventText({ ...base, type: "phase-switch", message })).toBe(
      `${"=".repeat(80)}\n  ${message}\n  Iteration: 500\n${"=".repeat(80)}\n\n`,
    );
  });

  it("of another kind gets a line, whatever is in it", () => {
    const message = "waiting for \u001b[31mipc:///tmp/x\n";
    expect(eventText({ ...base, type: "waiting", message })).toBe(
      "[waiting] waiting for  [31mipc:///tmp/x \n",
    );
  });
});

describe("the console", () => {
  it("follows a switch that comes before its time", () => {
    let text = "";
    const sink = plainConsole({ ...plan, write: (more) => (text += more) });
    sink.event({ type: "phase-switch", iteration: 440, time: 0, message: "now" });
    sink.write(450, { ...metrics, "Distillation/training_phase": 2 });
    expect(text).toContain("Phase Iteration: 10/1060 (Phase 2)\n");
  });

  it("for programs writes the rows of the metrics file", () => {
    const lines: string[] = [];
    const sink = jsonConsole((line) => lines.push(line));
    sink.write(3, metrics);
    sink.event({ type: "x", iteration: 3, time: 1, message: "m" });
    expect(decodeRow(lines[0]!)).toMatchObject({ iteration: 3, metrics });
    expect(lines[1]).toBe('{"type":"x","iteration":3,"time":1,"message":"m"}\n');
  });
});

describe("a writer", () => {
  it("survives a reader that went away", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
    });
    const write = textWriter(stream);
    write("a");
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.destroyed).toBe(true);
    expect(() => write("b")).not.toThrow();
  });

  it("keeps no more than a few megabytes for a reader that has stopped reading", () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const write = textWriter(stream);
    for (let i = 0; i < 100; i += 1) write("x".repeat(1 << 20));
    expect(stream.writableLength + stream.readableLength).toBeLessThan(8 << 20);
  });
});
