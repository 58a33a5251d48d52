import { createMlp } from "../../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser } from "../../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import { Random } from "../../../policies/random.ts";
import { Distillation } from "../../../src/algorithms/distillation/distillation.ts";
import type { DistillationSettings } from "../../../src/algorithms/distillation/update-settings.ts";
import type { Experience } from "../../../src/learning/experience.ts";
import type { Stage } from "../../../src/learning/stage.ts";
import { learnerLaws } from "../../learning/learner-laws.ts";

const stage: Stage = {
  ...{ name: "student-drives", index: 1, of: 2, iteration: 3, length: 10, progress: 0.3 },
  settings: { teacher_share: 0 },
};
const [numEnvs, observed, actions] = [6, 3, 2];

interface Student {
  readonly rnn?: "gru" | "lstm";
  readonly normalised?: boolean;
}

function student({ rnn, normalised }: Student, seed: number): NetworkPolicy {
  const random = new Random(seed).uniform;
  const sizes = { inputWidth: observed, outputWidth: actions, hidden: [8], activation: "elu" };
  const network = rnn
    ? createRecurrent({ ...sizes, random, rnn: { type: rnn, width: 4, layers: 2 } })
    : createMlp({ ...sizes, random });
  const normaliser = normalised ? new Normaliser(observed) : undefined;
  return new NetworkPolicy({ network, normaliser, reads: ["policy"] });
}

/** A rollout in which some episodes end, by the clock or for good. */
function rollout(steps: number, widths: readonly number[]): Experience {
  const random = new Random(5);
  const normal = (length: number) => Float32Array.from({ length }, random.normal);
  const ended = () =>
    Uint8Array.from({ length: steps * numEnvs }, () => (random.uniform() < 0.1 ? 1 : 0));
  return {
    steps,
    numEnvs,
    arrays: {
      "obs/policy": normal(steps * numEnvs * observed),
      "after/policy": normal(numEnvs * observed),
      "notes/teacher_actions": normal(steps * numEnvs * actions),
      ...{ actions: normal(steps * numEnvs * actions), rewards: normal(steps * numEnvs) },
      ...{ terminated: ended(), truncated: ended(), started: ended() },
      ...Object.fromEntries(widths.map((w, i) => [`memory/${i}`, normal(numEnvs * w)])),
    },
  };
}

function laws(name: string, who: Student, settings: Partial<DistillationSettings> = {}): void {
  // Two layers; an LSTM has two states each.
  const states = { gru: 2, lstm: 4, none: 0 }[who.rnn ?? "none"];
  const widths: number[] = new Array(states).fill(4);
  learnerLaws(name, {
    make: (kind) =>
      new Distillation(student(who, kind === "fresh" ? 9 : 1), {
        settings: { num_learning_epochs: 2, gradient_length: 3, max_grad_norm: 1, ...settings },
        random: new Random(2),
      }),
    experience: (steps) => rollout(steps, widths),
    ...{ stage, ownsPolicies: false },
  });
}

laws("distillation of an MLP", {});
laws("distillation with left-over steps dropped", {}, { drop_leftover_steps: true });
laws("distillation of a normalised LSTM", { rnn: "lstm", normalised: true });
laws("distillation of a GRU by rmsprop", { rnn: "gru" }, { optimizer: "rmsprop" });
