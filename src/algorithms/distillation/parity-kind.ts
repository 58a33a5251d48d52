import { createMlp } from "../../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser, normaliserStateIn } from "../../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import type { ParityKind } from "../../learning/parity/reference.ts";
import { type ParityCase, parityTolerance, readParityCase, replayParity } from "./parity.ts";

/** Distillation updates of rsl_rl. */
export const distillationParity: ParityKind = {
  name: "distillation",
  tolerance: { weights: parityTolerance.weights, metrics: parityTolerance.loss },
  recognises: ({ metadata }) => metadata.behavior_loss !== undefined,
  async replay(file, { keepLeftover = false, compile }) {
    const parity = readParityCase(file, !keepLeftover);
    const policy = studentOf(parity);
    try {
      const updates = await replayParity(file, parity, policy, compile);
      return updates.map(({ lossError, weightError, worst }, i) => ({
        update: i + 1,
        weights: { error: weightError, at: worst },
        metrics: { error: lossError, at: "behavior" },
      }));
    } finally {
      policy.dispose();
    }
  },
};

function studentOf(parity: ParityCase): NetworkPolicy {
  const { observationWidth, actionWidth, weights, rnnType, rnnHidden, rnnLayers } = parity;
  const mlp = {
    inputWidth: observationWidth,
    outputWidth: actionWidth,
    hidden: parity.hidden,
    activation: parity.activation,
    weights,
  };
  const network =
    rnnType === ""
      ? createMlp(mlp)
      : createRecurrent({ ...mlp, rnn: { type: rnnType, width: rnnHidden, layers: rnnLayers } });
  const normaliser = parity.normalised
    ? new Normaliser(observationWidth, normaliserStateIn(weights))
    : undefined;
  return new NetworkPolicy({ network, normaliser, reads: ["policy"] });
}
