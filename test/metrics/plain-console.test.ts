import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { consoleView } from "../../src/metrics/console/console-view.ts";
import { jsonConsole, plainConsole } from "../../src/metrics/console/plain-console.ts";
import { clock, eventText, iterationText } from "../../src/metrics/console/plain-text.ts";
import { startText } from "../../src/metrics/console/start-text.ts";
import { textWriter } from "../../src/metrics/console/text-writer.ts";
import { decodeRow } from "../../src/metrics/files/jsonl-row.ts";
import type { RunEvent } from "../../src/metrics/metric-sink.ts";

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

  it("says nothing of noise and losses that a first row does not have yet", () => {
    const { "Loss/behavior": _, "Policy/mean_std": _std, ...early } = metrics;
    const text = iterationText(consoleView(0, early, plan), { bold: false });
    expect(text).not.toMatch(/nan|noise|loss/i);
    expect(text).toContain("Mean reward: 12.34");
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
    expect(eventText({ ...base, type: "notice", message })).toBe(
      "[notice] waiting for \\x1b[31mipc:///tmp/x \n",
    );
  });
});

describe("a run that says what it is", () => {
  const start = {
    type: "start",
    iteration: 0,
    time: 0,
    message: "",
    algorithm: "td3_bc",
    room: "TD3BC",
    headline: [{ metric: "Eval/student_return", label: "Return", scale: "linear" }],
    stages: [{ name: "offline", label: "learns from flights" }],
    updates_per_iteration: 1000,
  };
  const row = {
    "Loss/actor": 0.5,
    "Loss/critic": 2e-5,
    "Loss/learning_rate": 0.0003,
    "Loss/actor_learning_rate": 0.0002,
    "Value/mean_q": 123_456_789,
    "Perf/read_time": 0.1,
    "Perf/learning_time": 0.4,
    "Eval/student_return": 99.5,
    "TD3BC/policy_updates": 500,
    "TD3BC/current_iteration": 3,
    "TD3BC/seconds": 2,
  };
  function printed(start_: object, row_: Readonly<Record<string, number>>, ...events: object[]) {
    let text = "";
    const sink = plainConsole({
      ...{ maxIterations: 10, switchAt: Number.NaN },
      start: { iteration: 0, seconds: 0 },
      write: (more) => (text += more),
    });
    for (const event of [start_, ...events]) sink.event(event as RunEvent);
    text = "";
    sink.write(3, row_);
    return text;
  }

  it("has the same block with its own rows, the headline first", () => {
    expect(printed(start, row)).toBe(`${"#".repeat(80)}
                        Learning iteration 3/10

                       Computation: 2000 updates/s (read: 0.100s, learning 0.400s)
               Eval/student_return: 99.5000
                   Mean actor loss: 0.5000
                  Mean critic loss: 2.000e-5
                     Learning rate: 3.000e-4
             Learning rate (actor): 2.000e-4
                      Value/mean_q: 1.235e+8
              TD3BC/policy_updates: 500
${"-".repeat(80)}
                    Iteration time: 0.50s
                      Time elapsed: 00:00:02
                               ETA: 00:00:03

`);
  });

  it("has a phase where it has several, by its events or its rows", () => {
    const stages = ["warm-up", "joint", "frozen"].map((name) => ({
      name,
      label: `${name} flights`,
    }));
    const place = { name: "joint", index: 1, of: 3, iteration: 0, length: 40 };
    const entered = { type: "stage", iteration: 3, time: 0, message: "on", stage: place };
    const steps = { "Perf/collection_time": 1, "Perf/total_fps": 77, "TD3BC/environment_steps": 9 };
    const byEvent = printed({ ...start, stages }, { ...row, ...steps }, entered);
    expect(byEvent).toContain("Computation: 77 steps/s (collection: 1.000s, learning 0.400s)\n");
    expect(byEvent).toContain("Training Phase: 2/3 joint flights\n");
    expect(byEvent).toContain("Phase Iteration: 0/40 (Phase 2)\n");
    expect(byEvent).toContain("Total timesteps: 9\n");
    const counters = {
      "TD3BC/stage_index": 2,
      "TD3BC/stage_iteration": 5,
      "TD3BC/stage_length": 7,
    };
    const byRow = printed({ ...start, stages }, { ...row, ...counters }, entered);
    expect(byRow).toContain("Training Phase: 3/3 frozen flights\n");
    expect(byRow).toContain("Phase Iteration: 5/7 (Phase 3)\n");
    expect(byRow).not.toContain("TD3BC/stage");
  });

  it("that is a distillation has rsl_rl's block as ever", () => {
    const described = { ...start, algorithm: "distillation", room: "Distillation" };
    const old = printed({ type: "start", iteration: 0, time: 0, message: "" }, metrics);
    expect(printed({ ...described, stages: [] }, metrics)).toBe(old);
    expect(old).toContain("Mean behavior loss: 0.1234\n");
  });
});

describe("the start of a run in plain text", () => {
  it("names who flies whom, where and on what, in three lines", () => {
    const flown = { task: "quadcopter", num_envs: 100, num_steps_per_env: 24, max_iterations: 300 };
    const crew = {
      teacher: "hover.pt",
      student: "mlp 128×128",
      simulator: "mujoco 3",
      engine: "tf",
    };
    expect(startText({ ...flown, ...crew, seed: 42 })).toBe(
      `distillation of quadcopter: 100 environments, 24 steps an iteration, 300 iterations, seed 42
student mlp 128×128, teacher hover.pt
simulator mujoco 3, engine tf
`,
    );
    const offline = { algorithm: "td3_bc", dataset: "a.hdf5, 4 episodes", engine: "t\u001b[2Jf" };
    expect(startText(offline)).toBe(
      "td3_bc\na.hdf5, 4 episodes, engine t\\x1b[2Jf\n".replace("a.hdf5", "dataset a.hdf5"),
    );
  });
});

describe("an event of a monitor", () => {
  it("says who speaks, how bad it is, and what to do", () => {
    const event = { monitor: "divergence", level: "alarm", advice: "lower the learning rate" };
    const line = eventText({
      type: "monitor",
      iteration: 1,
      time: 0,
      message: "|Q| grows",
      ...event,
    });
    expect(line).toBe("[divergence, alarm] |Q| grows → lower the learning rate\n");
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
