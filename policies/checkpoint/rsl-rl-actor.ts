import type { NamedArray } from "../named-array.ts";
import type { NormaliserState } from "../networks/normaliser.ts";
import type { ActorEntries, LatentParts, RslRlActor } from "./actor-state.ts";
import { ActorValues } from "./actor-values.ts";
import { strangeLayer } from "./strange-layer.ts";
import { describe, isTensor } from "./torch-value.ts";

const NOBODY: RslRlActor = {
  layers: {},
  inputWidth: 0,
  hidden: [],
  outputWidth: 0,
  actionWidth: 0,
};

/**
 * Checks one network: every layer there, each as wide as the one before it says, every number
 * finite.
 *
 * @throws CheckpointError naming the file and the key
 */
export function readActor(entries: ActorEntries, where: string): RslRlActor {
  return new ActorReader(entries, where).read();
}

const PLAIN =
  "MLP, GRU, LSTM and our own CNN policies are supported, with or without a normaliser of observations; others fly as policy.onnx.";
const MLP = /^mlp\.(\d{1,3})\.(weight|bias)$/;
const PART = /^((encoder|decoder)\.(\d{1,3})|features)\.(weight|bias)$/;
/** Beside a decoder. */
const LATENT_SCALE = "latent_scale";
const RNN = /^rnn\.rnn\.(weight_ih|weight_hh|bias_ih|bias_hh)_l(\d{1,2})$/;
const CNN = /^cnns\.([A-Za-z][A-Za-z0-9_.-]*)\.(\d{1,2})\.(weight|bias)$/;
const STD = ["distribution.std_param", "std"];
const LOG_STD = ["distribution.log_std_param", "log_std"];
const NORMALISER = "obs_normalizer.";
/** Only in files of our own: rsl_rl's is a constant, and it cuts nothing. */
const EPSILON = "_epsilon";
const CLAMP = "_clamp";
const STATISTICS = ["_mean", "_var", "_std", "count"];

class ActorReader {
  readonly #entries: ActorEntries;
  readonly #values: ActorValues;

  constructor(entries: ActorEntries, where: string) {
    this.#entries = entries;
    this.#values = new ActorValues(entries, where);
  }

