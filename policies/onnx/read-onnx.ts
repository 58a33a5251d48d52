import { type ProtoField, protoFields } from "../../protocol/protobuf.ts";
import { fileKind } from "../file-kind.ts";
import type { Port } from "../graph/policy-graph.ts";
import { CheckpointError } from "../policy-error.ts";

/** What an ONNX file says of itself. */
export interface OnnxFacts {
  readonly opset: number;
  /** Who made it, e.g. `pytorch 2.7.0`. */
  readonly producer: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Numbers in its weights. */
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** ONNX's numbers of element types, as far as they are spoken of. */
const ELEMENTS: Readonly<Record<number, string>> = {
  1: "float32",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
};
/** TensorProto.DataLocation: the weights are in another file. */
const EXTERNAL = 1;
/** More is no name of a tensor. */
const NAME_BYTES = 4096;

/**
 * Reads the outside of an ONNX model: no weights, no computing.
 *
 * @param where what to call the file in messages
 * @throws CheckpointError `not-onnx`, `damaged-onnx`, `external-weights`, `wrong-type`
 */
export function readOnnx(bytes: Uint8Array, where: string): OnnxFacts {
  return new Reader(bytes, where).read();
}

/** The error for a file that isn't ONNX or is not whole. */
export function damagedOnnx(where: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    "damaged-onnx",
    `${where}: ${what}`,
    "The file is truncated or damaged: copy or export it again.",
    { cause },
  );
}

/** @throws CheckpointError `not-onnx` for what is plainly something else */
export function refuseOthers(bytes: Uint8Array, where: string): void {
  const found = fileKind(bytes);
  if (found === undefined) return;
  throw new CheckpointError(
    "not-onnx",
    `${where}: expected an ONNX model, got ${found}`,
    found === "a zip archive"
      ? "If torch.save wrote it, let its name end in .pt."
      : "Export it again.",
  );
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  read(): OnnxFacts {
    refuseOthers(this.#bytes, this.#where);
    const model = this.#fields(this.#bytes);
    const graph = last(model, 7);
    if (graph === undefined) throw damagedOnnx(this.#where, "it holds no graph");
    const fields = this.#fields(graph.bytes);
    const weights = fields.filter(({ field }) => field === 5).map((f) => this.#weight(f.bytes));
    const names = new Set(weights.map(({ name }) => name));
    return {
      opset: this.#opset(model),
      producer: [2, 3]
        .map((field) => this.#text(last(model, field)))
        .join(" ")
        .trim(),
      // Old models list their weights as inputs, too.
      inputs: this.#ports(fields, 11).filter(({ name }) => !names.has(name)),
      outputs: this.#ports(fields, 12),
      parameters: weights.reduce((sum, { elements }) => sum + elements, 0),
      metadata: this.#metadata(model),
    };
  }

  #fields(bytes: Uint8Array): readonly ProtoField[] {
    return [...protoFields(bytes, (what) => damagedOnnx(this.#where, `not ONNX: ${what}`))];
  }

  #opset(model: readonly ProtoField[]): number {
    for (const { field, bytes } of model) {
      if (field !== 8) continue;
      const set = this.#fields(bytes);
      const domain = this.#text(last(set, 1));
      if (domain === "" || domain === "ai.onnx") return last(set, 2)?.int ?? 0;
    }
    throw damagedOnnx(this.#where, "it names no operator set");
  }

  #metadata(model: readonly ProtoField[]): Record<string, string> {
    const entries = model
      .filter(({ field }) => field === 14)
      .map(({ bytes }) => {
        const entry = this.#fields(bytes);
        return [this.#text(last(entry, 1)), this.#text(last(entry, 2))] as const;
      });
    return Object.fromEntries(entries);
  }

  #weight(bytes: Uint8Array): { name: string; elements: number } {
    let elements = 1;
    let name = "";
    for (const { field, int, bytes: content, whole } of this.#fields(bytes)) {
      // Sizes may come one by one or packed together.
      if (field === 1) elements *= content.length > 0 ? this.#product(content) : (int ?? 0);
      if (field === 8) name = this.#text({ bytes: content });
      if (field === 14 && int === EXTERNAL && whole.length > 0) throw this.#external(name);
    }
    return { name, elements };
  }

  #product(packed: Uint8Array): number {
    let product = 1;
    let size = 0;
    let scale = 1;
    for (const byte of packed) {
      size += (byte & 127) * scale;
      scale *= 128;
      if (byte >= 128) continue;
      product *= size;
      size = 0;
      scale = 1;
    }
    return product;
  }

  #ports(fields: readonly ProtoField[], number: number): Port[] {
    return fields.filter(({ field }) => field === number).map(({ bytes }) => this.#port(bytes));
  }

  #port(bytes: Uint8Array): Port {
    const info = this.#fields(bytes);
    const name = this.#text(last(info, 1));
    const type = last(this.#fields(last(info, 2)?.bytes ?? new Uint8Array(0)), 1);
    const tensor = this.#fields(type?.bytes ?? new Uint8Array(0));
    if (type === undefined) {
      throw new CheckpointError(
        "wrong-type",
        `${this.#where}: ${JSON.stringify(name)} is no tensor of float32`,
        "Export the policy in float32, with observations as its only input besides memory.",
      );
    }
    const element = elementName(last(tensor, 1)?.int);
    const shape = this.#fields(last(tensor, 2)?.bytes ?? new Uint8Array(0));
    return {
      name,
      shape: shape.map((dim) => last(this.#fields(dim.bytes), 1)?.int || "batch"),
      ...(element !== "float32" && { type: element }),
    };
  }

  #text(field: Pick<ProtoField, "bytes"> | undefined): string {
    const bytes = field?.bytes ?? new Uint8Array(0);
    return new TextDecoder().decode(bytes.subarray(0, NAME_BYTES));
  }

  #external(name: string): CheckpointError {
    return new CheckpointError(
      "external-weights",
      `${this.#where}: the weights ${JSON.stringify(name)} are in another file`,
      "Export it as one file: torch.onnx.export(..., external_data=False).",
    );
  }
}

function elementName(number: number | undefined): string {
  return ELEMENTS[number ?? 0] ?? `type ${number ?? 0}`;
}

/** Of a field that comes more than once the last one counts. */
function last(fields: readonly ProtoField[], number: number): ProtoField | undefined {
  return fields.findLast(({ field }) => field === number);
}
