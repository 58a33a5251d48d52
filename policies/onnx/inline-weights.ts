import { dirname, join } from "node:path";
import { type ProtoField, ProtoWriter, protoFields } from "../../protocol/protobuf.ts";
import { readBytes } from "../checkpoint/checkpoint-file.ts";
import { CheckpointError } from "../policy-error.ts";
import { damagedOnnx } from "./read-onnx.ts";

/** TensorProto.DataLocation. */
const EXTERNAL = 1;
/** Bytes of weights in other files, and of one such file. */
const LARGEST = 2 ** 27;

/**
 * A model as one piece: newer exporters put its weights into a file beside it. Only files in the
 * model's own folder are read. A model that is one piece already is given back as it is.
 *
 * @throws CheckpointError `no-such-file`, `damaged-onnx`, `external-weights`
 */
export async function inlineWeights(model: Uint8Array, path: string): Promise<Uint8Array> {
  const names = new Set<string>();
  rewriteWeights(model, path, ({ location }) => {
    names.add(location);
    return new Uint8Array(0);
  });
  if (names.size === 0) return model;
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const name of names) {
    if (name === "" || name.startsWith(".") || /[\\/\0]/.test(name)) throw elsewhere(path, name);
    const read = await readBytes(join(dirname(path), name), LARGEST);
    files.set(name, read);
    bytes += read.length;
    if (bytes > LARGEST) throw tooLarge(path);
  }
  let left = LARGEST;
  return rewriteWeights(model, path, ({ location, offset, length }) => {
    const file = files.get(location) ?? new Uint8Array(0);
    const end = length === undefined ? file.length : offset + length;
    left -= Math.max(0, Math.min(end, file.length) - offset);
    if (left < 0) throw tooLarge(path);
    if (end <= file.length && offset <= end) return file.subarray(offset, end);
    throw damagedOnnx(path, `${location} has ${file.length} bytes, ${end} are expected`);
  });
}

interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length?: number;
}

/** The model with the bytes that `find` gives for each tensor that is elsewhere. */
function rewriteWeights(
  model: Uint8Array,
  path: string,
  find: (place: Place) => Uint8Array,
): Uint8Array {
  const fields = (bytes: Uint8Array) => [
    ...protoFields(bytes, (what) => damagedOnnx(path, `not ONNX: ${what}`)),
  ];
  const tensor = (field: ProtoField): Uint8Array => {
    const parts = fields(field.bytes);
    if (!parts.some(({ field, int }) => field === 14 && int === EXTERNAL)) return field.whole;
    const entries = parts
      .filter((part) => part.field === 13)
      .map(({ bytes }) => fields(bytes).map((entry) => new TextDecoder().decode(entry.bytes)));
    const place = placeOf(entries, path);
    const kept = parts.filter((part) => part.field !== 13 && part.field !== 14);
    const inner = new ProtoWriter().bytes(9, find(place)).finish();
    const whole = Buffer.concat([...kept.map((part) => part.whole), inner]);
    return new ProtoWriter().bytes(5, whole).finish();
  };
  const graph = (field: ProtoField): Uint8Array => {
    const parts = fields(field.bytes).map((part) => (part.field === 5 ? tensor(part) : part.whole));
    return new ProtoWriter().bytes(7, Buffer.concat(parts)).finish();
  };
  const parts = fields(model).map((part) => (part.field === 7 ? graph(part) : part.whole));
  return new Uint8Array(Buffer.concat(parts));
}

function placeOf(entries: readonly (readonly string[])[], path: string): Place {
  const values = new Map(entries.map(([key = "", value = ""]) => [key, value]));
  const number = (key: string): number | undefined => {
    const text = values.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw damagedOnnx(path, `the ${key} of weights in another file is ${JSON.stringify(text)}`);
  };
  const length = number("length");
  return {
    location: values.get("location") ?? "",
    offset: number("offset") ?? 0,
    ...(length !== undefined && { length }),
  };
}

function tooLarge(path: string): CheckpointError {
  return new CheckpointError(
    "too-large",
    `${path}: its weights take more than ${LARGEST} bytes of the files beside it`,
    "A policy is far smaller; make sure that this file is one.",
  );
}

function elsewhere(path: string, name: string): CheckpointError {
  return new CheckpointError(
    "external-weights",
    `${path}: its weights should be in ${JSON.stringify(name)}, which is not a file beside it`,
    "Export it as one file: torch.onnx.export(..., external_data=False).",
  );
}
