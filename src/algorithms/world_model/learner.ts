import * as tf from "@tensorflow/tfjs-core";
import type { NamedArray } from "../../../policies/named-array.ts";
import { deriveSeed, Random, type RandomState } from "../../../policies/random.ts";
import { type Compile, eagerly } from "../../engine/compile/program.ts";
import { checkFinite, letOthersRun } from "../../learning/between-updates.ts";
import { checkOwners } from "../../learning/check-owners.ts";
import type { Experience } from "../../learning/experience.ts";
import type { Learner, LearnerState, Needs } from "../../learning/learner.ts";
import { Figures, Sheet } from "../../learning/offline/figures.ts";
import { Owner } from "../../learning/owner.ts";
import type { GradientMeter, ParameterGroup, Update } from "../../learning/owners.ts";
import { loadParameters, readParameters } from "../../learning/parameters.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { tensorsOf, uploadBatch, type WindowBatch, windowsAt } from "./batch.ts";
import { type Given, totalLoss } from "./learn.ts";
import type { World } from "./losses.ts";
import { createWorldModel, type WorldModel } from "./model.ts";
import { ModelProgram } from "./model-program.ts";
import { planSome, type SearchFigures, searchMetrics } from "./plan-batch.ts";
import { groupNames, ownerOf, planFacts, updatesOf, type WorldModelPlanFacts } from "./plans.ts";
import type { WorldModelSettings } from "./settings.ts";
import { type Step, UpdateProgram, type WeightNumbers } from "./update-program.ts";
import { shapeOf, type WorldFacts } from "./world-facts.ts";
import { WorldModelPolicy } from "./world-model-policy.ts";

export interface WorldModelSite {
  readonly facts: WorldFacts;
  readonly seed: number;
  /** Who makes one call of an update's operations; absent: each is a call of its own. */
  readonly compile?: Compile | undefined;
}

const divergedHint =
  "Lower learning_rate or pre_len, or clip gradients (max_grad_norm); resume from the last checkpoint.";

/** A model of the world and a policy in it, from windows of recorded flights: one update for each batch. */
export class WorldModelLearner implements Learner {
  readonly needs: Needs;
  readonly groups: readonly ParameterGroup[];
  readonly updates: readonly Update[];
  readonly losses: readonly string[];
  readonly policies: { readonly student: WorldModelPolicy };
  readonly model: WorldModel;
  /** For whoever asks the model: as it is now. */
  readonly asked: ModelProgram;
  readonly plan: WorldModelPlanFacts;
  readonly #settings: WorldModelSettings;
  readonly #facts: WorldFacts;
  readonly #world: World;
  readonly #owners: readonly Owner[];
  readonly #program: UpdateProgram;
  readonly #random: Random;
  #number = 0;

