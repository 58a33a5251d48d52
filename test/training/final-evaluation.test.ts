import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, expect, it } from "vitest";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { Stage } from "../../src/learning/stage.ts";
import { eventText } from "../../src/metrics/console/plain-text.ts";
import type { RunEvent } from "../../src/metrics/metric-sink.ts";
import { noProgress } from "../../src/running/run-state.ts";
import { createRun } from "../../src/runs/create-run.ts";
import { finish } from "../../src/training/final-evaluation.ts";
import type { RunContext } from "../../src/training/run-context.ts";

const log_root = mkdtempSync(`${tmpdir()}/firstsolo-judging-`);
afterAll(() => rmSync(log_root, { recursive: true, force: true }));

it("a failure while judging is told, and costs the run neither its summary nor its figures", async () => {
  const { config } = resolveConfig({ overrides: ["max_iterations=3"] });
  const run = await createRun(
    { log_root, experiment_name: "e", run_name: "" },
    { agentYaml: "", codeFolder: log_root },
  );
  await run.saveCheckpoint("model_2.pt", new Uint8Array(8));
  const events: RunEvent[] = [];
  const lost = Object.assign(new Error("seed 2147483648 overflows"), { code: "simulator-lost" });
  const context = {
    config,
    run,
    algorithm: { ...distillation, read: () => Promise.reject(lost) },
    simulator: { env: { spec: { numEnvs: 10 } } },
    assembled: { facts: {} },
    signals: { interrupted: false, stop: new AbortController().signal },
    sinks: {
      latest: () => ({
        "Eval/student_return": 7,
        "Eval/teacher_return": 10,
        "Train/mean_episode_length": 50,
      }),
      nextIteration: () => 3,
      event: (event: RunEvent) => events.push(event),
    },
  } as unknown as RunContext;
  const progress = { ...noProgress, iteration: 3, environmentSteps: 100, seconds: 20 };
  await expect(finish(context, progress, { index: 1 } as Stage)).rejects.toBe(lost);
  const summary = JSON.parse(readFileSync(run.summaryPath, "utf8"));
  expect(summary).toMatchObject({
    student_return: 7,
    teacher_return: 10,
    iterations: 3,
    finished: false,
  });
  expect(events).toMatchObject([{ type: "judging" }]);
  // 400 episodes by two in a fleet of 10 are 80 rounds of 50 steps, and the ones begun; 2 s a step.
  expect(events[0]).toMatchObject({ episodes: 400, about_seconds: 8100 });
  expect(eventText(events[0]!)).toContain("over 400 episodes, about 8100 s");
});
