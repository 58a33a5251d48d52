import { deriveSeed } from "../../../policies/random.ts";
import type { Compile } from "../../engine/compile/program.ts";
import { textTable } from "../../learning/text-table.ts";
import { type FlightsWorld, withWorld } from "./flights-world.ts";
import type { WorldModelConfig } from "./keys.ts";
import { WorldModelLearner } from "./learner.ts";
import { planFacts, WorldModelPlan } from "./plans.ts";
import type { PlanName, WorldModelSettings } from "./settings.ts";
import { validate } from "./validation.ts";

/** A plan, and what is said besides. */
export interface Variant {
  readonly name: string;
  readonly changes: { readonly plan: PlanName } & Partial<WorldModelSettings>;
}

export const variants: readonly Variant[] = [
  { name: "joint", changes: { plan: "joint" } },
  { name: "warmup", changes: { plan: "warmup" } },
  { name: "recommended", changes: { plan: "recommended" } },
  { name: "warmup, policy × 5", changes: { plan: "warmup", policy_loss_weight: 5 } },
  { name: "freeze", changes: { plan: "freeze" } },
  { name: "freeze representation", changes: { plan: "freeze", freeze: "representation" } },
  { name: "weighted", changes: { plan: "weighted" } },
  { name: "gradient_scale", changes: { plan: "gradient_scale" } },
  { name: "separate", changes: { plan: "separate" } },
];

/** What a plan came to, means over the seeds. */
export interface Compared {
  readonly name: string;
  /** Error of the first head after each epoch, in its units. */
  readonly errors: readonly number[];
  /** The most by which that error exceeds its mean over the last three epochs of the warm-up; null without one. */
  readonly rebound: number | null;
  /** Of the policy at last, in levels. */
  readonly actionError: number;
}

export interface Comparison {
  /** Head whose errors are compared, and what it would be if nothing changed. */
  readonly head: string;
  readonly persistence: number;
  readonly plans: readonly Compared[];
}

export interface ComparePlansOptions {
  readonly seeds: readonly number[];
  readonly compile?: Compile;
  readonly say: (line: string) => void;
  /** Default: all. */
  readonly only?: readonly string[];
}

/** Trains every plan on the same flights with the same seeds, and measures each after each epoch. */
export async function comparePlans(
  config: WorldModelConfig,
  { seeds, compile, say, only }: ComparePlansOptions,
): Promise<Comparison> {
  const chosen = only ? variants.filter(({ name }) => only.includes(name)) : variants;
  const runs = new Map(chosen.map(({ name }) => [name, [] as Trained[]]));
  let head = "";
  for (const seed of seeds) {
    const seeded = { ...config, seed: deriveSeed(seed, "compare-plans") };
    for (const { name, changes } of chosen) {
      const algorithm = { ...config.algorithm, ...changes };
      const trained = await withWorld(seeded, { say: () => {} }, async (world) => {
        head = world.facts.heads[0]!.name;
        const own = await trainOne(world, { ...seeded, algorithm }, compile);
        world.flights.close();
        return own;
      });
      runs.get(name)!.push(trained);
      say(`${name}, seed ${seed}: val_${head}_mae ${trained.errors.at(-1)!.toFixed(4)}`);
    }
  }
  const plans = chosen.map(({ name, changes }) => {
    return summaryOf(name, runs.get(name)!, planFacts({ ...config.algorithm, ...changes }).warmup);
  });
  const persistence = meanOf([...runs.values()].flat().map((run) => run.persistence));
  return { head, persistence, plans };
}

interface Trained {
  readonly errors: readonly number[];
  readonly persistence: number;
  readonly actionError: number;
}

async function trainOne(
  world: FlightsWorld,
  config: WorldModelConfig,
  compile: Compile | undefined,
): Promise<Trained> {
  const { facts, windows, heldWindows } = world;
  const { seed, algorithm } = config;
  const learner = new WorldModelLearner(algorithm, { facts, seed, compile });
  const plan = new WorldModelPlan(learner.plan, config.max_iterations);
  const held = heldWindows.spread(algorithm.validation_windows);
  const name = facts.heads[0]!.name;
  const errors: number[] = [];
  let measured: Record<string, number> = {};
  try {
    for (let epoch = 0; epoch < config.max_iterations; epoch += 1) {
      const updates = config.updates_per_iteration ?? world.epoch;
      await learner.update(windows.draw(updates), plan.at(epoch).stage);
      measured = { ...(await validate(learner.asked, held, facts)) };
      errors.push(measured[`Eval/val_${name}_mae`]!);
    }
  } finally {
    learner.dispose();
  }
  return {
    errors,
    persistence: measured[`Eval/val_${name}_persistence`]!,
    actionError: measured["Eval/val_action_error"]!,
  };
}

function summaryOf(name: string, runs: readonly Trained[], warmup: number): Compared {
  const epochs = runs[0]!.errors.length;
  const errors = Array.from({ length: epochs }, (_, i) =>
    meanOf(runs.map((run) => run.errors[i]!)),
  );
  const rebounds = runs.map((run) => reboundOf(run.errors, warmup));
  const known = rebounds.filter((one) => one !== null);
  return {
    ...{ name, errors, rebound: known.length > 0 ? meanOf(known) : null },
    actionError: meanOf(runs.map((run) => run.actionError)),
  };
}

/** @param warmup epochs; null without any before and behind it */
export function reboundOf(errors: readonly number[], warmup: number): number | null {
  const before = errors.slice(Math.max(0, warmup - 3), warmup);
  const after = errors.slice(warmup);
  if (before.length === 0 || after.length === 0) return null;
  return after.reduce((a, b) => Math.max(a, b)) / meanOf(before) - 1;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Epochs that a table shows: some before the warm-up's end, and some behind it. */
const shown = [10, 11, 13, 20, 30];

/** A table for people. */
export function comparisonText({ head, persistence, plans }: Comparison): string {
  const epochs = plans[0]?.errors.length ?? 0;
  const columns = [...new Set([...shown.filter((epoch) => epoch < epochs), epochs])];
  const title = ["plan", ...columns.map((epoch) => `ep ${epoch}`), "rebound", "action error"];
  const lines = plans.map(({ name, errors, rebound, actionError }) => [
    name,
    ...columns.map((epoch) => errors[epoch - 1]!.toFixed(3)),
    rebound === null ? "" : `${(100 * rebound).toFixed(1)} %`,
    actionError.toFixed(3),
  ]);
  const best = plans.reduce<Compared | undefined>(
    (found, one) => (found && found.errors.at(-1)! <= one.errors.at(-1)! ? found : one),
    undefined,
  );
  return [
    `val_${head}_mae after epochs; if nothing changed: ${persistence.toFixed(3)}`,
    textTable(title, lines, { figures: (column) => column > 0 }),
    `least error at last: ${best?.name ?? "none"}`,
  ].join("\n");
}
