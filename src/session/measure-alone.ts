import { distillation } from "../algorithms/distillation/algorithm.ts";
import { chooseTeacher } from "../algorithms/distillation/load-teacher.ts";
import type { DistillationConfig } from "../algorithms/distillation/settings.ts";
import { completed, resolveConfig } from "../config/resolve.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { flySideBySide } from "../training/evaluate-run.ts";
import { openSimulator } from "../training/open-simulator.ts";
import { taskFiguresOf, verdictOf } from "../training/verdict.ts";
import { nobodyLearns } from "./nobody-learns.ts";
import { threadsOf } from "./threads.ts";

export interface AloneOptions {
  readonly task: string;
  readonly episodes: number;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly warn: (line: string) => void;
}

/**
 * Flies any policy by itself, whoever trained it: a checkpoint, an ONNX file, `hover`, `latest`. What nobody says of
 * it is refused as in `train`: the activation, the groups. Gives the figures of a student.
 */
export async function measureAlone(
  who: string,
  overrides: readonly string[],
  { task, episodes, version, stop, warn }: AloneOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const given = [`checkpoint=${who}`, `task=${task}`, ...nobodyLearns, ...overrides];
  const resolved = await completed(resolveConfig({ overrides: given }), { resumed: false });
  const config = resolved.config as DistillationConfig;
  await startEngine(parseDevice(config.device).device, { threads: threadsOf(config), warn });
  const told = { onNotice: warn, onWaiting: warn };
  const wishes = distillation.wishes(config);
  const anyNumber = !overrides.some((word) => word.startsWith("num_envs="));
  const simulator = await openSimulator(config, {
    wishes,
    signal: stop,
    version,
    anyNumber,
    ...told,
  });
  try {
    const { env } = simulator;
    const { policy, description } = await chooseTeacher(config, env.spec);
    const acting = { compile: compileWith(config.compile) };
    const flight = { env, episodes, seed: config.seed, stop, acting };
    const flown = await flySideBySide({ student: policy }, "evaluation", flight);
    const {
      teacher_return: _r,
      teacher_deaths: _d,
      student_vs_teacher: _v,
      ...own
    } = { ...verdictOf(flown), ...taskFiguresOf(flown) };
    const figures = Object.entries(own).map(([name, value]) => [
      name.replace("student_", ""),
      value,
    ]);
    return { ...Object.fromEntries(figures), policy: description, task: env.spec.task };
  } finally {
    await simulator.close();
  }
}
