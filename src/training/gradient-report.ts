import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { FlowMeter } from "../learning/flow-meter.ts";
import type { FlowRow } from "../learning/flow-row.ts";
import {
  type FlowEntry,
  faultsOf,
  flowError,
  flowJson,
  flowTable,
  judgeFlow,
} from "../learning/gradient-flow.ts";
import type { GradientMeter } from "../learning/owners.ts";
import { writeAtomically } from "../runs/atomic-write.ts";
import { type RunContext, report } from "./run-context.ts";

export interface GradientReport {
  readonly meter: (iteration: number) => GradientMeter | undefined;
  /** Behind each update; fetches and judges what was measured. @throws LearningError where a claim is broken */
  readonly judge: (iteration: number) => Promise<void>;
}

/**
 * Measures the first updates of a session against their claims, and those that a later stage begins with; writes
 * `gradient_flow.json` and says what was found. Measuring changes no weight.
 */
export function reportGradients(context: RunContext): GradientReport {
  const { measured: most, start, assembled, run, config } = context;
  const { groups, updates } = assembled.learner;
  if (most === 0) return { meter: () => undefined, judge: async () => {} };
  const rows: FlowRow[] = [];
  let meter: FlowMeter | undefined;
  const isDue = (iteration: number) => {
    if (iteration === start.iteration) return true;
    const waiting = updates.filter(({ name }) => !rows.some(({ update }) => update === name));
    if (!waiting.some(({ stages }) => stages !== undefined)) return false;
    const { stage } = assembled.plan.at(iteration);
    return waiting.some(({ stages }) => stages?.includes(stage.name));
  };
  return {
    meter(iteration) {
      meter = isDue(iteration) ? new FlowMeter(groups, { most }) : undefined;
      return meter;
    },
    async judge(iteration) {
      if (!meter) return;
      rows.push(...(await meter.rows()));
      const flow = judgeFlow(rows, groups, updates);
      meter.dispose();
      meter = undefined;
      const path = join(run.path, "gradient_flow.json");
      await writeAtomically(path, `${JSON.stringify(flowJson(flow), null, 2)}\n`);
      const faults = faultsOf(flow);
      const told = faults.length === 0 ? "gradients flow as claimed" : faultText(faults);
      const details = { faults: faults.length, path, table: flowTable(flow) };
      report(context, "gradient-flow", told, details, iteration);
      const refused = faults.filter(({ verdict }) => !isAllowed(config, verdict));
      const error = flowError({ ...flow, entries: refused });
      if (error) throw error;
    },
  };
}

function isAllowed({ checks }: Config, verdict: FlowEntry["verdict"]): boolean {
  if (verdict === "leak") return checks.allow_leaks;
  return verdict === "orphan" ? checks.allow_orphans : checks.allow_starved;
}

function faultText(faults: ReturnType<typeof faultsOf>): string {
  return faults
    .map(({ verdict, note, update, group }) => `${verdict}: ${note} (${update}, ${group})`)
    .join("; ");
}