  read(): RslRlActor {
    if (this.#entries.values.size === 0 && this.#entries.mayBeEmpty) return NOBODY;
    for (const [name, { key, value }] of this.#entries.values) {
      const strange = strangeLayer(name, value, this.#entries.values);
      if (strange) throw this.#values.error("unsupported-layer", `${key} ${strange}`, PLAIN);
      this.#checkKnown(name, key);
    }
    const layers: Record<string, NamedArray> = {};
    const before = this.#part("encoder", layers);
    const features = this.#features(layers);
    const mlp = this.#stack("mlp", layers, before?.outputWidth ?? features);
    const behind = this.#part("decoder", layers, mlp.inputWidth + mlp.outputWidth);
    const rnn = this.#rnn(layers, mlp.inputWidth);
    const pictures = this.#cnns(layers);
    const inputWidth = before?.inputWidth ?? rnn?.inputWidth ?? mlp.inputWidth;
    // A row of pictures is as wide as its normaliser says, and not as what the MLP reads.
    const normaliser = this.#normaliser(pictures.length > 0 ? undefined : inputWidth);
    const noise = this.#std();
    const { outputWidth } = behind ?? mlp;
    const actionWidth = this.#actionWidth(outputWidth, noise?.std.length);
    return {
      layers,
      inputWidth,
      hidden: mlp.hidden,
      outputWidth,
      actionWidth,
      ...(before && { encoder: { hidden: before.hidden, width: before.outputWidth } }),
      ...(features !== undefined && { features }),
      ...(behind && { latent: this.#latent(mlp.outputWidth, behind.hidden) }),
      ...(actionWidth !== outputWidth && { doubled: true }),
      ...(normaliser && { normaliser }),
      ...(this.#entries.values.has(NORMALISER + CLAMP) && { inputClamp: this.#own(CLAMP) }),
      ...noise,
      ...(pictures.length > 0 && { pictures }),
      ...(rnn && { rnn: { type: rnn.type, width: rnn.width, layers: rnn.layers } }),
    };
  }

  #checkKnown(name: string, key: string): void {
    const statistic =
      name.startsWith(NORMALISER) &&
      [...STATISTICS, EPSILON, CLAMP].includes(name.slice(NORMALISER.length));
    const part = this.#entries.parts && (PART.test(name) || name === LATENT_SCALE);
    const layer = MLP.test(name) || RNN.test(name) || CNN.test(name);
    if (statistic || part || layer || [...STD, ...LOG_STD].includes(name)) return;
    throw this.#values.error(
      "unsupported-layer",
      `${key} is of a kind of network that can't be flown`,
      PLAIN,
    );
  }

  /** What there is of an encoder or a decoder. @param reads width that it has to read */
  #part(name: string, layers: Record<string, NamedArray>, reads?: number) {
    const { values, parts } = this.#entries;
    const there = parts && [...values.keys()].some((key) => key.startsWith(`${name}.`));
    return there ? this.#stack(name, layers, reads) : undefined;
  }

  /** Outputs of the layer that joins pictures and numbers. */
  #features(layers: Record<string, NamedArray>): number | undefined {
    const names = ["features.weight", "features.bias"] as const;
    if (!this.#entries.parts || !this.#entries.values.has(names[0])) return undefined;
    const [weight, bias] = names.map((name) => this.#values.array(name)) as [
      NamedArray,
      NamedArray,
    ];
    const [outputs = 0, inputs = 0] = weight.shape;
    this.#values.expectShape(names[0], weight, [outputs, inputs]);
    this.#values.expectShape(names[1], bias, [outputs]);
    Object.assign(layers, { [names[0]]: weight, [names[1]]: bias });
    return outputs;
  }

  #latent(width: number, hidden: readonly number[]): LatentParts {
    const scale = this.#values.array(LATENT_SCALE);
    this.#values.expectShape(LATENT_SCALE, scale, []);
    return { width, hidden, scale: scale.data[0]! };
  }

  /** Linear layers `NAME.0`, `NAME.2` … @param reads width of the first one's inputs, where something says it */
  #stack(name: string, layers: Record<string, NamedArray>, reads?: number) {
    const pattern = new RegExp(`^${name}\\.(\\d{1,3})\\.(?:weight|bias)$`);
    const indices = [...this.#entries.values.keys()].flatMap((key) => pattern.exec(key)?.[1] ?? []);
    const last = Math.max(0, ...indices.map(Number));
    const widths: number[] = [];
    for (let index = 0; index <= last; index += 2) {
      const weight = this.#values.array(`${name}.${index}.weight`);
      const [outputs = 0, inputs = 0] = weight.shape;
      const read = widths.at(-1) ?? reads ?? inputs;
      this.#values.expectShape(`${name}.${index}.weight`, weight, [outputs, read]);
      const bias = this.#values.array(`${name}.${index}.bias`);
      this.#values.expectShape(`${name}.${index}.bias`, bias, [outputs]);
      layers[`${name}.${index}.weight`] = weight;
      layers[`${name}.${index}.bias`] = bias;
      widths.push(...(index === 0 ? [inputs, outputs] : [outputs]));
    }
    const odd = indices.find((index) => Number(index) % 2 === 1);
    if (odd !== undefined) {
      throw this.#values.error(
        "unsupported-layer",
        `${this.#values.keyOf(`${name}.${odd}.weight`)} sits where an activation is expected`,
        "Linear layers with one activation between them are supported.",
      );
    }
    const [inputWidth = 0, ...rest] = widths;
    return { inputWidth, hidden: rest.slice(0, -1), outputWidth: rest.at(-1) ?? 0 };
  }

