import { isSame, type Trial } from "./convolution-trial.ts";
import { dataTypes, type Kinds } from "./graph-def.ts";
import type { NodeBackend } from "./native-backend.ts";
import {
  type Constant,
  countUses,
  type Operation,
  type Recording,
  type Source,
  type TensorType,
} from "./recording.ts";

/** A convolution that does more itself: where its operations stand, and what is taken along. */
interface Layer {
  readonly at: number;
  /** Zeros around its pictures, by an operation whose result nobody else reads. */
  readonly pad?: Padding | undefined;
  /** Where its bias is added. */
  readonly sum?: number | undefined;
}

interface Padding {
  readonly at: number;
  readonly picture: Source;
  /** Before and behind rows, height, width and channels. */
  readonly sizes: readonly number[];
}

/**
 * The recording, where convolutions pad their pictures themselves, and their biases are added by name: of a
 * convolution and a bias TensorFlow makes one pass. (`guarded` keeps it from taking along what is behind: it would
 * make 0 of a relu of NaN.) Which kernels it takes, and whether those begin with the bias or end with it, hangs on
 * processor, threads and sizes, so each is tried, and left alone where bits differ. What nobody reads any more
 * TensorFlow leaves out by itself.
 */
export function convolved(
  recording: Recording,
  native: NodeBackend,
  trial: Trial = isSame,
): Recording {
  const uses = countUses(recording);
  const keeps = (way: Layer) => {
    const [alone, own] = byItself(way, recording);
    return trial(alone, rewritten(alone, [own], native.binding), native);
  };
  const taken = recording.operations.flatMap((one, at) => {
    if (!isConvolution(one)) return [];
    return waysOf(at, recording, uses).find(keeps) ?? [];
  });
  return taken.length === 0 ? recording : rewritten(recording, taken, native.binding);
}

function isConvolution({ name, attributes }: Operation): boolean {
  const has = (wanted: string, value: unknown) =>
    attributes.some((one) => one.name === wanted && one.value === value);
  return name === "Conv2D" && has("data_format", "NHWC") && has("T", dataTypes.float32);
}

type Uses = ReadonlyMap<Source, number>;

/** What can be taken along, the most first. */
function waysOf(at: number, recording: Recording, uses: Uses): readonly Layer[] {
  const pad = zerosAround(at, recording, uses);
  const reader = uses.get(`n${at}`) === 1 ? readerOf(at, recording) : -1;
  const sum = addsBias(reader, recording) ? reader : undefined;
  if (sum === undefined) return pad === undefined ? [] : [{ at, pad }];
  const biased = { at, sum };
  return pad === undefined ? [biased] : [{ ...biased, pad }, biased, { at, pad }];
}

function readerOf(at: number, { operations }: Recording): number {
  return operations.findIndex(({ inputs }) => inputs.includes(`n${at}`));
}

function zerosAround(at: number, recording: Recording, uses: Uses): Padding | undefined {
  const { operations, constants } = recording;
  const [source = ""] = operations[at]!.inputs;
  const place = placeOf(source, "n");
  const pad = operations[place];
  // A padded picture that the filter's gradient reads too is there anyway.
  if (pad?.name !== "PadV2" || uses.get(source) !== 1) return undefined;
  if (operations[at]!.attributes.every(({ value }) => value !== "VALID")) return undefined;
  const [picture = "", around = "", value = ""] = pad.inputs;
  const sizes = [...(constants[placeOf(around, "c")]?.values ?? [])] as number[];
  if (sizes.length !== 8 || [0, 1, 6, 7].some((i) => sizes[i] !== 0)) return undefined;
  if (constants[placeOf(value, "c")]?.values[0] !== 0) return undefined;
  return { at: place, picture, sizes };
}

/** Of `n7` it is 7; −1 where a source is something else. */
function placeOf(source: Source, kind: "n" | "c"): number {
  return source[0] === kind && !source.includes(":") ? Number(source.slice(1)) : -1;
}

function addsBias(at: number, { operations, shapes }: Recording): boolean {
  const one = operations[at];
  if (one === undefined || (one.name !== "Add" && one.name !== "AddV2")) return false;
  const [sum = "", bias = ""] = one.inputs;
  // The bias behind the convolution: the other way round would be another operation.
  if (operations[placeOf(sum, "n")]?.name !== "Conv2D") return false;
  return shapes.get(bias)?.join() === `${shapes.get(sum)?.[3]}`;
}

function rewritten(recording: Recording, layers: readonly Layer[], kinds: Kinds): Recording {
  const operations = [...recording.operations];
  for (const { at, pad, sum } of layers) {
    if (pad !== undefined) operations[at] = padding(operations[at]!, pad, kinds);
    if (sum !== undefined) operations[sum] = { ...operations[sum]!, name: "BiasAdd" };
  }
  return { ...recording, operations };
}

function padding(convolution: Operation, { picture, sizes }: Padding, kinds: Kinds): Operation {
  const attributes = convolution.attributes.map((one) =>
    one.name === "padding" ? { ...one, value: "EXPLICIT" } : one,
  );
  const explicit = { name: "explicit_paddings", type: kinds.TF_ATTR_INT, value: sizes };
  const inputs = [picture, ...convolution.inputs.slice(1)];
  return { ...convolution, inputs, attributes: [...attributes, explicit] };
}

/** The layer as a program of its own, and where in that it stands. */
function byItself({ at, pad, sum }: Layer, recording: Recording): [Recording, Layer] {
  const places = [pad?.at, at, sum].filter((place) => place !== undefined);
  const alone = partOf(recording, places);
  const first = places.indexOf(at);
  const own = { at: first, sum: sum === undefined ? undefined : first + 1 };
  const picture = alone.operations[0]!.inputs[0]!;
  return [alone, pad === undefined ? own : { ...own, pad: { ...pad, picture } }];
}

/** Some operations, in order; of what others made of numbers in the call, inputs. The last one's result is given. */
function partOf(recording: Recording, places: readonly number[]): Recording {
  const names = new Map<Source, Source>(places.map((place, i) => [`n${place}`, `n${i}`]));
  const constants: Constant[] = [];
  const inputs: TensorType[] = [];
  const typeOf = (source: Source) => {
    return { shape: recording.shapes.get(source)!, dtype: dataTypes.float32 };
  };
  const nameOf = (source: Source) => {
    const constant = recording.constants[placeOf(source, "c")];
    const name = constant ? `c${constants.length}` : `in${inputs.length}`;
    if (constant) constants.push(constant);
    else inputs.push(typeOf(source));
    names.set(source, name);
    return name;
  };
  const operations = places.map((place) => {
    const one = recording.operations[place]!;
    return { ...one, inputs: one.inputs.map((source) => names.get(source) ?? nameOf(source)) };
  });
  const shapes = [...names].map(([source, name]) => [name, recording.shapes.get(source)!] as const);
  const given = { source: `n${places.length - 1}`, ...typeOf(`n${places.at(-1)}`) };
  const ends = { inputs, outputs: [given], assigned: new Map<number, Source>() };
  return { ...ends, operations, constants, shapes: new Map(shapes) };
}
