import type { Flown, Memory, Policy } from "../../../policies/policy.ts";
import { gatherGroups, lastColumns, sideBySide, startedAnew } from "../../../policies/rows.ts";
import type { Frame } from "../../../protocol/frame.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { actionsOf } from "./levels.ts";
import type { Imagined, ModelProgram } from "./model-program.ts";
import { type SearchFigures, searchMetrics } from "./plan-batch.ts";
import { type PlannerName, type PlannerSettings, planFrom, valuesOf } from "./planner.ts";
import type { WorldModelSettings } from "./settings.ts";
import { scaled, toUnitLevels, type WorldFacts } from "./world-facts.ts";

export interface WorldModelPolicyOptions {
  readonly program: ModelProgram;
  readonly facts: WorldFacts;
  readonly settings: PlannerSettings & Pick<WorldModelSettings, "history">;
  /** Plans before it acts; absent: the likeliest levels. */
  readonly planner?: PlannerName | undefined;
  /** Called by `dispose`, with the figures of what was planned: for who owns what it flies by. */
  readonly release?: (figures: Metrics) => void;
}

/** Flies by the model's state: the likeliest levels, or those that a planner finds. */
export class WorldModelPolicy implements Policy {
  readonly reads: readonly string[];
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly #options: WorldModelPolicyOptions;
  readonly #searched: SearchFigures[] = [];

  constructor(options: WorldModelPolicyOptions) {
    const { reads, observations, bounds } = options.facts;
    this.reads = reads;
    this.observationWidth = observations.mean.length;
    this.actionWidth = bounds.low.length;
    this.#options = options;
  }

  /** The observations before the one that is seen now, in deviations from their mean. */
  initialMemory(numEnvs: number): Memory {
    return this.#widths().map((width) => new Float32Array(numEnvs * width));
  }

  async act(frame: Frame, memory: Memory): Promise<Flown> {
    const rows = frame.started.length;
    const { program, facts, planner } = this.#options;
    const now = scaled(gatherGroups(this, frame.observations, rows), facts.observations);
    const [before] = startedAnew(memory, this.#widths(), frame.started);
    const seen = before ? sideBySide(before, now, rows) : now;
    const next = before ? [lastColumns(seen, rows, before.length / rows)] : [];
    const imagined = await program.represent(seen, rows);
    const levels = planner ? await this.#planned(imagined, planner) : likeliest(imagined, facts);
    return { actions: actionsOf(facts.levels, levels), memory: next };
  }

  /** `Search/activation` is where a plan beats what the policy would have done without. */
  dispose(): void {
    this.#options.release?.(searchMetrics(this.#searched));
  }

  async #planned(imagined: Imagined, planner: PlannerName): Promise<Int32Array> {
    const { program, facts, settings } = this.#options;
    const { states } = imagined;
    const plans = await planFrom(program, imagined, { planner, settings, facts });
    const units = toUnitLevels(facts);
    const count = settings.action_levels;
    const own = Float32Array.from(
      likeliest(imagined, facts),
      (level, i) => units[(i % this.actionWidth) * count + level]!,
    );
    const logged = await valuesOf(program, { states, actions: own }, settings.discount);
    this.#searched.push({ batch: logged.length, planned: plans.values, logged });
    return plans.levels;
  }

  #widths(): readonly number[] {
    const kept = (this.#options.settings.history - 1) * this.observationWidth;
    return kept > 0 ? [kept] : [];
  }
}

function likeliest({ policies }: Imagined, { levels }: WorldFacts): Int32Array {
  const count = levels[0]!.length;
  return Int32Array.from({ length: policies.length / count }, (_, i) => {
    const own = policies.subarray(i * count, (i + 1) * count);
    return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
}
