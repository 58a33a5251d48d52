import type { Monitor, MonitorEvent } from "../../learning/monitors/monitor.ts";
import { watchRebound } from "../../learning/monitors/rebound.ts";

export interface LastingDropOptions {
  /** Iterations that the student has to come back in. */
  readonly patience: number;
  /** Of phase 1, as it was; for the advice. */
  readonly phaseOne: number;
  /** Of the whole run. */
  readonly all: number;
}

const metric = "Eval/student_return";
/** Share of the return before the switch that may still be missing. */
const healed = 0.05;

interface Drop {
  readonly since: number;
  readonly base: number;
}

/**
 * A student that flies worse from the moment it has the controls. Most of them heal, and nothing is said; of a drop
 * that stays the cause is a phase 1 that was too short.
 */
export function watchLastingDrop({ patience, phaseOne, all }: LastingDropOptions): Monitor {
  const rebound = watchRebound({ metric, worse: "lower" });
  let drop: Drop | null = null;
  return {
    observe(metrics, at) {
      for (const { rule, values } of rebound.observe(metrics, at)) {
        if (rule === "alarm") drop = { since: at.iteration, base: values.base! };
        if (rule === "recovered" || rule === "not-recovered") drop = null;
      }
      const value = metrics[metric];
      if (!drop || value === undefined || at.iteration - drop.since < patience) return [];
      const { base } = drop;
      drop = null;
      const missing = (base - value) / Math.abs(base);
      return missing <= healed ? [] : [stays({ base, value, missing })];
    },
    save: () => ({ rebound: rebound.save(), drop }),
    load(saved) {
      const state = saved as { readonly rebound: unknown; readonly drop: Drop | null };
      rebound.load(state.rebound);
      drop = state.drop;
    },
  };

  function stays(values: Readonly<Record<"base" | "value" | "missing", number>>): MonitorEvent {
    const { base, value, missing } = values;
    const longer = Math.max(phaseOne + 1, Math.min(Math.round(all / 2), 2 * phaseOne));
    return {
      ...{ monitor: "rebound", rule: "stays", level: "warn", metric, values },
      message: `the student's return fell from ${base.toFixed(2)} when it got the controls and has not come back: ${value.toFixed(2)}, ${(100 * missing).toFixed(0)} % less`,
      next: `A longer phase 1 helps: --phase1_iterations ${longer}.`,
    };
  }
}