  /** The convolutions of every group of pictures; each reads the channels that the one before gives. */
  #cnns(layers: Record<string, NamedArray>): readonly string[] {
    const places = new Map<string, number[]>();
    for (const name of this.#entries.values.keys()) {
      const [, group, index, part] = CNN.exec(name) ?? [];
      if (group === undefined || part !== "weight") continue;
      places.set(group, [...(places.get(group) ?? []), Number(index)]);
    }
    for (const [group, indices] of places) {
      let channels: number | undefined;
      for (const index of indices.sort((a, b) => a - b)) {
        const name = `cnns.${group}.${index}`;
        const weight = this.#values.array(`${name}.weight`);
        const [out = 0, inputs = 0, side = 0] = weight.shape;
        this.#values.expectShape(`${name}.weight`, weight, [out, channels ?? inputs, side, side]);
        const bias = this.#values.array(`${name}.bias`);
        this.#values.expectShape(`${name}.bias`, bias, [out]);
        layers[`${name}.weight`] = weight;
        layers[`${name}.bias`] = bias;
        channels = out;
      }
    }
    return [...places.keys()];
  }

  #rnn(layers: Record<string, NamedArray>, headWidth: number) {
    const indices = [...this.#entries.values.keys()].flatMap((name) => RNN.exec(name)?.[2] ?? []);
    if (indices.length === 0) return undefined;
    const first = this.#values.array("rnn.rnn.weight_ih_l0");
    const [rows = 0, inputWidth = 0] = first.shape;
    const type = rows === 3 * headWidth ? "gru" : "lstm";
    if (rows !== 3 * headWidth && rows !== 4 * headWidth) {
      throw this.#values.shapeError(
        "rnn.rnn.weight_ih_l0",
        first,
        `${3 * headWidth} rows (GRU) or ${4 * headWidth} (LSTM), for the MLP reads ${headWidth}`,
      );
    }
    const count = Math.max(...indices.map(Number)) + 1;
    for (let layer = 0; layer < count; layer++) {
      const shapes: ReadonlyArray<readonly [string, readonly number[]]> = [
        ["weight_ih", [rows, layer === 0 ? inputWidth : headWidth]],
        ["weight_hh", [rows, headWidth]],
        ["bias_ih", [rows]],
        ["bias_hh", [rows]],
      ];
      for (const [part, shape] of shapes) {
        const name = `rnn.rnn.${part}_l${layer}`;
        const array = this.#values.array(name);
        this.#values.expectShape(name, array, shape);
        layers[name] = array;
      }
    }
    return { type, width: headWidth, layers: count, inputWidth } as const;
  }

  #normaliser(known: number | undefined): NormaliserState | undefined {
    const there = STATISTICS.some((name) => this.#entries.values.has(NORMALISER + name));
    if (!there) return undefined;
    const width = known ?? this.#values.array(`${NORMALISER}_mean`).data.length;
    const read = (name: string): Float32Array => {
      const array = this.#values.array(NORMALISER + name);
      if (array.data.length !== width) {
        throw this.#values.shapeError(
          NORMALISER + name,
          array,
          `[1, ${width}], the observation's width`,
        );
      }
      return array.data;
    };
    const [mean, variance, std] = [read("_mean"), read("_var"), read("_std")];
    if (variance.some((v) => v < 0) || std.some((s) => s < 0)) {
      throw this.#values.error(
        "bad-statistics",
        `${this.#values.keyOf(`${NORMALISER}_var`)} or _std is negative`,
        "The file is damaged: use another checkpoint of the run.",
      );
    }
    const epsilon = this.#own(EPSILON);
    const count = this.#countOfRows();
    return { mean, variance, std, count, ...(epsilon !== undefined && { epsilon }) };
  }

  #own(name: string): number | undefined {
    const full = NORMALISER + name;
    return this.#entries.values.has(full) ? this.#values.array(full).data[0] : undefined;
  }

  #countOfRows(): number {
    const name = `${NORMALISER}count`;
    const found = this.#entries.values.get(name);
    if (found === undefined) return 0;
    const value = isTensor(found.value) ? Number(found.value.data[0] ?? -1) : -1;
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#values.error(
      "bad-statistics",
      `${found.key} is ${describe(found.value)}, expected a whole number from 0`,
      "The file is damaged: use another checkpoint of the run.",
    );
  }

  #std(): { std: Float32Array; stdType: "scalar" | "log" } | undefined {
    for (const name of STD) {
      if (this.#entries.values.has(name))
        return { std: this.#values.array(name).data, stdType: "scalar" };
    }
    for (const name of LOG_STD) {
      if (!this.#entries.values.has(name)) continue;
      const { data } = this.#values.array(name, { minusInfinity: true });
      return { std: data.map(Math.exp), stdType: "log" };
    }
    return undefined;
  }

  #actionWidth(outputs: number, stds: number | undefined): number {
    if (stds === undefined && !this.#entries.doubled) return outputs;
    if (stds === undefined && outputs % 2 === 0) return outputs / 2;
    if (stds === outputs) return outputs;
    throw this.#values.error(
      "wrong-shape",
      `${this.#entries.name} puts out ${outputs} numbers and has ${stds ?? "no"} noise parameters`,
      "Expected one noise parameter per action, or none and two outputs per action.",
    );
  }
}
