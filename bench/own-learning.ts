/** Learning from recorded flights as a run does it, in this process and without a folder: only the updates count. */
import type { VectorEnv } from "../sim-adapters/vector-env.ts";
import type { Assembled } from "../src/algorithms/algorithm.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import type { Config } from "../src/config/schema.ts";
import { compileWith } from "../src/engine/compile/compile.ts";
import { FlowMeter } from "../src/learning/flow-meter.ts";
import type { FlowRow } from "../src/learning/flow-row.ts";
import type { Metrics } from "../src/metrics/metric-sink.ts";

export interface LearningOrder {
  /** `algorithm.alpha=2.5`: as on the command line behind the flags. */
  readonly words: readonly string[];
  /** The simulator that the student is made for; nothing is flown here. */
  readonly env: VectorEnv;
  readonly updates: number;
  /** Parts of them; figures are those of the last one. */
  readonly iterations: number;
  /** Updates of each kind whose gradients are measured at the start of the first part and of the last. Default: none. */
  readonly measure?: number;
}

export interface Learned {
  readonly assembled: Assembled;
  readonly config: Config;
  readonly figures: Metrics;
  /** Of all updates, reading included. */
  readonly cpuSeconds: number;
  readonly first: readonly FlowRow[];
  readonly last: readonly FlowRow[];
}

/** The caller disposes of the learner and closes the source. */
export async function learned(order: LearningOrder): Promise<Learned> {
  const { words, env, updates, iterations, measure = 0 } = order;
  const each = Math.max(1, Math.round(updates / iterations));
  const overrides = [...words, `updates_per_iteration=${each}`, `max_iterations=${iterations}`];
  const { algorithm, config } = resolveConfig({ overrides });
  const site = { config, env, saved: undefined, compile: compileWith("on"), say: () => {} };
  const assembled = await algorithm.assemble(site);
  await assembled.source.start();
  const before = process.cpuUsage();
  const parts: Part[] = [];
  for (let i = 0; i < iterations; i += 1) {
    const looks = i === 0 || i === iterations - 1;
    parts.push(await iterate(assembled, { iteration: i, measure: looks ? measure : 0 }));
  }
  const { user, system } = process.cpuUsage(before);
  const [first, last] = [parts[0]!.rows, parts.at(-1)!.rows];
  const { figures } = parts.at(-1)!;
  return { assembled, config, figures, cpuSeconds: (user + system) / 1e6, first, last };
}

interface Part {
  readonly figures: Metrics;
  readonly rows: readonly FlowRow[];
}

async function iterate(
  { learner, source, plan }: Assembled,
  { iteration, measure }: { readonly iteration: number; readonly measure: number },
): Promise<Part> {
  const { stage } = plan.at(iteration);
  const { experience } = await source.next(stage);
  if (measure === 0) return { figures: await learner.update(experience, stage), rows: [] };
  const meter = new FlowMeter(learner.groups, { most: measure });
  try {
    return { figures: await learner.update(experience, stage, meter), rows: await meter.rows() };
  } finally {
    meter.dispose();
  }
}
