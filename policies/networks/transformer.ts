import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import { activationNamed } from "./activation.ts";
import { type LayerNorm, layerNorm } from "./layer-norm.ts";
import {
  checkWidths,
  createParameter,
  filledParameter,
  type Linear,
  linear,
  type ParameterInit,
} from "./mlp.ts";
import type { Network, Parameter } from "./network.ts";

export interface TransformerOptions {
  /** Of one of the things that are read. */
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** How many are read together. */
  readonly tokens: number;
  /** Of what stands for one inside. */
  readonly width: number;
  /** Width of the feed-forward half of each block, of which there are as many. */
  readonly blocks: readonly number[];
  readonly activation: string;
  /** Uniform in [0, 1): where initial weights come from. */
  readonly random?: () => number;
  /** Initial weights by name, instead of random ones. */
  readonly weights?: NamedArrays;
  readonly prefix: string;
}

const mostHeads = 4;
const epsilon = 1e-5;

interface Attention {
  /** Queries, keys and values: `[3 · width, width]`. */
  readonly asked: Linear;
  readonly told: Linear;
  readonly heads: number;
}

interface Block {
  readonly before: LayerNorm;
  readonly attention: Attention;
  readonly between: LayerNorm;
  readonly first: Linear;
  readonly second: Linear;
}

/**
 * Reads `tokens` things that stand side by side in a row, `[batch, tokens · inputWidth]`, and gives what is known
 * at the last: blocks of self-attention and feed-forward layers with the norms before them (Vaswani and others,
 * 2017; Xiong and others, 2020), over a linear code of each thing and a learned one of its place. Parameters are
 * named as torch.nn.TransformerEncoderLayer's.
 *
 * @throws PolicyError `bad-width`, `missing-weight`, `weight-shape`
 */
export function createTransformer(options: TransformerOptions): Network {
  const { inputWidth, outputWidth, tokens, width, blocks: inner } = options;
  checkWidths([inputWidth, outputWidth, tokens, width, ...inner]);
  const make = new Maker(options);
  const code = make.linear("embed", inputWidth, width);
  const places = make.drawn("places", [tokens, width], 1 / Math.sqrt(width));
  const blocks = inner.map((wide, i) => make.block(`layers.${i}`, width, wide));
  const norm = make.norm("norm", width);
  const last = make.linear("output", width, outputWidth);
  const { apply } = activationNamed(options.activation);
  return {
    inputWidth: tokens * inputWidth,
    outputWidth,
    parameters: make.parameters,
    memoryWidths: [],
    forward(inputs) {
      const batch = inputs.shape[0];
      const coded = linear(tf.reshape(inputs, [batch * tokens, inputWidth]), code);
      const placed = tf.add(tf.reshape(coded, [batch, tokens, width]), places);
      let x = tf.reshape(placed, [batch * tokens, width]) as tf.Tensor2D;
      for (const { before, attention, between, first, second } of blocks) {
        x = tf.add(x, attend(layerNorm(x, before), attention, { batch, tokens, width }));
        x = tf.add(x, linear(apply(linear(layerNorm(x, between), first)), second));
      }
      const ends = tf.slice(
        tf.reshape(x, [batch, tokens, width]),
        [0, tokens - 1, 0],
        [batch, 1, width],
      );
      const known = layerNorm(tf.reshape(ends, [batch, width]) as tf.Tensor2D, norm);
      return { outputs: linear(known, last), memory: [] };
    },
    dispose: () => tf.dispose(make.parameters.map(({ value }) => value)),
  };
}

interface Extent {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
}

/** `[batch · tokens, width]` in and out: each looks at all. */
function attend(x: tf.Tensor2D, { asked, told, heads }: Attention, extent: Extent): tf.Tensor2D {
  const { batch, tokens, width } = extent;
  const each = width / heads;
  const parts = tf.split(linear(x, asked), 3, 1).map((part) => {
    const apart = tf.reshape(part, [batch, tokens, heads, each]);
    return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [batch * heads, tokens, each]);
  });
  const [queries, keys, values] = parts as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const near = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(each));
  // TensorFlow's own softmax comes to other bits in a graph.
  const seen = tf.matMul(tf.exp(tf.logSoftmax(near, -1)), values);
  const together = tf.transpose(tf.reshape(seen, [batch, heads, tokens, each]), [0, 2, 1, 3]);
  return linear(tf.reshape(together, [batch * tokens, width]) as tf.Tensor2D, told);
}

/** Makes parameters in the order in which they are asked for. */
class Maker {
  readonly parameters: Parameter[] = [];
  readonly #options: TransformerOptions;

  constructor(options: TransformerOptions) {
    this.#options = options;
  }

  linear(name: string, inputs: number, outputs: number): Linear {
    const bound = 1 / Math.sqrt(inputs);
    return {
      weight: this.drawn(`${name}.weight`, [outputs, inputs], bound),
      bias: this.drawn(`${name}.bias`, [outputs], bound),
    };
  }

  norm(name: string, width: number): LayerNorm {
    return {
      weight: this.#filled(`${name}.weight`, width, 1),
      bias: this.#filled(`${name}.bias`, width, 0),
      epsilon,
    };
  }

  block(name: string, width: number, wide: number): Block {
    const bound = 1 / Math.sqrt(width);
    const asked = {
      weight: this.drawn(`${name}.self_attn.in_proj_weight`, [3 * width, width], bound),
      bias: this.#filled(`${name}.self_attn.in_proj_bias`, 3 * width, 0),
    };
    const told = this.linear(`${name}.self_attn.out_proj`, width, width);
    return {
      attention: { asked, told, heads: headsOf(width) },
      first: this.linear(`${name}.linear1`, width, wide),
      second: this.linear(`${name}.linear2`, wide, width),
      before: this.norm(`${name}.norm1`, width),
      between: this.norm(`${name}.norm2`, width),
    };
  }

  drawn(name: string, shape: readonly number[], bound: number): tf.Variable {
    const { random = Math.random, weights } = this.#options;
    const init: ParameterInit = { bound, random, weights };
    return this.#kept(createParameter(`${this.#options.prefix}.${name}`, shape, init));
  }

  #filled(name: string, width: number, value: number): tf.Variable {
    const { prefix, weights } = this.#options;
    return this.#kept(filledParameter(`${prefix}.${name}`, { width, value, weights }));
  }

  #kept(parameter: Parameter): tf.Variable {
    this.parameters.push(parameter);
    return parameter.value;
  }
}

/** As many as divide the width, at most four. */
function headsOf(width: number): number {
  let heads = Math.min(mostHeads, width);
  while (width % heads !== 0) heads -= 1;
  return heads;
}
