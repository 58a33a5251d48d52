import { elementsOf } from "../../named-array.ts";
import { PolicyError } from "../../policy-error.ts";

/** A group as the network reads it: `[height, width, channels]` of pictures, `[width]` of numbers. */
export interface EncoderGroup {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The convolutions that each group of pictures goes through. */
export interface Stack {
  /** Filters of each convolution. Default [16, 32]. */
  readonly channels?: readonly number[] | undefined;
  /** Pixels of a side of each filter. Default 3. */
  readonly kernel?: number | undefined;
  /** Pixels from one place of a filter to the next. Default 2. */
  readonly stride?: number | undefined;
}

/** One convolution of a stack. */
export interface ConvolutionShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  /** Rows of zeros above and below, columns left and right. */
  readonly pad: readonly [rows: number, columns: number];
  /** Of what comes out. */
  readonly height: number;
  readonly width: number;
}

export function isPictureGroup({ shape }: EncoderGroup): boolean {
  return shape.length === 3;
}

/** Features that a group gives: its numbers, or what comes out of its last convolution. */
export function groupWidth(group: EncoderGroup, stack: Stack): number {
  if (!isPictureGroup(group)) return elementsOf(group.shape);
  const last = convolutionsOf(group, stack).at(-1)!;
  return last.outChannels * last.height * last.width;
}

/**
 * The convolutions of a group of pictures, padded as rsl_rl's `padding: zeros` does it: so that a stride divides
 * what comes in. @throws PolicyError `picture-size` where nothing of the picture is left,
 * `picture-axes` where its channels seem to come first
 */
export function convolutionsOf({ name, shape }: EncoderGroup, stack: Stack): ConvolutionShape[] {
  const { channels = [16, 32], kernel = 3, stride = 2 } = stack;
  let [height = 0, width = 0, inChannels = 0] = shape;
  if (looksChannelsFirst(shape)) throw channelsFirst(name, shape);
  return channels.map((outChannels) => {
    const pad = [padding(height, kernel, stride), padding(width, kernel, stride)] as const;
    height = Math.floor((height + 2 * pad[0] - kernel) / stride) + 1;
    width = Math.floor((width + 2 * pad[1] - kernel) / stride) + 1;
    if (height < 1 || width < 1) throw tooSmall(name, shape, stack);
    const layer = { inChannels, outChannels, kernel, stride, pad, height, width };
    inChannels = outChannels;
    return layer;
  });
}

function padding(size: number, kernel: number, stride: number): number {
  const missing = stride * Math.floor(size / stride) - size - stride + kernel;
  return Math.max(0, Math.ceil(missing / 2));
}

/** PyTorch's `[channels, height, width]`; no camera's picture is that low and that deep. */
function looksChannelsFirst([first = 0, second = 0, last = 0]: readonly number[]): boolean {
  return first < last && (second === last ? first < second : first <= 4 && second > 4 && last > 16);
}

function channelsFirst(name: string, shape: readonly number[]) {
  const [channels, ...rest] = shape;
  return new PolicyError(
    "picture-axes",
    `pictures ${name} of [${shape}] seem to have their channels first; expected [height, width, channels], as [${[...rest, channels]}]`,
    "Record and send them with the channels last: numpy.moveaxis(pictures, -3, -1).",
  );
}

function tooSmall(name: string, shape: readonly number[], { channels, kernel }: Stack) {
  return new PolicyError(
    "picture-size",
    `pictures ${name} of [${shape}] are too small for ${channels?.length} convolutions of ${kernel} × ${kernel}`,
    "Use larger pictures; a distillation may have fewer convolutions (policy.cnn_channels) or smaller ones (policy.cnn_kernel_size).",
  );
}
