import * as tf from "@tensorflow/tfjs-core";
import { elementsOf, type NamedArrays } from "../../named-array.ts";
import { PolicyError } from "../../policy-error.ts";
import { type Activation, activationNamed } from "../activation.ts";
import { createParameter, type Linear, linear } from "../mlp.ts";
import type { Parameter } from "../network.ts";
import {
  type ConvolutionShape,
  convolutionsOf,
  type EncoderGroup,
  groupWidth,
  isPictureGroup,
  type Stack,
} from "./shapes.ts";

export interface CnnOptions extends Stack {
  /** In the order in which `forward` gets them; at least one is of pictures. */
  readonly groups: readonly EncoderGroup[];
  /** By rsl_rl's names, behind every convolution and the last layer. */
  readonly activation: string;
  /** Width of a Linear layer that joins all groups, with its activation; absent: they are put side by side. */
  readonly featureWidth?: number | undefined;
  /** Uniform in [0, 1): where initial weights come from; as PyTorch's Conv2d and Linear. */
  readonly random?: (() => number) | undefined;
  /** Initial weights by name, instead of random ones; other names are left alone. */
  readonly weights?: NamedArrays | undefined;
  /** Put before all parameters' names, e.g. `encoder.`; default none. */
  readonly prefix?: string | undefined;
}

/** Arrays of groups to features. */
export interface Cnn {
  readonly groups: readonly EncoderGroup[];
  readonly featureWidth: number;
  /**
   * `cnns.GROUP.0.weight` `[filters, channels, kernel, kernel]`, `cnns.GROUP.0.bias`, `cnns.GROUP.2.weight` …; then,
   * where there is a `featureWidth`, `features.weight` `[featureWidth, joined]` and `features.bias`.
   */
  readonly parameters: readonly Parameter[];
  /**
   * @param groups one tensor for each group, in order: of pictures `[rows, height, width, channels]` or
   *   `[rows, height · width · channels]` with values 0 to 255 as they were recorded, of numbers `[rows, width]`
   * @returns `[rows, featureWidth]`; differentiable; call inside `tidy`
   */
  forward(groups: readonly tf.Tensor[]): tf.Tensor2D;
  dispose(): void;
}

interface Convolution extends ConvolutionShape {
  readonly weight: tf.Variable;
  readonly bias: tf.Variable;
}

/**
 * An encoder of pictures and numbers, as rsl_rl's `CNNModel` has it: each group of pictures goes through
 * convolutions of its own (padded with zeros), then all numbers and, behind them, all convolved pictures are put
 * side by side. Bytes are brought to 0 to 1 in here.
 *
 *     const groups = [{ name: "camera", shape: [32, 32, 2] }, { name: "joints", shape: [9] }];
 *     const encoder = createCnn({ groups, activation: "relu", featureWidth: 128 });
 *     const features = encoder.forward([pictures, joints]);   // [rows, 2048], [rows, 9] → [rows, 128]
 *
 * @throws PolicyError `no-pictures`, `picture-size`, `unknown-activation`, `missing-weight`, `weight-shape`
 */
export function createCnn(options: CnnOptions): Cnn {
  const { groups, featureWidth, prefix = "", activation: name } = options;
  const activation = activationNamed(name);
  const pictures = groups.filter(isPictureGroup);
  if (pictures.length === 0) throw noPictures(groups);
  const parameters: Parameter[] = [];
  const make: Make = (name, shape, inputs) => {
    const bound = 1 / Math.sqrt(inputs);
    const parameter = createParameter(prefix + name, shape, { ...drawn(options), bound });
    parameters.push(parameter);
    return parameter.value;
  };
  const stacks = new Map(pictures.map((group) => [group.name, stackOf(group, options, make)]));
  const joinedWidth = groups.reduce((sum, group) => sum + groupWidth(group, options), 0);
  const last: Linear | undefined =
    featureWidth === undefined
      ? undefined
      : {
          weight: make("features.weight", [featureWidth, joinedWidth], joinedWidth),
          bias: make("features.bias", [featureWidth], joinedWidth),
        };
  return {
    groups,
    featureWidth: featureWidth ?? joinedWidth,
    parameters,
    forward: (arrays) => {
      const joined = join(groups, arrays, (group, array) =>
        convolved(array, { group, layers: stacks.get(group.name)!, activation }),
      );
      return last ? linear(joined, last, activation) : joined;
    },
    dispose: () => tf.dispose(parameters.map(({ value }) => value)),
  };
}

