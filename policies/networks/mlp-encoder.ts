import * as tf from "@tensorflow/tfjs-core";
import type { Encoder, GroupShape } from "./encoder.ts";
import { createMlp, type MlpOptions } from "./mlp.ts";

export interface MlpEncoderOptions
  extends Pick<MlpOptions, "hidden" | "activation" | "random" | "weights" | "prefix"> {
  readonly groups: readonly GroupShape[];
  readonly featureWidth: number;
}

/** Features of vectors: the groups side by side through an MLP, tanh behind its last layer. */
export function createMlpEncoder({ groups, featureWidth, ...options }: MlpEncoderOptions): Encoder {
  const widths = groups.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const inputWidth = widths.reduce((sum, width) => sum + width, 0);
  const mlp = createMlp({ ...options, inputWidth, outputWidth: featureWidth });
  return {
    featureWidth,
    parameters: mlp.parameters,
    encode: (observed) => {
      const columns = groups.map(({ name }, i) =>
        tf.reshape(observed[name]!, [-1, widths[i]!]),
      ) as tf.Tensor2D[];
      const inputs = columns.length === 1 ? columns[0]! : tf.concat2d(columns, 1);
      return tf.tanh(mlp.forward(inputs, []).outputs);
    },
  };
}
