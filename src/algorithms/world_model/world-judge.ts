import type { Experience } from "../../learning/experience.ts";
import { watchBand } from "../../learning/monitors/band.ts";
import type { Monitor } from "../../learning/monitors/monitor.ts";
import { watchRebound } from "../../learning/monitors/rebound.ts";
import type { Stage } from "../../learning/stage.ts";
import type { Judge, Judgement } from "../../running/judge.ts";
import type { ModelProgram } from "./model-program.ts";
import { validate } from "./validation.ts";
import type { WorldFacts } from "./world-facts.ts";

export interface WorldJudgeOptions {
  readonly program: ModelProgram;
  readonly facts: WorldFacts;
  /** Windows of episodes that are held out. */
  readonly held: Experience;
  /** By head: no error can be less than what the readings themselves are off, as `Eval/val_HEAD_floor`. */
  readonly floors: Readonly<Record<string, number>>;
  /** Lets the policy fly now and then; its merit is what counts. */
  readonly flying: Judge;
}

/** Measures the model after every iteration, and the policy when it flies. */
export class WorldJudge implements Judge {
  readonly #options: WorldJudgeOptions;

  constructor(options: WorldJudgeOptions) {
    this.#options = options;
  }

  async assess(iteration: number, stage: Stage): Promise<Judgement> {
    const { program, facts, held, floors, flying } = this.#options;
    const measured = await validate(program, held, facts);
    const least = Object.entries(floors).map(([name, floor]) => [`Eval/val_${name}_floor`, floor]);
    const { metrics, merit } = await flying.assess(iteration, stage);
    return { metrics: { ...measured, ...Object.fromEntries(least), ...metrics }, merit };
  }
}

const loosen =
  "Lower the policy's weight first (policy_loss_weight), or raise env_loss_weight; a cut (freeze) removes it and costs the policy accuracy.";

/** The patient's bands in its own units; others have none but persistence. */
const most: Readonly<Record<string, number>> = { bis: 3, rp: 5 };

/** Of a model of the world: rebounds after the warm-up, bands of its errors, and of what a planner activates. */
export function worldMonitors({ heads }: WorldFacts): readonly Monitor[] {
  const bands = heads.flatMap(({ name }) => {
    const metric = `Eval/val_${name}_mae`;
    const baseline = { name: "persistence", value: `Eval/val_${name}_persistence` };
    const next = "Train the model longer before the policy, or give it more history.";
    const skill = watchBand({ metric: `Eval/val_${name}_skill`, least: 0, next });
    const band = most[name];
    return band === undefined
      ? [skill]
      : [skill, watchBand({ metric, most: band, baseline, next })];
  });
  const rebounds = heads.map(({ name }) =>
    advised(watchRebound({ metric: `Eval/val_${name}_mae` }), loosen),
  );
  const activation = watchBand({
    ...{ metric: "Search/activation", least: 0.01, most: 0.8 },
    next: "Below, the planner finds nothing that the data have not; above, the model promises too much: train it longer first.",
  });
  return [...rebounds, ...bands, activation];
}

/** The same monitor; what it warns of has another next move. */
function advised(monitor: Monitor, next: string): Monitor {
  return {
    ...monitor,
    observe: (metrics, at) =>
      monitor.observe(metrics, at).map((event) => {
        return event.level === "warn" || event.level === "alarm" ? { ...event, next } : event;
      }),
  };
}