/** A parameter that is kept. @param inputs how many numbers one output is made of */
type Make = (name: string, shape: readonly number[], inputs: number) => tf.Variable;

/** A group's convolutions, one behind the other. */
function stackOf(group: EncoderGroup, stack: Stack, make: Make): readonly Convolution[] {
  return convolutionsOf(group, stack).map((shape, i) => {
    const { inChannels, outChannels, kernel } = shape;
    const inputs = inChannels * kernel ** 2;
    const at = `cnns.${group.name}.${2 * i}`;
    const weight = make(`${at}.weight`, [outChannels, inChannels, kernel, kernel], inputs);
    return { ...shape, weight, bias: make(`${at}.bias`, [outChannels], inputs) };
  });
}

function drawn({ random = Math.random, weights }: CnnOptions) {
  return { random, weights };
}

/** Numbers first, then pictures, each in the order of the groups. */
function join(
  groups: readonly EncoderGroup[],
  arrays: readonly tf.Tensor[],
  encode: (group: EncoderGroup, array: tf.Tensor) => tf.Tensor2D,
): tf.Tensor2D {
  const numbers: tf.Tensor2D[] = [];
  const pictures: tf.Tensor2D[] = [];
  for (const [i, group] of groups.entries()) {
    const array = arrays[i]!;
    if (isPictureGroup(group)) pictures.push(encode(group, array));
    else numbers.push(tf.reshape(array, [-1, elementsOf(group.shape)]));
  }
  const all = [...numbers, ...pictures];
  return all.length === 1 ? all[0]! : tf.concat2d(all, 1);
}

interface Seeing {
  readonly group: EncoderGroup;
  readonly layers: readonly Convolution[];
  readonly activation: Activation;
}

/** To `[rows, channels · height · width]`, in PyTorch's order: a channel after the other. */
function convolved(array: tf.Tensor, { group, layers, activation }: Seeing): tf.Tensor2D {
  const bytes = array.dtype === "float32" ? array : tf.cast(array, "float32");
  const [height = 0, width = 0, channels = 0] = group.shape;
  const pictures = tf.reshape(bytes, [-1, height, width, channels]) as tf.Tensor4D;
  let x = tf.mul<tf.Tensor4D>(pictures, 1 / 255);
  for (const layer of layers) x = convolve(x, layer, activation);
  const flat = x.shape.slice(1).reduce((product, size) => product * size, 1);
  return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, flat]);
}

function convolve(x: tf.Tensor4D, layer: Convolution, activation: Activation): tf.Tensor4D {
  const { pad, stride, weight, bias } = layer;
  // Padded by hand: "same" puts an odd row of zeros behind the picture, PyTorch before it too.
  const [top, left] = pad;
  const padded =
    top === 0 && left === 0
      ? x
      : tf.pad4d(x, [
          [0, 0],
          [top, top],
          [left, left],
          [0, 0],
        ]);
  const filter = tf.transpose(weight, [2, 3, 1, 0]) as tf.Tensor4D;
  const sum = tf.add(tf.conv2d(padded, filter, stride, "valid"), bias);
  return activation.apply(sum as unknown as tf.Tensor2D) as unknown as tf.Tensor4D;
}

function noPictures(groups: readonly EncoderGroup[]): PolicyError {
  const told = groups.map(({ name, shape }) => `${name} [${shape}]`).join(", ");
  return new PolicyError(
    "no-pictures",
    `none of the groups ${told} is of pictures [height, width, channels]`,
    "Name a group of pictures, or use an MLP.",
  );
}
