import type { ParameterGroup, Update } from "../../learning/owners.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Entered, Plan, Planned } from "../../running/plan.ts";
import type { PlanName, WorldModelSettings } from "./settings.ts";

/** What the policy's loss may not reach: behind the dynamics, or from the first state on. */
export type Cut = "none" | "dynamics" | "representation";

/** A plan with everything said. */
export interface WorldModelPlanFacts {
  readonly name: PlanName;
  readonly warmup: number;
  readonly envWeight: number;
  readonly policyWeight: number;
  readonly cut: Cut;
  /** Of gradients through each step of the dynamics. */
  readonly gradientScale: number;
  /** One optimiser for the model, and one for the policy. */
  readonly separate: boolean;
}

type Standard = Omit<WorldModelPlanFacts, "name">;

const joint: Standard = {
  ...{ warmup: 0, envWeight: 1, policyWeight: 1, cut: "none", gradientScale: 1, separate: false },
};

const standards: Readonly<Record<PlanName, Standard>> = {
  joint,
  warmup: { ...joint, warmup: 10 },
  freeze: { ...joint, warmup: 10, cut: "dynamics" },
  separate: { ...joint, cut: "representation", separate: true },
  weighted: { ...joint, policyWeight: 0.2 },
  recommended: { ...joint, warmup: 10, envWeight: 2 },
  gradient_scale: { ...joint, gradientScale: 0.5 },
};

export type PlanSettings = Pick<
  WorldModelSettings,
  | "plan"
  | "warmup_epochs"
  | "env_loss_weight"
  | "policy_loss_weight"
  | "freeze"
  | "dynamics_gradient_scale"
>;

/** What a plan says by itself, but for what was said besides. */
export function planFacts(settings: PlanSettings): WorldModelPlanFacts {
  const standard = standards[settings.plan];
  const { env_loss_weight: env, policy_loss_weight: policy } = settings;
  // A ratio of 5:1 may be said by either weight: one that is said leaves the other at 1.
  const said = env !== null && policy === null && settings.plan === "weighted";
  return {
    name: settings.plan,
    warmup: settings.warmup_epochs ?? standard.warmup,
    envWeight: env ?? standard.envWeight,
    policyWeight: policy ?? (said ? 1 : standard.policyWeight),
    cut: settings.freeze ?? standard.cut,
    gradientScale: settings.dynamics_gradient_scale ?? standard.gradientScale,
    separate: standard.separate,
  };
}

/** Names and labels of all stages that a plan may have, in their order. */
export const stageLabels = [
  { name: "warm-up", label: "learns the world" },
  { name: "joint", label: "learns world and policy" },
  { name: "frozen-dynamics", label: "learns both, the policy's loss cut off" },
  { name: "separate", label: "learns world and policy by themselves" },
] as const;

/** Those that a plan really has. */
export function stagesOf(facts: WorldModelPlanFacts) {
  const names = [...(facts.warmup > 0 ? ["warm-up"] : []), mainStage(facts)];
  return stageLabels.filter(({ name }) => names.includes(name));
}

export function mainStage({ cut, separate }: Pick<WorldModelPlanFacts, "cut" | "separate">) {
  if (separate) return "separate";
  return cut === "none" ? "joint" : "frozen-dynamics";
}

/** First the world by itself, then the policy in it too. */
export class WorldModelPlan implements Plan {
  readonly #facts: WorldModelPlanFacts;
  readonly #length: number;
  #told: string | null = null;

  /** @param length iterations of the run */
  constructor(facts: WorldModelPlanFacts, length: number) {
    this.#facts = facts;
    this.#length = length;
  }

