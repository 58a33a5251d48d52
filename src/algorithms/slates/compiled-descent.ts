import * as tf from "@tensorflow/tfjs-core";
import type { Descend } from "../../../policies/rankers/descent.ts";
import type { Compile } from "../../engine/compile/program.ts";
import { Optimiser } from "../../learning/optimiser.ts";

/** Whole steps of a ranker as one program. */
export function compiledDescent(compile: Compile): Descend {
  return ({ parameters, constants, learningRate, losses }) => {
    const optimiser = new Optimiser("adam", parameters, learningRate);
    const program = compile({
      state: [...optimiser.state, ...constants],
      entries: {
        step: (all) => {
          const inputs = all.slice(0, all.length - optimiser.scalars);
          const scalars = all.slice(inputs.length);
          const terms = () => {
            const [loss, ...besides] = losses(inputs);
            return { loss: loss!, besides };
          };
          const { loss, besides } = optimiser.descend(terms, { maxGradNorm: null, scalars });
          return [loss, ...besides];
        },
      },
    });
    return {
      step: (inputs) => {
        const scalars = optimiser.nextStep();
        const told = program.run("step", [...inputs, ...scalars]);
        tf.dispose(scalars);
        return told;
      },
      dispose: () => {
        program.dispose();
        optimiser.dispose();
      },
    };
  };
}

/** Nothing is stepped: what the losses are. */
export const lossesAlone: Descend = ({ losses }) => ({
  step: (inputs) => tf.tidy(() => losses(inputs).map((one) => one.clone())),
  dispose: () => {},
});
