import * as tf from "@tensorflow/tfjs-core";
import { elementsOf, type NamedArrays } from "../../named-array.ts";
import { createMlp } from "../mlp.ts";
import type { Network } from "../network.ts";
import { createCnn } from "./cnn.ts";
import { type EncoderGroup, isPictureGroup } from "./shapes.ts";

/** What the weights of a network with pictures don't say of it; kept beside them. */
export interface VisionFacts {
  /** In the order in which they stand in a row of its inputs. */
  readonly groups: readonly EncoderGroup[];
  readonly channels: readonly number[];
  readonly kernel: number;
  readonly stride: number;
}

export interface VisionOptions extends VisionFacts {
  readonly outputWidth: number;
  /** Widths of the MLP's hidden layers, behind the convolutions. */
  readonly hidden: readonly number[];
  /** Behind convolutions and hidden layers. */
  readonly activation: string;
  readonly random?: () => number;
  readonly weights?: NamedArrays;
}

/**
 * rsl_rl's `CNNModel`: convolutions, then an MLP that sees numbers and convolved pictures side by side. A row of
 * its inputs is one observation of all groups, bytes of pictures as numbers from 0 to 255. Parameters `mlp.0.weight` …, then
 * `cnns.GROUP.0.weight` ….
 *
 * @throws PolicyError as `createCnn` and `createMlp`
 */
export function createVision(options: VisionOptions): Network {
  const { groups, outputWidth, hidden, activation } = options;
  const drawn = {
    ...(options.random && { random: options.random }),
    ...(options.weights && { weights: options.weights }),
  };
  const cnn = createCnn({ ...options, ...drawn });
  const mlp = createMlp({
    inputWidth: cnn.featureWidth,
    outputWidth,
    hidden,
    activation,
    ...drawn,
  });
  const widths = groups.map(({ shape }) => elementsOf(shape));
  return {
    inputWidth: widths.reduce((sum, width) => sum + width, 0),
    outputWidth,
    isByte: (column) => isPictureGroup(groups[groupOf(column, widths)]!),
    parameters: [...mlp.parameters, ...cnn.parameters],
    memoryWidths: [],
    forward: (inputs) => mlp.forward(cnn.forward(columnsOf(inputs, widths)), []),
    dispose: () => {
      cnn.dispose();
      mlp.dispose();
    },
  };
}

function groupOf(column: number, widths: readonly number[]): number {
  let end = 0;
  return widths.findIndex((width) => {
    end += width;
    return column < end;
  });
}

function columnsOf(inputs: tf.Tensor2D, widths: readonly number[]): tf.Tensor2D[] {
  if (widths.length === 1) return [inputs];
  let from = 0;
  return widths.map((width) => {
    const columns = tf.slice2d(inputs, [0, from], [-1, width]);
    from += width;
    return columns;
  });
}