  at(iteration: number): Planned {
    const { warmup, envWeight, policyWeight } = this.#facts;
    const warming = iteration < warmup;
    const of = warmup > 0 && warmup < this.#length ? 2 : 1;
    const place = {
      ...{ index: warming ? 0 : of - 1, of, progress: iteration / this.#length },
      iteration: warming ? iteration : iteration - warmup,
      length: warming ? Math.min(warmup, this.#length) : Math.max(0, this.#length - warmup),
    };
    const name = warming ? "warm-up" : mainStage(this.#facts);
    const settings = {
      env_loss_weight: warming ? 1 : envWeight,
      policy_loss_weight: warming ? 0 : policyWeight,
    };
    const counters = {
      "World/stage_index": place.index,
      "World/stage_iteration": place.iteration,
      "World/stage_length": place.length,
    };
    const metrics = { ...counters, ...metricsOf(settings) };
    return { stage: { name, ...place, settings }, metrics, ...this.#entered(name, iteration) };
  }

  observe(): void {}

  ask(request: string): string {
    return `refused: there is no ${request} in a plan of a world model; its stages are counted`;
  }

  save(): unknown {
    return { told: this.#told };
  }

  load(state: unknown): void {
    this.#told = (state as { told?: string | null } | null)?.told ?? null;
  }

  #entered(name: string, iteration: number): { entered?: Entered } {
    const before = this.#told;
    this.#told = name;
    if (before === name || (before === null && iteration === 0)) return {};
    const { envWeight, policyWeight } = this.#facts;
    const message = `${name}: loss_action × ${policyWeight}, the environment's losses × ${envWeight}`;
    return { entered: { type: "stage", why: "plan", stage: name, message } };
  }
}

function metricsOf(settings: Stage["settings"]) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`Plan/${name}`, value]),
  );
}

/** Losses of the environment, and the policy's. */
export interface LossNames {
  readonly env: readonly string[];
  readonly action: "loss_action";
}

export const groupNames = ["representation", "dynamics", "prediction", "heads"] as const;

/** Whose optimiser a group is moved by. */
export function ownerOf(
  group: (typeof groupNames)[number],
  { separate }: Pick<WorldModelPlanFacts, "separate">,
): ParameterGroup["owner"] {
  return separate && group === "prediction" ? "policy" : "model";
}

const all = {
  representation: "step",
  dynamics: "step",
  prediction: "step",
  heads: "step",
} as const;

/** Every update of a plan, as it is claimed. */
export function updatesOf(plan: WorldModelPlanFacts, losses: LossNames): readonly Update[] {
  if (plan.separate) return separateUpdates(losses);
  const stage = mainStage(plan);
  const both: Update = {
    ...{ name: "joint", owner: "model", terms: [...losses.env, losses.action], claims: all },
    stages: [stage],
  };
  const policy: Update = {
    ...{ name: "policy", owner: "none", partOf: "joint", terms: [losses.action], stages: [stage] },
    claims: {
      representation: plan.cut === "representation" ? "zero" : "pass",
      dynamics: plan.cut === "none" ? "pass" : "zero",
      prediction: "pass",
      heads: "zero",
    },
  };
  const environment: Update = {
    ...{ name: "environment", owner: "model", terms: losses.env, claims: all },
    stages: ["warm-up"],
  };
  return [...(plan.warmup > 0 ? [environment] : []), both, policy];
}

/** Two optimisers, two passes: what is learned of values in the model's pass moves in the policy's. */
function separateUpdates(losses: LossNames): readonly Update[] {
  const apart = { representation: "zero", dynamics: "zero", heads: "zero" } as const;
  return [
    {
      ...{ name: "environment", owner: "model", terms: losses.env },
      claims: { ...all, prediction: "pass" },
      stages: ["warm-up", "separate"],
    },
    {
      ...{ name: "value", owner: "policy", terms: ["loss_value"] },
      claims: { ...apart, prediction: "step" },
      stages: ["warm-up"],
    },
    {
      ...{ name: "policy", owner: "policy", terms: ["loss_value", losses.action] },
      claims: { ...apart, prediction: "step" },
      stages: ["separate"],
    },
  ];
}