  /** @throws LearningError when its claims don't hold together, see `checkOwners` */
  constructor(settings: WorldModelSettings, { facts, seed, compile = eagerly }: WorldModelSite) {
    const weights = new Random(deriveSeed(seed, "weights"));
    const model = createWorldModel(shapeOf(facts), settings, { random: weights.uniform });
    const plan = planFacts(settings);
    const env = facts.heads.map(({ name }) => `loss_${name}`);
    const names = { env: [...env, "loss_value", "loss_reward"], action: "loss_action" } as const;
    this.needs = { groups: facts.reads, successors: [], notes: [] };
    this.plan = plan;
    this.model = model;
    this.groups = groupNames.map((name) => {
      return { name, owner: ownerOf(name, plan), parameters: model.parameters[name] };
    });
    this.updates = updatesOf(plan, names);
    this.losses = [...names.env, names.action];
    checkOwners(this);
    this.#settings = settings;
    this.#facts = facts;
    const { cut, gradientScale } = plan;
    this.#world = { model, facts, settings, cut, gradientScale };
    this.#owners = [...new Set(this.groups.map(({ owner }) => owner))].map((name) => {
      const { learning_rate: learningRate, max_grad_norm: maxGradNorm } = settings;
      return new Owner(name, this.groups, { learningRate, maxGradNorm });
    });
    this.#random = new Random(deriveSeed(seed, "world_model"));
    this.asked = new ModelProgram(model, facts, compile);
    this.policies = { student: new WorldModelPolicy({ program: this.asked, facts, settings }) };
    this.#program = new UpdateProgram(
      {
        ...{ groups: this.groups, owners: this.#owners },
        running: (stage) => this.#running(stage),
        learn: (batch, { stage, ...given }, step) => this.#learn(batch, { stage, given }, step),
      },
      compile,
    );
  }

  /**
   * Means over the updates: `Loss/loss_NAME`, each beside its `Weight/loss_NAME`; where a planner searched,
   * `Search/coverage` and `Search/activation`. `Train/updates`: their number so far.
   *
   * @throws LearningError `diverged`, `missing-array`
   */
  async update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics> {
    const figures = new Figures();
    const searched: SearchFigures[] = [];
    try {
      for (let step = 0; step < experience.steps; step += 1) {
        const windows = windowsAt(experience, step);
        const planned = this.#plans(stage)
          ? await planSome(this.asked, windows, {
              ...{ settings: this.#settings, facts: this.#facts, random: this.#random },
            })
          : undefined;
        if (planned) searched.push(planned.figures);
        const batch = uploadBatch(windows, this.#facts, planned?.targets);
        this.#number += 1;
        this.#step(batch, { stage, figures, meter });
        tf.dispose(tensorsOf(batch));
        await letOthersRun();
      }
      const metrics = await figures.read();
      checkFinite(metrics, divergedHint);
      const more = { ...this.#weights(stage), ...searchMetrics(searched) };
      return { ...metrics, ...more, "Train/updates": this.#number };
    } finally {
      figures.dispose();
    }
  }

  async save(): Promise<LearnerState> {
    const arrays: Record<string, NamedArray> = { ...(await readParameters(this.groups)) };
    const counters: Record<string, unknown> = {
      updates: this.#number,
      random: this.#random.save(),
    };
    for (const owner of this.#owners) {
      const state = await owner.save();
      Object.assign(arrays, state.arrays);
      Object.assign(counters, state.counters);
    }
    return { arrays, counters };
  }

  load(state: LearnerState): void {
    loadParameters(this.groups, state.arrays);
    for (const owner of this.#owners) owner.load(state);
    this.#number = state.counters.updates as number;
    this.#random.load(state.counters.random as RandomState);
  }

  dispose(): void {
    this.#program.dispose();
    this.asked.dispose();
    for (const owner of this.#owners) owner.dispose();
    this.model.dispose();
  }

  #plans({ name }: Stage): boolean {
    const { use_mcts, search_share } = this.#settings;
    return (
      use_mcts && search_share > 0 && this.#running(name).some(({ terms }) => hasAction(terms))
    );
  }

  #running(stage: string): readonly Update[] {
    return this.#inStage(stage).filter(({ partOf }) => partOf === undefined);
  }

  #inStage(stage: string): readonly Update[] {
    return this.updates.filter(({ stages }) => stages!.includes(stage));
  }

  #step(batch: WindowBatch, { stage, figures, meter }: Stepping): void {
    const { env_loss_weight: env = 1, policy_loss_weight: policy = 1 } = stage.settings;
    const weights = [env, policy, this.#settings.bc_share] as const;
    const { names, values } = meter
      ? this.#measured(batch, { stage, weights, meter })
      : this.#program.run(batch, stage.name, weights);
    figures.add(names, values);
  }

  /** A meter looks at parameters between the steps: they are calls of their own. */
  #measured(
    batch: WindowBatch,
    { stage, weights, meter }: { stage: Stage; weights: WeightNumbers; meter: GradientMeter },
  ) {
    const figures = new Sheet();
    tf.tidy(() => {
      const [env, policy, imitation] = weights.map((weight) => tf.scalar(weight));
      const scalars = { env: env!, policy: policy!, imitation: imitation! };
      const given = { weights: scalars, figures: new Sheet() };
      for (const part of this.#inStage(stage.name)) {
        if (part.partOf === undefined) continue;
        const loss = () => totalLoss(this.#world, batch, part, given);
        meter.measure(part, loss, () => undefined);
      }
      tf.dispose(given.figures.take());
      const whole = { stage: stage.name, given: { ...given, figures } };
      this.#learn(batch, whole, (update, loss) => {
        const owner = this.#owners.find(({ name }) => name === update.owner)!;
        meter.measure(update, loss, () => owner.step(loss)).dispose();
      });
    });
    return { names: figures.names, values: figures.take() };
  }

  #learn(
    batch: WindowBatch,
    { stage, given }: { readonly stage: string; readonly given: Given },
    step: Step,
  ): void {
    for (const update of this.#running(stage)) {
      step(update, () => totalLoss(this.#world, batch, update, given));
    }
  }

  #weights({ name, settings }: Stage): Metrics {
    const terms = this.#running(name).flatMap((update) => update.terms);
    const { env_loss_weight: env = 1, policy_loss_weight: policy = 1 } = settings;
    return Object.fromEntries(
      terms.map((term) => [`Weight/${term}`, hasAction([term]) ? policy : env]),
    );
  }
}

interface Stepping {
  readonly stage: Stage;
  readonly figures: Figures;
  readonly meter: GradientMeter | undefined;
}

function hasAction(terms: readonly string[]): boolean {
  return terms.includes("loss_action");
}
